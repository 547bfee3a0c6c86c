// The language's scalar functions by the numbers that the runtime knows them by.
#pragma once

#include "ir/op.hpp"
#include "runtime/formula.hpp"

namespace rnnc::compiler {

runtime::Formula formula_of(ir::Function function);

}  // namespace rnnc::compiler
