// The kinds of ops that a network's nodes have.
#pragma once

#include <cstdint>

#include "ir/op.hpp"

namespace rnnc::ir {

/// An op that is a View or an Expression computes each step by itself, as an op of a cell does. A View takes elements
/// of its operands as they are.
enum class NetworkOp : std::uint8_t { Input, Scan, FinalState, OverTime, View, Expression };

NetworkOp network_op(Op op);

}  // namespace rnnc::ir
