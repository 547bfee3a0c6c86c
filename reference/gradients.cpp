#include "reference/gradients.hpp"

#include <algorithm>
#include <utility>

#include "ir/scan.hpp"

namespace rnnc::reference {
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
        case Term::Kind::LookedUp: {
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

}  // namespace

Gradients interpret_gradients(const ir::Network& network, const NetworkGradient& gradient, const NamedVectors& weights,
                              const ir::NetworkBatch& batch, const NamedVectors& states, const Cotangents& cotangents) {
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

}  // namespace rnnc::reference
