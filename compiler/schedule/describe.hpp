// A bound cell becomes the parts of its description that generated code and portable programs have in common.
#pragma once

#include <vector>

#include <rnnc/result.hpp>

#include "compiler/passes/analysis.hpp"
#include "compiler/schedule/machine.hpp"
#include "ir/cell.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::compiler {

/// Adds the names and shapes of the inputs, parameters and output of a cell to its description.
void describe_declarations(const ir::Cell& cell, runtime::Description& description);

/// Adds the bounds within which states have to begin. `cell` has been through all passes, and the description has its
/// states.
void describe_bounds(const ir::Cell& cell, runtime::Description& description);

/// Returns the rows of parameters that a matrix consists of. They are packed from unit `first_row` of gate `gate` on.
std::vector<runtime::MatrixPiece> pieces_of(const ir::Cell& cell, ir::Value matrix, std::int64_t first_row, int gate);

/// Checks that sums of integers fit in 32 bits. `cell` has been through all passes. Errors: Limit.
Result<void> check_integer_sums(const ir::Cell& cell);

/// Adds the multiply-adds and weights of a product of `elements` weights to the description. A product that is computed
/// once costs no step anything.
void add_product(Phase phase, std::int64_t elements, runtime::NumberFormat format, runtime::Description& description);

/// Estimates the times of the products that add_product has counted, for one machine, where a multiply-add of f32 takes
/// as long as `rate` of these.
void estimate_times(const Machine& machine, double rate, runtime::Description& description);

inline constexpr std::int64_t kMaxWeightsBytes = std::int64_t{8} << 30;

/// Checks that packed weights of `floats` floats are not too large. Errors: Limit.
Result<void> check_weights_size(const ir::Cell& cell, std::int64_t floats);

}  // namespace rnnc::compiler
