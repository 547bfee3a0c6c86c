// The vectors of a bound network have names: a file of ranges says by name what was measured of a vector. A name is
// that of the text, "x" or "encoder.h", or the expression of a vector that has none there, "encoder.relu(W @ x)";
// vectors of one name share a range. A name follows from the text alone, so that no pass changes it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include <rnnc/ranges.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Returns the vectors that products of integers multiply. A vector whose range is proved comes with its bound. Vectors
/// that only passes make have no name and are left out.
std::map<std::string, std::optional<double>> multiplied_vectors(const ir::Network& network);

/// A network that gives the largest magnitudes of vectors, beside its own results.
struct MeasuringNetwork {
  ir::Network network;
  ir::Module module;                           // what is compiled: the network, or the cell that it is made of
  std::map<std::string, std::string> outputs;  // an output, the magnitude of each element -> the vector
  std::map<std::string, std::string> states;   // a scalar state, whose last value counts -> the vector
};

/// Returns the network that measures the vectors of these names.
MeasuringNetwork measuring(const ir::Network& network, const std::set<std::string>& names);

/// Returns what tells a bound network and its weights from others: its name, and digits that depend on all of its text
/// and on each weight. `weights` fit the network.
std::string identity_of(const ir::Network& network, const TensorMap& weights);

/// Returns the network with a Within for each vector that the ranges name. Errors: InvalidData where the ranges are of
/// another model or other weights; those of check_weights.
Result<ir::Network> with_ranges(const ir::Network& network, const TensorMap& weights, const Ranges& ranges);

}  // namespace rnnc::compiler
