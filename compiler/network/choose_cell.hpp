// A model, a name and known dims become the cell or network that is meant, with a number for each dim.
#pragma once

#include <optional>
#include <string>

#include <rnnc/model.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "ir/cell.hpp"
#include "ir/verify.hpp"

namespace rnnc::compiler {

/// Returns the cell `name`, or the only cell, bound to `dims` and to the dims that follow from the shapes of `weights`.
/// Errors: Name (no such cell, several cells, a dim without a number), ShapeMismatch.
Result<ir::Cell> choose_cell(const Model& model, const std::string& name, const ir::DimBindings& dims,
                             const TensorMap& weights);

/// Returns the network `name`, or the only network if no name is given, bound in the same way; nullopt if a cell is
/// meant. Errors: Name (several networks, a dim without a number), ShapeMismatch.
Result<std::optional<ir::Network>> choose_network(const Model& model, const std::string& name,
                                                  const ir::DimBindings& dims, const TensorMap& weights);

/// Returns the network that is meant. A cell becomes the network of one scan of that cell, so that every program is a
/// network. Errors: those of choose_network and choose_cell.
Result<ir::Network> choose_program(const Model& model, const std::string& name, const ir::DimBindings& dims,
                                   const TensorMap& weights);

}  // namespace rnnc::compiler
