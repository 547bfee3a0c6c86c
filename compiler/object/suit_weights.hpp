// Packed weights of integers get the order in which the instructions of a target read them. The runtime of this machine
// knows one order only, and never reads these.
#pragma once

#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

/// Changes the order of the integers in a packed block of weights, and nothing where `way` needs none of its own.
void suit_weights(const Plan& plan, ByteProducts way, float* block);

}  // namespace rnnc::compiler
