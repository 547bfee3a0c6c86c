#include "tests/support/gradients.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/support/random.hpp"

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

constexpr double kLargestError = 1e-8;  // of a derivative, relative above 1

// The derivative of a smooth function of one step, with an error of the fourth order; nullopt at a kink or jump, where
// differences of two widths or of the two sides disagree. At a kink exactly here, as where a pruned weight is zero, the
// differences of all widths agree on the mean of both sides: these then differ by as much at half the width.
template <class F>
std::optional<double> derivative(const F& f) {
  const double h = 1e-4;
  const auto central = [&](double step) { return (f(step) - f(-step)) / (2 * step); };
  const double wide = central(h), half = central(h / 2), quarter = central(h / 4);
  const double first = (4 * half - wide) / 3, second = (4 * quarter - half) / 3;
  const double f0 = f(0), scale = 1 + std::fabs(second);
  const auto between_sides = [&](double step) { return std::fabs(f(step) - 2 * f0 + f(-step)) / step; };
  const double far = between_sides(h / 4), near = between_sides(h / 16);
  const bool is_kink = near > 0.5 * far && near > kLargestError * scale;
  if (!(std::fabs(first - second) <= 2e-9 * scale) || !(near <= 3e-4 * scale) || is_kink) return std::nullopt;
  return second;
}

}  // namespace

ir::Network network_of(const Subject& subject) {
  return subject.graph.kind == ir::Graph::Kind::Cell ? ir::network_of(ir::Cell(subject.graph))
                                                     : ir::Network(subject.graph);
}

NamedVectors doubles_of(const Subject& subject) {
  NamedVectors result;
  for (const auto& [name, values] : subject.weights) result[name] = Vector(values.begin(), values.end());
  return result;
}

Cotangents random_cotangents(const ir::Network& network, const ir::NetworkBatch& batch, std::uint64_t seed) {
  Random random(seed);
  Cotangents result;
  const auto draw = [&](std::int64_t size) {
    const std::vector<float> values = random.vector(static_cast<std::size_t>(size), -1, 1);
    return Vector(values.begin(), values.end());
  };
  for (const ir::NamedValue& output : network.outputs()) {
    const ir::Type& type = network[output.value].type;
    const std::int64_t width = ir::elements(type);
    const ir::Time time = type.is_sequence() ? batch.times.at(type.axis) : ir::Time{1, {}};
    Vector values = draw(time.steps * batch.sequences * width);
    for (std::int64_t row = 0; row < time.steps * batch.sequences && !time.lengths.empty(); ++row)
      if (row / batch.sequences >= time.lengths[static_cast<std::size_t>(row % batch.sequences)])
        std::fill_n(values.begin() + row * width, width, 0.0);
    result.outputs.push_back(std::move(values));
  }
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Scan) continue;
    const ir::Cell cell = ir::scan_cell(network, node).value();
    for (const std::string& prefix : ir::scan_prefixes(node))
      for (const ir::Node& state : cell.nodes)
        if (state.op == ir::Op::State)
          result.states[prefix + state.name] = draw(batch.sequences * ir::elements(state.type));
  }
  return result;
}

Gradients interpret_gradients(const ir::Network& network, const NamedVectors& weights, const ir::NetworkBatch& batch,
                              const NamedVectors& states, const Cotangents& cotangents) {
  const compiler::NetworkGradient gradient = compiler::gradient_of(network);
  ir::verify(gradient.forward).value();
  ir::verify(gradient.backward).value();
  return reference::interpret_gradients(network, gradient, weights, batch, states, cotangents);
}

double weighted_sum(const ir::Network& network, const NamedVectors& weights, const ir::NetworkBatch& batch,
                    NamedVectors states, const Cotangents& cotangents) {
  const std::vector<Vector> outputs = ir::interpret_outputs(network, weights, batch, states);
  double sum = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    sum += std::inner_product(outputs[i].begin(), outputs[i].end(), cotangents.outputs[i].begin(), 0.0);
  for (const auto& [name, d] : cotangents.states) {
    const Vector& last = states.at(name);
    sum += std::inner_product(last.begin(), last.end(), d.begin(), 0.0);
  }
  return sum;
}

std::optional<std::string> gradient_fault(const Subject& subject, const Setting& setting, GradientCounts* counts) {
  const ir::Network network = network_of(subject);
  const Data data = random_data(network, setting);
  const Point point{doubles_of(subject), data.states, data.batch.inputs};
  const Cotangents cotangents = random_cotangents(network, data.batch, setting.seed + 1000);
  const Gradients gradients = interpret_gradients(network, point.weights, data.batch, point.states, cotangents);

  NamedVectors states = point.states;
  if (ir::interpret_outputs(network, point.weights, data.batch, states) != gradients.outputs)
    return "the forward pass gives other outputs than the network";

  Random random(setting.seed + 2000);
  const auto compare = [&](const std::string& what, NamedVectors Point::*part,
                           const NamedVectors& gradient) -> std::optional<std::string> {
    const NamedVectors direction = random_direction(point.*part, random);
    const std::optional<double> difference = derivative([&](double step) {
      Point moved = point;
      move(moved.*part, direction, step);
      return sum_at(network, data.batch, moved, cotangents);
    });
    if (counts) ++(difference ? counts->checked : counts->kinks);
    if (!difference) return std::nullopt;
    const double found = along(gradient, direction);
    if (std::fabs(found - *difference) <= kLargestError * (1 + std::fabs(*difference))) return std::nullopt;
    return "the gradient of " + what + " along a direction is " + std::to_string(found) + ", and differences give " +
           std::to_string(*difference);
  };
  if (auto fault = compare("weights", &Point::weights, gradients.weights)) return fault;
  if (auto fault = compare("states", &Point::states, gradients.states)) return fault;
  return compare("inputs", &Point::inputs, gradients.inputs);
}

}  // namespace rnnc::test
