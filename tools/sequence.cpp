#include "tools/sequence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/interpret.hpp"
#include "tools/load_model.hpp"

namespace rnnc::tools {
namespace {

// Of the interpreter, where somebody waits for it.
constexpr std::int64_t kLeastPiece = 64, kMostPieces = 100;

ir::Vector widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }

std::vector<float> narrowed(const ir::Vector& values) {
  std::vector<float> result(values.size());
  std::ranges::transform(values, result.begin(), [](double value) { return static_cast<float>(value); });
  return result;
}

ir::Batch steps_of(const Sequence& sequence, std::int64_t begin, std::int64_t end) {
  const auto row = sequence.steps == 0 ? 0 : std::ssize(sequence.x) / sequence.steps;
  ir::Batch batch{end - begin, sequence.batch, {}, {}};
  batch.x.assign(sequence.x.begin() + begin * row, sequence.x.begin() + end * row);
  for (const std::int64_t length : sequence.lengths)
    batch.lengths.push_back(std::clamp<std::int64_t>(length - begin, 0, end - begin));
  return batch;
}

}  // namespace

Interface interface_of(const ir::Cell& cell) {
  Interface result;
  for (const ir::Node& node : cell.nodes) {
    if (node.op == ir::Op::Input) result.input_size += elements(node.type);
    if (node.op == ir::Op::State) result.states.push_back({node.name, elements(node.type)});
  }
  result.output_size = elements(cell[cell.output()].type);
  return result;
}

Result<SequenceResult> run_compiled(const Program& program, const Sequence& sequence) {
  State state = program.make_state(sequence.batch, sequence.steps);
  for (const auto& [name, values] : sequence.states)
    if (const auto set = state.set(name, values); !set) return set.error();
  SequenceResult result;
  const std::int64_t rows = program.output_time().empty() ? sequence.batch : sequence.steps * sequence.batch;
  result.y.resize(static_cast<std::size_t>(rows * program.output_size()));
  std::vector<NamedInput> inputs;
  for (const auto& [name, values] : sequence.vectors) inputs.push_back({name, values.data()});
  const RunStatus status = program.run({.x = sequence.x.data(),
                                        .y = result.y.data(),
                                        .steps = sequence.steps,
                                        .batch = sequence.batch,
                                        .state = state,
                                        .lengths = sequence.lengths.empty() ? nullptr : sequence.lengths.data(),
                                        .inputs = inputs});
  if (status != RunStatus::Ok) return Error{ErrorCode::InvalidData, {}, text(status), {}};
  for (const Port& port : program.states()) {
    Result<std::vector<float>> values = state.get(port.name);
    if (!values) return values.error();
    result.states[port.name] = std::move(*values);
  }
  return result;
}

SequenceResult run_interpreted(const ir::Cell& cell, const TensorMap& weights, const Sequence& sequence,
                               const Report& report) {
  ir::NamedVectors params, states;
  for (const auto& [name, tensor] : weights) params[name] = widened(tensor.to_f32());
  for (const auto& [name, values] : sequence.states) states[name] = widened(values);
  SequenceResult result;
  // States stay in double precision from piece to piece, so that a piece more changes no bit.
  const std::int64_t piece = report ? std::max(kLeastPiece, sequence.steps / kMostPieces) : sequence.steps;
  std::int64_t begin = 0;
  do {
    const std::int64_t end = std::min(begin + piece, sequence.steps);
    if (report)
      report(static_cast<double>(begin) / static_cast<double>(sequence.steps),
             "interpreting step " + std::to_string(begin + 1) + " of " + std::to_string(sequence.steps));
    const std::vector<float> y = narrowed(ir::interpret(cell, params, steps_of(sequence, begin, end), states));
    result.y.insert(result.y.end(), y.begin(), y.end());
    begin = end;
  } while (begin < sequence.steps);
  for (const auto& [name, values] : states) result.states[name] = narrowed(values);
  return result;
}

void Difference::consider(double a, double b, const std::string& name, std::int64_t index, std::int64_t batch,
                          std::int64_t size, bool in_time) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return;
  double found = std::abs(a - b) / std::max(1.0, std::abs(b));
  if (!(found <= std::numeric_limits<double>::max())) found = std::numeric_limits<double>::infinity();
  if (found <= error) return;
  error = found;
  const std::int64_t row = index / size;
  where = name + "[" + (in_time ? "t=" + std::to_string(row / batch) + ", " : "") + "b=" + std::to_string(row % batch) +
          ", " + std::to_string(index % size) + "]";
}

Difference compare(const SequenceResult& a, const SequenceResult& b, const Interface& interface, std::int64_t batch) {
  Difference difference;
  for (std::size_t i = 0; i < a.y.size(); ++i)
    difference.consider(a.y[i], b.y[i], "y", static_cast<std::int64_t>(i), batch, interface.output_size, true);
  for (const NamedSize& state : interface.states) {
    const std::vector<float>& left = a.states.at(state.name);
    const std::vector<float>& right = b.states.at(state.name);
    for (std::size_t i = 0; i < left.size(); ++i)
      difference.consider(left[i], right[i], "final " + state.name, static_cast<std::int64_t>(i), batch, state.size,
                          false);
  }
  return difference;
}

Sequence first_part(const Sequence& sequence, std::int64_t steps, std::int64_t batch, std::int64_t input_size) {
  Sequence part{steps, batch, {}, {}, {}};
  for (std::int64_t t = 0; t < steps; ++t) {
    const auto row = sequence.x.begin() + t * sequence.batch * input_size;
    part.x.insert(part.x.end(), row, row + batch * input_size);
  }
  return part;
}

}  // namespace rnnc::tools
