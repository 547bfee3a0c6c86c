#include "tools/sequence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/random_data.hpp"

namespace rnnc::tools {
namespace {

// The interpreter runs long sequences in about kMostPieces pieces of kLeastPiece steps or more, so that people who wait
// see progress.
constexpr std::int64_t kLeastPiece = 64, kMostPieces = 100;

ir::Vector widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }

std::vector<float> narrowed(const ir::Vector& values) {
  std::vector<float> result(values.size());
  std::ranges::transform(values, result.begin(), [](double value) { return static_cast<float>(value); });
  return result;
}

std::int64_t rows_of(const ir::Type& type, const ir::NetworkBatch& batch) {
  return type.is_sequence() ? batch.times.at(type.axis).steps * batch.sequences : batch.sequences;
}

std::int64_t most_steps(const ir::NetworkBatch& batch) {
  std::int64_t most = 0;
  for (const auto& [name, time] : batch.times) most = std::max(most, time.steps);
  return most;
}

// Copies the rows of sequence `b` to their places among the rows of all sequences.
void place(const ir::Vector& rows, std::int64_t size, std::int64_t b, std::int64_t sequences, std::vector<float>& all) {
  const std::int64_t count = size == 0 ? 0 : std::ssize(rows) / size;
  all.resize(static_cast<std::size_t>(count * sequences * size));
  for (std::int64_t t = 0; t < count; ++t)
    std::copy_n(rows.begin() + t * size, size, all.begin() + (t * sequences + b) * size);
}

ir::NamedVectors params_of(const TensorMap& weights) {
  ir::NamedVectors params;
  for (const auto& [name, tensor] : weights) params[name] = widened(tensor.to_f32());
  return params;
}

std::vector<float> rows_of_x(const Interface& interface, const ir::NetworkBatch& batch) {
  const std::vector<NamedType> parts = interface.in_x();
  std::vector<float> x;
  for (std::int64_t row = 0; !parts.empty() && row < rows_of(parts.front().type, batch); ++row)
    for (const auto& [name, type] : parts) {
      const auto from = batch.inputs.at(name).begin() + row * elements(type);
      std::transform(from, from + elements(type), std::back_inserter(x),
                     [](double v) { return static_cast<float>(v); });
    }
  return x;
}

}  // namespace

ir::NetworkBatch random_batch(const Interface& interface, std::int64_t steps, std::int64_t sequences,
                              std::uint64_t seed, bool ragged) {
  Steps same;
  for (const std::string& name : interface.times) same[name] = steps;
  return random_batch(interface, same, sequences, seed, ragged);
}

ir::NetworkBatch random_batch(const Interface& interface, const Steps& steps, std::int64_t sequences,
                              std::uint64_t seed, bool ragged) {
  ir::NetworkBatch batch{sequences, {}, {}};
  for (const std::string& name : interface.times) {
    ir::Time& time = batch.times[name];
    time.steps = steps.at(name);
    if (!ragged) continue;
    const std::vector<std::int32_t> lengths = random_lengths(time.steps, sequences, seed++);
    time.lengths.assign(lengths.begin(), lengths.end());
  }
  for (const auto& [name, type] : interface.inputs) {
    ir::Vector& values = batch.inputs[name] = widened(random_values(rows_of(type, batch) * elements(type), 1, seed++));
    const auto rows = interface.rows_of_tables.find(name);
    if (rows == interface.rows_of_tables.end()) continue;
    for (double& value : values)
      value = std::min(std::floor(std::fabs(value) * static_cast<double>(rows->second)),
                       static_cast<double>(rows->second - 1));
  }
  return batch;
}

ir::NetworkBatch slice(const ir::NetworkBatch& batch, const Interface& interface, Span steps, Span sequences) {
  ir::NetworkBatch part{sequences.end - sequences.begin, {}, {}};
  for (const auto& [name, time] : batch.times) {
    const auto within = [&](std::int64_t n) {
      return std::clamp<std::int64_t>(n - steps.begin, 0, steps.end - steps.begin);
    };
    ir::Time& own = part.times[name] = {within(time.steps), {}};
    if (time.lengths.empty()) continue;
    for (std::int64_t b = sequences.begin; b < sequences.end; ++b)
      own.lengths.push_back(within(time.lengths[static_cast<std::size_t>(b)]));
  }
  for (const auto& [name, type] : interface.inputs) {
    const std::int64_t first = type.is_sequence() ? steps.begin : 0, size = elements(type);
    const std::int64_t count = type.is_sequence() ? part.times.at(type.axis).steps : 1;
    const ir::Vector& all = batch.inputs.at(name);
    ir::Vector& own = part.inputs[name];
    for (std::int64_t t = first; t < first + count; ++t) {
      const auto row = all.begin() + t * batch.sequences * size;
      own.insert(own.end(), row + sequences.begin * size, row + sequences.end * size);
    }
  }
  return part;
}

double value_bytes(const ir::Network& network, const ir::NetworkBatch& batch) {
  double values = 0;
  for (const ir::Node& node : network.nodes)
    if (node.op != ir::Op::Param)
      values += static_cast<double>(rows_of(node.type, batch)) * static_cast<double>(elements(node.type));
  for (const NamedSize& state : interface_of(network).states)
    values += static_cast<double>(batch.sequences) * static_cast<double>(state.size);
  return 8 * values;
}

double run_bytes(const Program& program, const Interface& interface, const ir::NetworkBatch& batch) {
  double bytes = static_cast<double>(program.state_bytes(batch.sequences, most_steps(batch)));
  for (const auto& [name, type] : interface.outputs)
    bytes += 8 * static_cast<double>(rows_of(type, batch)) * static_cast<double>(elements(type));
  return bytes;
}

PreparedRun::PreparedRun(const Program& program, const Interface& interface, const ir::NetworkBatch& batch)
    : program_(program),
      state_(program.make_state(batch.sequences, most_steps(batch))),
      x_(rows_of_x(interface, batch)),
      outputs_(interface.outputs.size()),
      arguments_{.x = x_} {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const auto& [name, type] = interface.outputs[i];
    outputs_[i].resize(static_cast<std::size_t>(rows_of(type, batch) * elements(type)));
    names_.push_back(name);
  }
  for (std::size_t i = 1; i < outputs_.size(); ++i) named_outputs_.push_back({names_[i], outputs_[i]});
  arguments_.y = outputs_[0];
  arguments_.outputs = named_outputs_;
  for (const auto& [name, time] : batch.times) {
    const auto own = lengths_.try_emplace(name, time.lengths.begin(), time.lengths.end()).first;
    const std::span<const std::int32_t> lengths = own->second;
    if (name != ir::kTime) {
      times_.push_back({own->first, time.steps, lengths});
      continue;
    }
    arguments_.steps = time.steps;
    arguments_.lengths = lengths;
  }
  for (const auto& [name, type] : interface.inputs) {
    if (type.axis == ir::kTime) continue;
    const auto own = values_.emplace(name, narrowed(batch.inputs.at(name))).first;
    inputs_.push_back({own->first, own->second});
  }
  arguments_.inputs = inputs_;
  arguments_.times = times_;
}

Result<SequenceResult> run_compiled(const Program& program, const Interface& interface, const ir::NetworkBatch& batch,
                                    const ir::NamedVectors& states) {
  PreparedRun prepared(program, interface, batch);
  for (const auto& [name, initial] : states)
    if (const auto set = prepared.state().set(name, narrowed(initial)); !set) return set.error();
  if (const RunStatus status = prepared.run(); status != RunStatus::Ok)
    return Error{ErrorCode::InvalidData, {}, text(status)};
  SequenceResult result{prepared.outputs(), {}};
  for (const NamedSize& each : interface.states) {
    Result<std::vector<float>> final = prepared.state().get(each.name);
    if (!final) return final.error();
    result.states[each.name] = std::move(*final);
  }
  return result;
}

SequenceResult run_interpreted(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                               ir::NamedVectors states) {
  SequenceResult result;
  for (const ir::Vector& output : ir::interpret_outputs(network, params_of(weights), batch, states))
    result.outputs.push_back(narrowed(output));
  for (const auto& [name, values] : states) result.states[name] = narrowed(values);
  return result;
}

namespace {

// Cuts out the states of these sequences.
ir::NamedVectors states_of(const ir::NamedVectors& all, Span sequences, std::int64_t count) {
  ir::NamedVectors part;
  for (const auto& [name, values] : all) {
    const std::int64_t size = count == 0 ? 0 : std::ssize(values) / count;
    part[name] = {values.begin() + sequences.begin * size, values.begin() + sequences.end * size};
  }
  return part;
}

}  // namespace

SequenceResult run_in_pieces(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                             const ir::NamedVectors& initial, bool streams, const Report& report,
                             ir::Rounding* rounding) {
  const Interface interface = interface_of(network);
  const auto is_sequence = [](const NamedType& output) { return output.type.is_sequence(); };
  streams = streams && std::ranges::all_of(interface.outputs, is_sequence);
  const ir::NamedVectors params = params_of(weights);
  const std::int64_t steps = most_steps(batch), all = streams ? steps : batch.sequences;
  const std::int64_t size = streams ? std::max(kLeastPiece, steps / kMostPieces) : 1;
  SequenceResult result{std::vector<std::vector<float>>(interface.outputs.size()), {}};
  // They are in double precision from piece to piece, so that the number of pieces changes no bit.
  ir::NamedVectors states = initial;
  for (std::int64_t begin = 0; begin < all; begin += size) {
    const Span piece{begin, std::min(begin + size, all)};
    report(static_cast<double>(begin) / static_cast<double>(all),
           (streams ? "interpreting step " : "interpreting sequence ") + std::to_string(begin + 1) + " of " +
               std::to_string(all));
    if (!streams) states = states_of(initial, piece, batch.sequences);
    const ir::NetworkBatch part =
        streams ? slice(batch, interface, piece, {0, batch.sequences}) : slice(batch, interface, {0, steps}, piece);
    const std::vector<ir::Vector> outputs = rounding ? ir::interpret_outputs(network, params, part, states, *rounding)
                                                     : ir::interpret_outputs(network, params, part, states);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const ir::Type& type = interface.outputs[i].type;
      if (!streams) {
        place(outputs[i], elements(type), begin, all, result.outputs[i]);
        continue;
      }
      std::ranges::transform(outputs[i], std::back_inserter(result.outputs[i]),
                             [](double v) { return static_cast<float>(v); });
    }
    if (!streams) {
      for (const auto& [name, values] : states) place(values, std::ssize(values), begin, all, result.states[name]);
    }
  }
  if (streams)
    for (const auto& [name, values] : states) result.states[name] = narrowed(values);
  return result;
}

namespace {

// One of the vectors of two results.
struct Compared {
  const std::vector<float>&a, &b;
  const std::vector<float>* rounding;
  std::string what;
  std::int64_t size;
  bool in_time;
};

void consider(const Compared& values, std::size_t i, std::int64_t batch, double promised, Difference& worst) {
  const double a = values.a[i], b = values.b[i], scale = std::max(1.0, std::abs(b));
  if (a == b || (std::isnan(a) && std::isnan(b))) return;
  double error = std::abs(a - b) / scale;
  if (!(error <= std::numeric_limits<double>::max())) error = std::numeric_limits<double>::infinity();
  const double rounding = values.rounding ? (*values.rounding)[i] / scale : 0;
  const double limit = std::max(promised, std::min(rounding, kMostRounding));
  if (!worst.where.empty() && error / limit <= worst.error / worst.limit) return;
  const std::int64_t index = static_cast<std::int64_t>(i), row = index / values.size;
  worst = {error,       "",
           limit,       rounding,
           a,           b,
           values.what, values.in_time ? row / batch : -1,
           row % batch, index % values.size};
  worst.where = values.what + "[" + (values.in_time ? "t=" + std::to_string(worst.step) + ", " : "") +
                "b=" + std::to_string(worst.sequence) + ", " + std::to_string(worst.element) + "]";
}

}  // namespace

Difference compare(const SequenceResult& a, const SequenceResult& b, const Interface& interface, std::int64_t batch,
                   const Allowance& allowance) {
  Difference worst;
  worst.limit = allowance.promised;
  const auto consider_all = [&](const Compared& values) {
    for (std::size_t i = 0; i < values.a.size(); ++i) consider(values, i, batch, allowance.promised, worst);
  };
  const SequenceResult* rounding = allowance.rounding;
  for (std::size_t i = 0; i < b.outputs.size(); ++i) {
    if (b.outputs[i].empty()) continue;
    const auto& [name, type] = interface.outputs[i];
    consider_all({a.outputs[i], b.outputs[i], rounding ? &rounding->outputs[i] : nullptr, name, elements(type),
                  type.is_sequence()});
  }
  for (const NamedSize& state : interface.states)
    if (const auto right = b.states.find(state.name); right != b.states.end())
      consider_all({a.states.at(state.name), right->second, rounding ? &rounding->states.at(state.name) : nullptr,
                    "final " + state.name, state.size, false});
  return worst;
}

}  // namespace rnnc::tools
