#include "tools/rounding_errors.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/rounding.hpp"

namespace rnnc::tools {
namespace {

void widen(std::vector<float>& errors, const std::vector<float>& exact, const std::vector<float>& moved,
           double factor) {
  errors.resize(exact.size());
  for (std::size_t i = 0; i < exact.size(); ++i) {
    if (exact[i] == moved[i] || (std::isnan(exact[i]) && std::isnan(moved[i]))) continue;
    const double error = factor * std::fabs(static_cast<double>(exact[i]) - static_cast<double>(moved[i]));
    const bool is_float = error <= std::numeric_limits<float>::max();  // NaN is none
    errors[i] = is_float ? std::max(errors[i], static_cast<float>(error)) : std::numeric_limits<float>::infinity();
  }
}

}  // namespace

SequenceResult rounding_errors(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                               const ir::NamedVectors& states, bool streams, const SequenceResult& exact,
                               const Report& report) {
  const std::vector<ir::Rounding::Pattern> patterns = ir::rounding_patterns(network);
  SequenceResult errors;
  double done = 0;
  for (const ir::Rounding::Pattern& pattern : patterns) {
    ir::Rounding rounding(pattern);
    const double end = done + 1.0 / static_cast<double>(patterns.size());
    const SequenceResult moved =
        run_in_pieces(network, weights, batch, states, streams, part_of(report, done, end), &rounding);
    errors.outputs.resize(exact.outputs.size());
    for (std::size_t i = 0; i < exact.outputs.size(); ++i)
      widen(errors.outputs[i], exact.outputs[i], moved.outputs[i], pattern.factor);
    for (const auto& [name, values] : exact.states)
      widen(errors.states[name], values, moved.states.at(name), pattern.factor);
    done = end;
  }
  return errors;
}

}  // namespace rnnc::tools
