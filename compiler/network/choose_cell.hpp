// A model, a name and known dims become the cell or network that is meant, with a number for each dim.
#pragma once

#include <string>

#include <rnnc/model.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "compiler/network/named_values.hpp"
#include "ir/cell.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

/// Binds a cell to `dims` and to the dims that follow from the shapes of `weights`. Errors: Usage (a dim without a
/// number, or one that the cell lacks), ShapeMismatch.
Result<ir::Cell> bind(const ir::Cell& cell, const ir::DimBindings& dims, const TensorMap& weights);

/// Returns the network that Module::choose finds, bound in the same way. A cell becomes the network of one scan of that
/// cell, so that every program is a network. Errors: those of Module::choose and of bind.
RNNC_API Result<ir::Network> choose_program(const Model& model, const std::string& name, const ir::DimBindings& dims,
                                            const TensorMap& weights);

/// Returns the network that the options of a compilation ask for, with their ranges where its weights are integers.
/// Errors: those of the function above and of with_ranges.
template <class Options>
Result<ir::Network> choose_program(const Model& model, const TensorMap& weights, const Options& options) {
  Result<ir::Network> network = choose_program(model, options.cell, options.dims, weights);
  if (!network || options.ranges.empty() || !runtime::is_integer(options.weights)) return network;
  return with_ranges(*network, weights, options.ranges);
}

}  // namespace rnnc::compiler
