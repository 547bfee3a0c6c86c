#include "tests/support/gradients.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

using compiler::Factor;
using compiler::NetworkGradient;
using compiler::Term;
using compiler::WeightTerm;
using ir::NamedVectors;
using ir::Vector;

std::map<std::string, ir::Type> weight_types(const ir::Network& network) {
  std::map<std::string, ir::Type> types;
  for (const ir::Weight& weight : ir::weights_of(network)) types[weight.name] = weight.type;
  return types;
}

Vector transposed(const Vector& matrix, const ir::Type& type) {
  const auto rows = static_cast<std::size_t>(type.dims[0].value()),
             columns = static_cast<std::size_t>(type.dims[1].value());
  Vector result(matrix.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < columns; ++k) result[k * rows + i] = matrix[i * columns + k];
  return result;
}

// The rows of a value: of all steps of all sequences, or one of each sequence.
struct Rows {
  const Vector* values = nullptr;
  std::int64_t width = 0;
};

class Sums {
 public:
  Sums(const ir::Network& network, const NetworkGradient& gradient, const ir::NetworkBatch& batch,
       NamedVectors& weights)
      : types_(weight_types(network)), gradient_(gradient), batch_(batch), weights_(weights) {
    for (const auto& [name, type] : types_) weights_[name].assign(static_cast<std::size_t>(ir::elements(type)), 0);
  }

  std::map<std::string, Vector> forward, backward;  // outputs by name
  std::map<std::string, const Vector*> cotangents;  // of outputs by name

  void add(const WeightTerm& term) {
    const ir::Type& type = types_.at(term.weight);
    const std::int64_t columns = type.rank() == 2 ? type.dims[1].value() : 1;
    Vector& sum = weights_.at(term.weight);
    for_each_row(term, [&](std::int64_t row) {
      const double* left = find(term.left, row);
      const compiler::Window& w = term.window;
      const auto at = [&](std::int64_t i, std::int64_t k) -> double& {
        return sum[static_cast<std::size_t>((w.row + i) * columns + w.column + k)];
      };
      switch (term.kind) {
        case Term::Kind::Sum:
          for (std::int64_t i = 0; i < w.rows; ++i)
            for (std::int64_t k = 0; k < w.columns; ++k) at(i, k) += left[i * w.columns + k];
          break;
        case Term::Kind::Product: {
          const double* right = find(term.right, row);
          for (std::int64_t p = 0; p < term.count; ++p)
            for (std::int64_t i = 0; i < w.rows; ++i)
              for (std::int64_t k = 0; k < w.columns; ++k) at(i, k) += left[p * w.rows + i] * right[p * w.columns + k];
          break;
        }
        case Term::Kind::Row: {
          const double index = *find(term.right, row);
          if (!(index >= 0 && index < static_cast<double>(w.rows))) break;
          for (std::int64_t k = 0; k < w.columns; ++k) at(static_cast<std::int64_t>(index), k) += left[k];
          break;
        }
      }
    });
  }

 private:
  template <class Visit>
  void for_each_row(const WeightTerm& term, const Visit& visit) const {
    if (term.left.axis.empty()) {
      for (std::int64_t b = 0; b < batch_.sequences; ++b) visit(b);
      return;
    }
    const ir::Time& time = batch_.times.at(term.left.axis);
    for (std::int64_t t = 0; t < time.steps; ++t)
      for (std::int64_t b = 0; b < batch_.sequences; ++b)
        if (time.lengths.empty() || t < time.lengths[static_cast<std::size_t>(b)]) visit(t * batch_.sequences + b);
  }

  const double* find(const Factor& factor, std::int64_t row) const {
    const auto [values, width] = find(factor);
    return values->data() + (factor.axis.empty() ? row % batch_.sequences : row) * width + factor.begin;
  }

  std::pair<const Vector*, std::int64_t> find(const Factor& factor) const {
    const auto width_of_output = [&](const ir::Network& network) {
      for (const ir::NamedValue& output : network.outputs())
        if (output.name == factor.name) return ir::elements(network[output.value].type);
      return std::int64_t{0};
    };
    switch (factor.of) {
      case Factor::Of::Forward: return {&forward.at(factor.name), width_of_output(gradient_.forward)};
      case Factor::Of::Backward: return {&backward.at(factor.name), width_of_output(gradient_.backward)};
      case Factor::Of::Cotangent: return {cotangents.at(factor.name), width_of_output(gradient_.forward)};
      case Factor::Of::Input: break;
    }
    for (const ir::Node& node : gradient_.forward.nodes)
      if (node.op == ir::Op::Input && node.name == factor.name)
        return {&batch_.inputs.at(factor.name), ir::elements(node.type)};
    return {nullptr, 0};
  }

  const std::map<std::string, ir::Type> types_;
  const NetworkGradient& gradient_;
  const ir::NetworkBatch& batch_;
  NamedVectors& weights_;
};

std::map<std::string, Vector> by_name(const ir::Network& network, std::vector<Vector> outputs) {
  std::map<std::string, Vector> result;
  const std::vector<ir::NamedValue> names = network.outputs();
  for (std::size_t i = 0; i < names.size(); ++i) result[names[i].name] = std::move(outputs[i]);
  return result;
}

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
  if (!(std::fabs(first - second) <= 2e-9 * scale) || !(std::fabs(right - left) <= 3e-4 * scale)) return std::nullopt;
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
  const NetworkGradient gradient = compiler::gradient_of(network);
  ir::verify(gradient.forward).value();
  ir::verify(gradient.backward).value();
  Gradients result;

  const std::map<std::string, ir::Type> types = weight_types(network);
  NamedVectors own, back, now;
  for (const ir::Weight& weight : ir::weights_of(gradient.forward))
    own[weight.name] = weights.at(gradient.names.at(weight.name));
  for (const auto& [name, of] : gradient.same) back[name] = weights.at(of);
  for (const auto& [name, of] : gradient.transposed) back[name] = transposed(weights.at(of), types.at(of));
  for (const auto& [name, user] : gradient.names)
    if (states.contains(user)) now[name] = states.at(user);

  std::vector<Vector> outputs = ir::interpret_outputs(gradient.forward, own, batch, now);
  result.outputs.assign(outputs.begin(), outputs.begin() + std::ssize(network.outputs()));
  Sums sums(network, gradient, batch, result.weights);
  sums.forward = by_name(gradient.forward, std::move(outputs));

  ir::NetworkBatch back_batch = batch;
  NamedVectors d_states;
  for (const auto& [state, d_state] : gradient.states)
    d_states[d_state] = cotangents.states.at(gradient.names.at(state));
  const std::vector<ir::NamedValue> names = network.outputs();
  for (const compiler::BackwardInput& input : gradient.reads) {
    Vector& values = back_batch.inputs[input.name];
    switch (input.kind) {
      case compiler::BackwardInput::Kind::Input: break;
      case compiler::BackwardInput::Kind::Saved: values = sums.forward.at(input.of); break;
      case compiler::BackwardInput::Kind::Cotangent: {
        const auto i = std::ranges::find(names, input.of, &ir::NamedValue::name) - names.begin();
        values = cotangents.outputs[static_cast<std::size_t>(i)];
        break;
      }
      case compiler::BackwardInput::Kind::Last: values = cotangents.states.at(gradient.names.at(input.of)); break;
      case compiler::BackwardInput::Kind::IsNew:
        values.assign(static_cast<std::size_t>(batch.sequences), states.empty() ? 1.0 : 0.0);
        break;
    }
  }
  sums.backward = by_name(gradient.backward, ir::interpret_outputs(gradient.backward, back, back_batch, d_states));
  for (const auto& [input, output] : gradient.inputs) result.inputs[input] = sums.backward.at(output);
  for (const auto& [state, d_state] : gradient.states)
    if (!gradient.begun.contains(state)) result.states[gradient.names.at(state)] = d_states.at(d_state);
  for (std::size_t i = 0; i < names.size(); ++i) sums.cotangents[names[i].name] = &cotangents.outputs[i];
  for (const WeightTerm& term : gradient.terms) sums.add(term);
  return result;
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
    if (std::fabs(found - *difference) <= 1e-8 * (1 + std::fabs(*difference))) return std::nullopt;
    return "the gradient of " + what + " along a direction is " + std::to_string(found) + ", and differences give " +
           std::to_string(*difference);
  };
  if (auto fault = compare("weights", &Point::weights, gradients.weights)) return fault;
  if (auto fault = compare("states", &Point::states, gradients.states)) return fault;
  return compare("inputs", &Point::inputs, gradients.inputs);
}

}  // namespace rnnc::test
