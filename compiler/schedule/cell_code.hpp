// Code for a cell and its description, whoever made them: LLVM, the code cache or the portable executor's translation.
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

/// Makes code for a bound cell.
using MakeCode = std::function<Result<CellCode>(const ir::Cell& cell)>;

}  // namespace rnnc::compiler
