// These tests compare the cells of examples/convolutions with the sums that define each convolution, with weights as
// PyTorch has them.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>

#include <rnnc/model.hpp>

#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

// An element of a sequence that holds so many channels at each position; zero outside of it.
class Signal {
 public:
  Signal(const float* data, std::int64_t positions, std::int64_t channels)
      : data_(data), positions_(positions), channels_(channels) {}
  double operator()(std::int64_t position, std::int64_t channel) const {
    const bool inside = position >= 0 && position < positions_;
    return inside ? static_cast<double>(data_[position * channels_ + channel]) : 0;
  }

 private:
  const float* data_;
  std::int64_t positions_, channels_;
};

using Index = std::int64_t;
// Returns the weight w[n, c, k] of PyTorch.
using Weight = std::function<double(Index n, Index c, Index k)>;

struct Convolution {
  std::string cell;
  ir::DimBindings dims;
  Index channels, results, taps;
  Index stride = 1, dilation = 1, before = 0;  // zeros before the first position
  bool depthwise = false, transposed = false, over_time = false;
};

// A convolution as PyTorch's Conv1d states it: y[p, n] = b[n] + sum over c, k of w[n, c, k] * x[p * stride + k *
// dilation - before, c].
double expected(const Convolution& one, const Signal& x, const Weight& w, Index p, Index n) {
  double sum = 0;
  for (Index k = 0; k < one.taps; ++k) {
    if (one.transposed) {  // y[p, n] = sum over the q with p = q * stride + k of w[c, n, k] * x[q, c]
      if (p < k || (p - k) % one.stride != 0) continue;
      for (Index c = 0; c < one.channels; ++c) sum += w(n, c, k) * x((p - k) / one.stride, c);
      continue;
    }
    const Index at = p * one.stride + k * one.dilation - one.before;
    if (one.depthwise) sum += w(n, 0, k) * x(at, n);
    for (Index c = 0; c < one.channels && !one.depthwise; ++c) sum += w(n, c, k) * x(at, c);
  }
  return sum;
}

Weight weight_of(const Convolution& one, const Weights& weights) {
  const auto element = [&weights](const std::string& name, Index i) {
    return static_cast<double>(weights.at(name)[static_cast<std::size_t>(i)]);
  };
  if (one.depthwise) return [=](Index n, Index, Index k) { return element("D", k * one.channels + n); };
  if (one.transposed)
    return [=](Index n, Index c, Index k) {
      const Index row = k % 2 * one.results + n, column = k < 2 ? one.channels + c : c;
      return element("W", row * 2 * one.channels + column);
    };
  return [=](Index n, Index c, Index k) { return element("W", (n * one.taps + k) * one.channels + c); };
}

void check(const Convolution& one, const std::string& executor) {
  std::ifstream file(RNNC_SOURCE_DIR "/examples/convolutions/convolutions.rnn");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const ir::Module module = ir::parse(text).value();
  const ir::Cell cell = ir::bind_dims(*module.find(one.cell), one.dims).value();
  const Weights weights = random_weights(cell, 1);
  const Program program = compile_cell(cell, weights, executor);
  constexpr Index kSteps = 9;
  Sequences sequences = random_sequences(cell, kSteps, 1, 2);
  for (auto& [name, values] : sequences.states) std::ranges::fill(values, 0.0f);
  const Outcome outcome = run(program, sequences);
  const Index inputs = std::ssize(sequences.x) / kSteps, outputs = std::ssize(outcome.y) / kSteps;
  const Weight w = weight_of(one, weights);
  for (Index i = 0; i < std::ssize(outcome.y); ++i) {
    const Index step = i / outputs, at = i % outputs;
    const Signal x = one.over_time ? Signal(sequences.x.data(), kSteps, one.channels)
                                   : Signal(sequences.x.data() + step * inputs, inputs / one.channels, one.channels);
    const Index position = one.over_time ? step : at / one.results, n = at % one.results;
    const double wanted =
        expected(one, x, w, position, n) + static_cast<double>(weights.at("b")[static_cast<std::size_t>(n)]);
    INFO(one.cell << " " << executor << ", element " << i);
    REQUIRE(std::fabs(outcome.y[static_cast<std::size_t>(i)] - wanted) <= 1e-6);
  }
}

}  // namespace

TEST_CASE("the convolutions of the examples are PyTorch's", "[examples][rows]") {
  const std::vector<Convolution> all = {
      {.cell = "same",
       .dims = {{"P", 7}, {"C", 3}, {"N", 19}, {"K", 2}},
       .channels = 3,
       .results = 19,
       .taps = 5,
       .before = 2},
      {.cell = "same",
       .dims = {{"P", 1}, {"C", 1}, {"N", 1}, {"K", 1}},
       .channels = 1,
       .results = 1,
       .taps = 3,
       .before = 1},
      {.cell = "strided", .dims = {{"Q", 4}, {"C", 3}, {"N", 5}}, .channels = 3, .results = 5, .taps = 3, .stride = 2},
      {.cell = "dilated",
       .dims = {{"P", 9}, {"C", 3}, {"N", 5}, {"D", 2}},
       .channels = 3,
       .results = 5,
       .taps = 3,
       .dilation = 2},
      {.cell = "depthwise", .dims = {{"P", 6}, {"C", 17}}, .channels = 17, .results = 17, .taps = 3, .depthwise = true},
      {.cell = "transposed",
       .dims = {{"P", 5}, {"C", 3}, {"N", 4}},
       .channels = 3,
       .results = 4,
       .taps = 4,
       .stride = 2,
       .transposed = true},
      {.cell = "causal",
       .dims = {{"C", 3}, {"N", 5}, {"K", 4}},
       .channels = 3,
       .results = 5,
       .taps = 5,
       .before = 4,
       .over_time = true},
      {.cell = "causal_dilated",
       .dims = {{"C", 3}, {"N", 5}, {"D", 3}},
       .channels = 3,
       .results = 5,
       .taps = 3,
       .dilation = 3,
       .before = 6,
       .over_time = true},
  };
  for (const Convolution& one : all)
    for (const std::string& executor : executors()) check(one, executor);
}

}  // namespace rnnc::test
