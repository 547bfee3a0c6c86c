// What a well-formed cell is, and the binding of its symbolic dims.
#pragma once

#include <cstddef>
#include <string>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include "ir/cell.hpp"

namespace rnnc::ir {

inline constexpr std::size_t kMaxNodes = 1000000;  // of a cell, and of all cells of a text

/// The type that `node` has as the next node of `cell`, or what is wrong with it, located at the node, with both shapes
/// and a note where the operands were declared.
Result<Type> infer_type(const Cell& cell, const Node& node);

/// Checks the whole graph: operands come before their users, types follow, names are declared once, every state has
/// exactly one next value of its type, there is one output of rank 0 or 1, hoisted values depend on no state, dims are
/// >= 1 and sizes within limits (a dim <= 2^24, elements of a tensor <= 2^31, nodes <= 1e6).
Result<void> verify(const Cell& cell);

/// The cell with every symbolic dim replaced, verified again. Errors name a dim that is missing, unknown, or < 1.
Result<Cell> bind_dims(const Cell& cell, const DimBindings& bindings);

/// Adds to `bindings` the dims that follow from the shapes of parameters (safetensors names -> shapes). Errors: a shape
/// of the wrong rank, or one that contradicts another or a given binding; missing tensors are not an error here.
Result<DimBindings> infer_dims(const Cell& cell, const std::map<std::string, Shape>& shapes, DimBindings bindings);

}  // namespace rnnc::ir
