// A bound cell becomes its code and the description of the code. LLVM, the code cache or the translation for the
// portable executor makes both.
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

/// A function that makes code for a bound cell.
using MakeCode = std::function<Result<CellCode>(const ir::Cell& cell)>;

}  // namespace rnnc::compiler
