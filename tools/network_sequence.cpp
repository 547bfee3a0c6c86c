#include "tools/network_sequence.hpp"

#include <algorithm>

#include "ir/scan.hpp"
#include "tools/load_model.hpp"
#include "tools/random_data.hpp"

namespace rnnc::tools {
namespace {

ir::Vector widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }
std::vector<float> narrowed(const ir::Vector& values) { return {values.begin(), values.end()}; }

bool is_in_x(const ir::Node& node) { return node.op == ir::Op::Input && node.type.axis == ir::kTime; }

std::int64_t rows_of(const ir::Type& type, const ir::NetworkBatch& batch) {
  return type.is_sequence() ? batch.times.at(type.axis).steps * batch.sequences : batch.sequences;
}

ir::NetworkBatch sequence_of(const ir::Network& network, const ir::NetworkBatch& batch, std::int64_t b) {
  ir::NetworkBatch one{1, batch.times, {}};
  for (auto& [name, time] : one.times)
    if (!time.lengths.empty()) time.lengths = {time.lengths[static_cast<std::size_t>(b)]};
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Input) continue;
    const ir::Vector& all = batch.inputs.at(node.name);
    ir::Vector& own = one.inputs[node.name];
    const std::int64_t size = elements(node.type);
    for (std::int64_t t = 0; t < rows_of(node.type, one); ++t) {
      const auto row = all.begin() + (t * batch.sequences + b) * size;
      own.insert(own.end(), row, row + size);
    }
  }
  return one;
}

// The rows of sequence `b` to their places among those of all.
void place(const std::vector<float>& rows, std::int64_t size, std::int64_t b, std::int64_t sequences,
           std::vector<float>& all) {
  const std::int64_t count = size == 0 ? 0 : std::ssize(rows) / size;
  all.resize(static_cast<std::size_t>(count * sequences * size));
  for (std::int64_t t = 0; t < count; ++t)
    std::copy_n(rows.begin() + t * size, size, all.begin() + (t * sequences + b) * size);
}

}  // namespace

Interface interface_of(const ir::Network& network) {
  Interface result;
  for (const ir::Node& node : network.nodes) {
    if (is_in_x(node)) result.input_size += elements(node.type);
    if (node.op != ir::Op::Scan) continue;
    const ir::Cell cell = ir::scan_cell(network, node).value();
    for (const std::string& prefix : ir::scan_prefixes(node))
      for (const ir::Node& state : cell.nodes)
        if (state.op == ir::Op::State) result.states.push_back({prefix + state.name, elements(state.type)});
  }
  result.output_size = elements(network[network.output()].type);
  return result;
}

ir::NetworkBatch random_batch(const ir::Network& network, std::int64_t steps, std::int64_t sequences,
                              std::uint64_t seed, bool ragged) {
  ir::NetworkBatch batch{sequences, {}, {}};
  for (const std::string& name : ir::times_of(network)) {
    ir::Time& time = batch.times[name];
    time.steps = steps;
    if (!ragged) continue;
    const std::vector<std::int32_t> lengths = random_lengths(steps, sequences, ++seed);
    time.lengths.assign(lengths.begin(), lengths.end());
  }
  for (const ir::Node& node : network.nodes)
    if (node.op == ir::Op::Input)
      batch.inputs[node.name] = widened(random_values(rows_of(node.type, batch) * elements(node.type), 1, ++seed));
  return batch;
}

double value_bytes(const ir::Network& network, const ir::NetworkBatch& batch) {
  double values = 0;
  for (const ir::Node& node : network.nodes)
    if (node.op != ir::Op::Param)
      values += static_cast<double>(rows_of(node.type, batch)) * static_cast<double>(elements(node.type));
  return 8 * values;
}

NetworkCall::NetworkCall(const Program& program, const ir::Network& network, const ir::NetworkBatch& batch)
    : program_(program), sequences_(batch.sequences) {
  const auto data = [](const auto& values) { return values.empty() ? nullptr : values.data(); };
  for (const auto& [name, time] : batch.times) {
    most_steps_ = std::max(most_steps_, time.steps);
    std::vector<std::int32_t>& lengths = lengths_[name];
    lengths.assign(time.lengths.begin(), time.lengths.end());
    if (name == ir::kTime)
      steps_ = time.steps;
    else
      times_.push_back({lengths_.find(name)->first, time.steps, data(lengths)});
  }
  for (const NamedPort& input : program.named_inputs()) {
    std::vector<float>& values = values_[input.port.name] = narrowed(batch.inputs.at(input.port.name));
    inputs_.push_back({values_.find(input.port.name)->first, values.data()});
  }
  for (std::int64_t row = 0; row < steps_ * sequences_; ++row)
    for (const ir::Node& node : network.nodes) {
      if (!is_in_x(node)) continue;
      const auto from = batch.inputs.at(node.name).begin() + row * elements(node.type);
      x_.insert(x_.end(), from, from + elements(node.type));
    }
  const ir::Type& type = network[network.output()].type;
  y_.resize(static_cast<std::size_t>(rows_of(type, batch) * elements(type)));
}

RunStatus NetworkCall::run(State& state) {
  const auto lengths = lengths_.find(std::string(ir::kTime));
  const bool ragged = lengths != lengths_.end() && !lengths->second.empty();
  return program_.run({.x = x_.data(),
                       .y = y_.data(),
                       .steps = steps_,
                       .batch = sequences_,
                       .state = state,
                       .lengths = ragged ? lengths->second.data() : nullptr,
                       .inputs = inputs_,
                       .times = times_});
}

Result<SequenceResult> run_compiled(const Program& program, const ir::Network& network, const ir::NetworkBatch& batch,
                                    const ir::NamedVectors& states) {
  NetworkCall call(program, network, batch);
  State state = call.make_state();
  for (const auto& [name, initial] : states)
    if (const auto set = state.set(name, narrowed(initial)); !set) return set.error();
  if (const RunStatus status = call.run(state); status != RunStatus::Ok)
    return Error{ErrorCode::InvalidData, {}, text(status), {}};
  SequenceResult result{call.y(), {}};
  for (const NamedSize& each : interface_of(network).states) {
    Result<std::vector<float>> final = state.get(each.name);
    if (!final) return final.error();
    result.states[each.name] = std::move(*final);
  }
  return result;
}

SequenceResult run_interpreted(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                               ir::NamedVectors states) {
  ir::NamedVectors params;
  for (const auto& [name, tensor] : weights) params[name] = widened(tensor.to_f32());
  SequenceResult result{narrowed(ir::interpret(network, params, batch, states)), {}};
  for (const auto& [name, values] : states) result.states[name] = narrowed(values);
  return result;
}

SequenceResult run_each_interpreted(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                                    const Report& report) {
  const std::int64_t output = elements(network[network.output()].type);
  SequenceResult result;
  for (std::int64_t b = 0; b < batch.sequences; ++b) {
    report(static_cast<double>(b) / static_cast<double>(batch.sequences),
           "interpreting sequence " + std::to_string(b + 1) + " of " + std::to_string(batch.sequences));
    const SequenceResult one = run_interpreted(network, weights, sequence_of(network, batch, b));
    place(one.y, output, b, batch.sequences, result.y);
    for (const auto& [name, values] : one.states)
      place(values, std::ssize(values), b, batch.sequences, result.states[name]);
  }
  return result;
}

}  // namespace rnnc::tools
