// Results of changed weights, rounded or pruned, are set beside those of the f32 weights that they were made from.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/sequence.hpp"

namespace rnnc::tools {

/// The distance of one output from that of the weights before, over all steps.
struct OutputDrift {
  std::string name;
  double largest = 0, mean = 0;    // |difference| of an element
  std::optional<double> same_top;  // of a softmax: the part of the rows with the same largest element
};

/// The distance of all results from those of the weights before, over all steps.
struct Drift {
  Difference largest;
  std::vector<OutputDrift> outputs;

  /// Tells that no element is NaN or infinite where that of the weights before is a number.
  bool are_numbers() const { return std::isfinite(largest.error); }
};

Drift drift_of(const SequenceResult& ours, const SequenceResult& exact, const ir::Network& network,
               const Interface& interface, std::int64_t batch);

/// `label` begins the first line: "from f32 weights:".
void print(const Drift& drift, const std::string& label);
nlohmann::json json_of(const Drift& drift);

}  // namespace rnnc::tools
