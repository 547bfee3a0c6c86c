// The interpreter of networks computes node by node, each for all sequences and steps.
#include "ir/interpret_network.hpp"

#include <algorithm>
#include <set>

#include "ir/check.hpp"
#include "ir/evaluator.hpp"
#include "ir/network_op.hpp"
#include "ir/scan.hpp"

namespace rnnc::ir {
namespace {

class NetworkInterpreter {
 public:
  NetworkInterpreter(const Network& network, const NamedVectors& weights, const NetworkBatch& batch,
                     NamedVectors& states, Rounding* rounding)
      : network_(network),
        weights_(weights),
        batch_(batch),
        states_(states),
        rounding_(rounding),
        begun_by_inputs_(begun_by_inputs(network)),
        evaluator_(network, weights, rounding),
        values_(network.nodes.size()) {}

  std::vector<Vector> run() {
    for (std::size_t i = 0; i < values_.size(); ++i) compute(i);
    std::vector<Vector> outputs;
    for (const NamedValue& output : network_.outputs()) outputs.push_back(rows_of(output.value));
    return outputs;
  }

 private:
  Vector rows_of(Value value) const;
  void compute(std::size_t i);
  void compute_rows(std::size_t i);
  void compute_scan(std::size_t i);
  Vector run_part(const Node& node, const Cell& cell, const std::string& prefix, bool reverse);
  Vector run_rounded(const Cell& cell, const NamedVectors& params, const Batch& batch, NamedVectors& states);
  Vector arguments(const Node& node, bool reverse) const;
  void begin_states(const Node& node, const Cell& cell, const std::string& prefix, NamedVectors& states) const;
  void join(const Node& node, const Vector& forward, const Vector& backward, Vector& out) const;
  Vector over_time(const Node& node) const;
  double rounded(double value) const { return rounding_ ? (*rounding_)(value) : value; }

  const Time& time(const Type& type) const { return batch_.times.at(type.axis); }
  std::int64_t steps(const Type& type) const { return type.is_sequence() ? time(type).steps : 1; }
  std::int64_t length(const Type& type, std::int64_t b) const {
    if (!type.is_sequence() || time(type).lengths.empty()) return steps(type);
    return time(type).lengths[static_cast<std::size_t>(b)];
  }
  Vector zeros(const Type& type) const {
    return Vector(static_cast<std::size_t>(steps(type) * batch_.sequences * elements(type)));
  }
  std::int64_t offset(const Type& type, std::int64_t b, std::int64_t t) const {
    return ((type.is_sequence() ? t : 0) * batch_.sequences + b) * elements(type);
  }

  // Returns the value of sequence b at step t; a value that depends on weights alone is the same for all.
  const double* row(Value value, std::int64_t b, std::int64_t t) const {
    if (!evaluator_.varies(value.index)) return evaluator_[value].data;
    return values_[value.index].data() + offset(network_[value].type, b, t);
  }

  template <class Visit>
  void for_each_row(const Type& type, Visit visit) const {
    for (std::int64_t b = 0; b < batch_.sequences; ++b) {
      for (std::int64_t t = 0; t < length(type, b); ++t) visit(b, t);
    }
  }

  const Network& network_;
  const NamedVectors& weights_;
  const NetworkBatch& batch_;
  NamedVectors& states_;
  Rounding* rounding_;
  std::size_t operations_ = 0;  // those that the rounding has numbers of
  const std::set<std::string> begun_by_inputs_;
  Evaluator evaluator_;
  std::vector<Vector> values_;  // by node, of those that vary: [steps, B, n] or [B, n]
};

// Returns the rows of a value, 0 behind the end of each sequence.
Vector NetworkInterpreter::rows_of(Value value) const {
  const Type& type = network_[value].type;
  Vector rows = zeros(type);
  for_each_row(type, [&](std::int64_t b, std::int64_t t) {
    const double* from = row(value, b, t);
    std::copy(from, from + elements(type), rows.begin() + offset(type, b, t));
  });
  return rows;
}

void NetworkInterpreter::compute(std::size_t i) {
  if (!evaluator_.varies(i)) return;
  const Node& node = network_.nodes[i];
  switch (network_op(node.op)) {
    case NetworkOp::Input: {
      const auto found = batch_.inputs.find(node.name);
      RNNC_ASSERT(found != batch_.inputs.end() && found->second.size() == zeros(node.type).size(), &network_);
      values_[i] = found->second;
      return;
    }
    case NetworkOp::Scan: return compute_scan(i);
    case NetworkOp::FinalState: values_[i] = states_.at(network_[node.operands[0]].name + "." + node.name); return;
    case NetworkOp::OverTime: values_[i] = over_time(node); return;
    case NetworkOp::View:
    case NetworkOp::Expression: return compute_rows(i);
  }
}

void NetworkInterpreter::compute_rows(std::size_t i) {
  const Node& node = network_.nodes[i];
  values_[i] = zeros(node.type);
  for_each_row(node.type, [&](std::int64_t b, std::int64_t t) {
    for (const Value operand : node.operands) {
      if (evaluator_.varies(operand.index)) evaluator_.bind(operand.index, row(operand, b, t));
    }
    evaluator_.compute(i);
    const View& result = evaluator_[Value{static_cast<std::uint32_t>(i)}];
    for (std::int64_t r = 0; r < result.rows; ++r) {
      const double* from = result.data + r * result.stride;
      std::copy(from, from + result.columns, values_[i].begin() + offset(node.type, b, t) + r * result.columns);
    }
  });
}

// Returns the step that a part of a scan reads as its step t.
std::int64_t source(bool reverse, std::int64_t t, std::int64_t length) { return reverse ? length - 1 - t : t; }

Vector NetworkInterpreter::arguments(const Node& node, bool reverse) const {
  const std::size_t count = node.scan->arguments(node);
  Vector x;
  for (std::int64_t t = 0; t < steps(node.type); ++t) {
    for (std::int64_t b = 0; b < batch_.sequences; ++b) {
      const bool beyond = t >= length(node.type, b);
      for (std::size_t k = 0; k < count; ++k) {
        const std::int64_t size = elements(network_[node.operands[k]].type);
        const double* from = row(node.operands[k], b, beyond ? 0 : source(reverse, t, length(node.type, b)));
        x.insert(x.end(), from, from + size);
      }
    }
  }
  return x;
}

// Sets the states at the beginning of a scan. If the caller gives a state, the sequence goes on from it, except if the
// state begins anew at each call (begun_by_inputs).
void NetworkInterpreter::begin_states(const Node& node, const Cell& cell, const std::string& prefix,
                                      NamedVectors& states) const {
  for (const Node& state : cell.nodes) {
    if (state.op != Op::State) continue;
    const auto given = states_.find(prefix + state.name);
    if (given != states_.end()) states[state.name] = given->second;
    for (std::size_t k = 0; k < node.scan->initial.size(); ++k) {
      const std::string name = node.name + "." + node.scan->initial[k];
      if (name != prefix + state.name || (given != states_.end() && !begun_by_inputs_.contains(name))) continue;
      Vector& begin = states[state.name];
      begin.clear();
      for (std::int64_t b = 0; b < batch_.sequences; ++b) {
        const double* from = row(node.operands[node.scan->arguments(node) + k], b, 0);
        begin.insert(begin.end(), from, from + elements(state.type));
      }
    }
  }
}

Vector NetworkInterpreter::run_part(const Node& node, const Cell& cell, const std::string& prefix, bool reverse) {
  NamedVectors params;
  for (const Node& param : cell.nodes) {
    if (param.op == Op::Param) params[param.name] = weights_.at(prefix + param.name);
  }
  NamedVectors states;
  begin_states(node, cell, prefix, states);
  const Batch batch{steps(node.type), batch_.sequences, arguments(node, reverse), time(node.type).lengths};
  const Vector y = rounding_ ? run_rounded(cell, params, batch, states) : interpret(cell, params, batch, states);
  for (auto& [name, value] : states) states_[prefix + name] = std::move(value);
  const Type& type = cell[cell.output()].type;
  const std::int64_t size = elements(type);
  Vector result(y.size());
  for_each_row(node.type, [&](std::int64_t b, std::int64_t t) {
    const std::int64_t from = source(reverse, t, length(node.type, b));
    std::copy_n(y.begin() + (from * batch_.sequences + b) * size, size,
                result.begin() + (t * batch_.sequences + b) * size);
  });
  return result;
}

// Gives the operations of the cell numbers of their own, behind those of the network and of the cells before.
Vector NetworkInterpreter::run_rounded(const Cell& cell, const NamedVectors& params, const Batch& batch,
                                       NamedVectors& states) {
  operations_ = std::max(operations_, network_.nodes.size());
  rounding_->begin(operations_);
  operations_ += cell.nodes.size();
  Vector y = interpret(cell, params, batch, states, *rounding_);
  rounding_->begin(0);
  return y;
}

void NetworkInterpreter::compute_scan(std::size_t i) {
  const Node& node = network_.nodes[i];
  const Cell cell = scan_cell(network_, node).value();
  const std::vector<std::string> prefixes = scan_prefixes(node);
  const Direction direction = node.scan->direction;
  values_[i] = run_part(node, cell, prefixes[0], direction == Direction::Reverse);
  if (direction != Direction::Bidirectional) return;
  const Vector backward = run_part(node, cell, prefixes[1], true);
  const Vector forward = std::move(values_[i]);
  values_[i] = zeros(node.type);
  join(node, forward, backward, values_[i]);
}

void NetworkInterpreter::join(const Node& node, const Vector& forward, const Vector& backward, Vector& out) const {
  const auto size = static_cast<std::size_t>(elements(node.type) / (node.scan->merge == Merge::Concat ? 2 : 1));
  for (std::size_t k = 0; k < forward.size(); ++k) {
    const double f = forward[k], b = backward[k];
    switch (node.scan->merge) {
      case Merge::Concat: {
        const std::size_t begin = k / size * 2 * size + k % size;
        out[begin] = f;
        out[begin + size] = b;
        break;
      }
      case Merge::Sum: out[k] = rounded(f + b); break;
      case Merge::Mean: out[k] = rounded((f + b) / 2); break;
      case Merge::Mul: out[k] = rounded(f * b); break;
    }
  }
}

double evaluate(OverTime over_time, const Vector& values) {
  if (values.empty()) return 0;
  switch (over_time) {
    case OverTime::Last: return values.back();
    case OverTime::First: return values.front();
    case OverTime::Mean: return evaluate(Reduction::Mean, {values})[0];
    case OverTime::Max: return evaluate(Reduction::Max, {values})[0];
    case OverTime::Sum: return evaluate(Reduction::Sum, {values})[0];
    case OverTime::Turned: break;  // it gives no single value
  }
  internal_error(nullptr, "a function over time that is not in the table");
}

Vector NetworkInterpreter::over_time(const Node& node) const {
  Vector result;
  if (node.over_time == OverTime::Turned) {
    result = zeros(node.type);
    for_each_row(node.type, [&](std::int64_t b, std::int64_t t) {
      const double* from = row(node.operands[0], b, source(true, t, length(node.type, b)));
      std::copy_n(from, elements(node.type), result.begin() + offset(node.type, b, t));
    });
    return result;
  }
  const Type& type = network_[node.operands[0]].type;
  for (std::int64_t b = 0; b < batch_.sequences; ++b) {
    for (std::int64_t k = 0; k < elements(type); ++k) {
      Vector values;
      for (std::int64_t t = 0; t < length(type, b); ++t) values.push_back(row(node.operands[0], b, t)[k]);
      // The runtime sums in double precision, too.
      const double value = evaluate(node.over_time, values);
      const bool sums = node.over_time == OverTime::Sum || node.over_time == OverTime::Mean;
      result.push_back(sums ? rounded(value) : value);
    }
  }
  return result;
}

}  // namespace

std::vector<std::string> times_of(const Network& network) {
  std::set<std::string> times;
  for (const Node& node : network.nodes) {
    if (node.type.is_sequence()) times.insert(node.type.axis);
  }
  return {times.begin(), times.end()};
}

namespace {

std::vector<Vector> run(const Network& network, const NamedVectors& weights, const NetworkBatch& batch,
                        NamedVectors& states, Rounding* rounding) {
  for (const std::string& name : times_of(network)) {
    const auto found = batch.times.find(name);
    RNNC_ASSERT(found != batch.times.end(), &network);
    const Time& time = found->second;
    RNNC_ASSERT(time.lengths.empty() || std::ssize(time.lengths) == batch.sequences, &network);
    const bool fit = std::all_of(time.lengths.begin(), time.lengths.end(),
                                 [&](std::int64_t n) { return n >= 0 && n <= time.steps; });
    RNNC_ASSERT(fit, &network);
  }
  return NetworkInterpreter(network, weights, batch, states, rounding).run();
}

}  // namespace

std::vector<Vector> interpret_outputs(const Network& network, const NamedVectors& weights, const NetworkBatch& batch,
                                      NamedVectors& states) {
  return run(network, weights, batch, states, nullptr);
}

std::vector<Vector> interpret_outputs(const Network& network, const NamedVectors& weights, const NetworkBatch& batch,
                                      NamedVectors& states, Rounding& rounding) {
  return run(network, weights, batch, states, &rounding);
}

Vector interpret(const Network& network, const NamedVectors& weights, const NetworkBatch& batch, NamedVectors& states) {
  return run(network, weights, batch, states, nullptr).front();
}

}  // namespace rnnc::ir
