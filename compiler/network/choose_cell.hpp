// Which cell or network of a model is meant, with numbers for its dims.
#pragma once

#include <optional>
#include <string>

#include <rnnc/model.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "ir/cell.hpp"
#include "ir/verify.hpp"

namespace rnnc::compiler {

/// The cell `name`, or the only one, bound to `dims` and to what follows from the shapes of `weights`.
/// Errors: Name (no such cell, several cells, a dim that nothing tells), ShapeMismatch.
Result<ir::Cell> choose_cell(const Model& model, const std::string& name, const ir::DimBindings& dims,
                             const TensorMap& weights);

/// The network `name`, or the only one where no name is given, bound likewise; nullopt where a cell is meant. Errors:
/// Name (several networks, a dim that nothing tells), ShapeMismatch.
Result<std::optional<ir::Network>> choose_network(const Model& model, const std::string& name,
                                                  const ir::DimBindings& dims, const TensorMap& weights);

/// The network that is meant, or that of one scan of the cell that is meant: whatever runs is a network.
/// Errors: those of choose_network and choose_cell.
Result<ir::Network> choose_program(const Model& model, const std::string& name, const ir::DimBindings& dims,
                                   const TensorMap& weights);

}  // namespace rnnc::compiler
