// What descriptions of generated code and of portable programs have in common.
#pragma once

#include <vector>

#include <rnnc/result.hpp>

#include "compiler/passes/analysis.hpp"
#include "compiler/schedule/machine.hpp"
#include "ir/cell.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::compiler {

/// The shape of a type whose dims are bound.
Shape shape_of(const ir::Type& type);

/// Names and shapes of a cell's inputs, parameters and output.
void describe_declarations(const ir::Cell& cell, runtime::Description& description);

/// The rows of parameters that a matrix consists of, from `first_row` of gate `gate`.
std::vector<runtime::MatrixPiece> pieces_of(const ir::Cell& cell, ir::Value matrix, std::int64_t first_row, int gate);

/// Counts a product of `elements` weights of a format.
void add_product(Phase phase, std::int64_t elements, runtime::NumberFormat format, runtime::Description& description);

/// What the products that were counted take on a machine.
void estimate_times(const Machine& machine, runtime::Description& description);

inline constexpr std::int64_t kMaxWeightsBytes = std::int64_t{8} << 30;

/// Errors: Limit where the packed weights, so many floats, would be too large.
Result<void> check_weights_size(const ir::Cell& cell, std::int64_t floats);

}  // namespace rnnc::compiler
