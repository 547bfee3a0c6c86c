// Gradients of random cells and networks are compared with differences of the interpreter, which knows no gradient.
#include <cmath>
#include <optional>

#include "compiler/network/split_directions.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/random_rows.hpp"

namespace rnnc::test {
namespace {

using ir::NamedVectors;
using ir::Vector;

// A point at which the gradient is taken.
struct Point {
  NamedVectors weights, states, inputs;
};

double sum_at(const ir::Network& network, const ir::NetworkBatch& batch, const Point& point,
              const Cotangents& cotangents) {
  ir::NetworkBatch moved = batch;
  for (const auto& [name, values] : point.inputs) moved.inputs[name] = values;
  return weighted_sum(network, point.weights, moved, point.states, cotangents);
}

NamedVectors random_direction(const NamedVectors& like, Random& random) {
  NamedVectors direction;
  for (const auto& [name, values] : like) {
    const std::vector<float> drawn = random.vector(values.size(), -1, 1);
    direction[name] = Vector(drawn.begin(), drawn.end());
  }
  return direction;
}

void move(NamedVectors& values, const NamedVectors& direction, double step) {
  for (const auto& [name, along] : direction)
    for (std::size_t i = 0; i < along.size(); ++i) values[name][i] += step * along[i];
}

double along(const NamedVectors& gradient, const NamedVectors& direction) {
  double sum = 0;
  for (const auto& [name, values] : direction) {
    const auto found = gradient.find(name);
    if (found == gradient.end()) continue;
    for (std::size_t i = 0; i < values.size(); ++i) sum += found->second[i] * values[i];
  }
  return sum;
}

// The derivative of a smooth function of one step, with an error of the fourth order; nullopt at a kink or jump, where
// differences of two widths or of the two sides disagree.
template <class F>
std::optional<double> derivative(const F& f) {
  const double h = 1e-4;
  const auto central = [&](double step) { return (f(step) - f(-step)) / (2 * step); };
  const double wide = central(h), half = central(h / 2), quarter = central(h / 4);
  const double first = (4 * half - wide) / 3, second = (4 * quarter - half) / 3;
  const double f0 = f(0), right = (f(h / 16) - f0) / (h / 16), left = (f0 - f(-h / 16)) / (h / 16);
  const double scale = 1 + std::fabs(second);
  if (!(std::fabs(first - second) <= 2e-9 * scale) || !(std::fabs(right - left) <= 1e-2 * scale)) return std::nullopt;
  return second;
}

struct Counts {
  int checked = 0, kinks = 0;
};

void check_gradients(const Subject& subject, std::uint64_t seed, Counts& counts) {
  const ir::Network network = network_of(subject);
  Setting setting;
  setting.steps = 1 + static_cast<std::int64_t>(seed % 5);
  setting.batch = 1 + static_cast<std::int64_t>(seed % 3);
  setting.ragged = seed % 2 == 1;
  setting.seed = seed;
  const Data data = random_data(network, setting);
  const Point point{doubles_of(subject), data.states, data.batch.inputs};
  const Cotangents cotangents = random_cotangents(network, data.batch, seed + 1000);
  const Gradients gradients = interpret_gradients(network, point.weights, data.batch, point.states, cotangents);

  NamedVectors now = point.states;
  const std::vector<Vector> outputs = ir::interpret_outputs(network, point.weights, data.batch, now);
  for (std::size_t i = 0; i < outputs.size(); ++i) CHECK(gradients.outputs[i] == outputs[i]);

  Random random(seed + 2000);
  const auto compare = [&](const char* what, NamedVectors Point::*part, const NamedVectors& gradient) {
    const NamedVectors direction = random_direction(point.*part, random);
    const std::optional<double> difference = derivative([&](double step) {
      Point moved = point;
      move(moved.*part, direction, step);
      return sum_at(network, data.batch, moved, cotangents);
    });
    if (!difference) return void(++counts.kinks);
    ++counts.checked;
    INFO("of " << what);
    const double expected = *difference, found = along(gradient, direction);
    CHECK(found == Approx(expected).epsilon(1e-8).margin(1e-8));
  };
  compare("weights", &Point::weights, gradients.weights);
  compare("states", &Point::states, gradients.states);
  compare("inputs", &Point::inputs, gradients.inputs);
}

}  // namespace

TEST_CASE("gradients of random cells, rows and networks are those of differences", "[differential][gradient]") {
  Counts counts;
  for (std::uint64_t seed = 0; seed < kGradients; ++seed) {
    {
      INFO("cell " << seed);
      RandomCell cell = random_cell(seed);
      check_gradients({std::move(cell.cell), std::move(cell.weights)}, seed, counts);
    }
    {
      INFO("rows " << seed);
      RandomCell cell = random_rows(seed);
      check_gradients({std::move(cell.cell), std::move(cell.weights)}, seed, counts);
    }
    {
      INFO("network " << seed);
      check_gradients(random_network(seed), seed, counts);
    }
  }
  CHECK(counts.checked > 2 * counts.kinks);
}

}  // namespace rnnc::test
