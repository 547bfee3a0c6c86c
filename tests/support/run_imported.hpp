// These functions run an imported model over sequences, whether it is a network or a cell.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <rnnc/import.hpp>

#include "ir/interpret.hpp"

namespace rnnc::test {

/// y of x[steps, batch, I] by the interpreter, and the final states. The model has one input, a sequence.
ir::Vector interpret_imported(const Imported& imported, const ir::Vector& x, std::int64_t steps, std::int64_t batch,
                              ir::NamedVectors& finals);
ir::Vector interpret_imported(const Imported& imported, const ir::Vector& x, std::int64_t steps, std::int64_t batch);

/// The same, compiled for `cpu`.
std::vector<float> run_imported(const Imported& imported, const std::vector<float>& x, std::int64_t steps,
                                std::int64_t batch, const std::string& cpu, ir::NamedVectors& finals);
std::vector<float> run_imported(const Imported& imported, const std::vector<float>& x, std::int64_t steps,
                                std::int64_t batch, const std::string& cpu);

/// The largest difference. Infinity where one is a NaN or the sizes differ.
template <class A, class B>
double largest_difference(const A& a, const B& b) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return kNone;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    largest = difference <= largest ? largest : std::isnan(difference) ? kNone : difference;
  }
  return largest;
}

}  // namespace rnnc::test
