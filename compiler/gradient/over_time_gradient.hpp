// The cotangent of a sequence follows from that of a function over its time.
#pragma once

#include "compiler/gradient/reverse.hpp"

namespace rnnc::compiler {

/// Adds the cotangent of the operand of an OverTime.
void reverse_over_time(Reverse& reverse, ir::Value value, ir::Value cotangent);

}  // namespace rnnc::compiler
