// A bound cell becomes its code and the description of the code. LLVM, the code cache or the translation for the
// portable executor makes both. The description is there first, so that memory can be laid out before the code is made.
#pragma once

#include <functional>

#include <rnnc/result.hpp>

#include "ir/cell.hpp"
#include "runtime/cell.hpp"

namespace rnnc::compiler {

struct CellCode {
  runtime::Description description;
  runtime::Code code;
};

/// A cell whose code is described and can be made.
struct PendingCode {
  runtime::Description description;
  /// Makes the code. It needs nothing of the caller's, runs on any thread in the default floating-point environment,
  /// and is called once. Errors: those of map_code.
  std::function<Result<runtime::Code>()> make;
  bool is_quick = false;  // `make` finds the code instead of generating it
};

/// A function that plans the code of a bound cell. `beside_others` is as in PlanOptions.
using PlanCode = std::function<Result<PendingCode>(const ir::Cell& cell, bool beside_others)>;

}  // namespace rnnc::compiler
