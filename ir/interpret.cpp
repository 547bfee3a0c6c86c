// The interpreter runs a cell over a batch of sequences, one sequence after another.
#include "ir/interpret.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "ir/check.hpp"
#include "ir/evaluator.hpp"

namespace rnnc::ir {
namespace {

// The rows of a state, or the place of an input within a row of x.
struct Leaf {
  std::size_t node;
  std::int64_t size;
  std::int64_t offset = 0;
  Value next{};            // of a state
  double* data = nullptr;  // of a state: [B, H]
};

std::vector<Leaf> leaves(const Cell& cell, Op op) {
  std::vector<Leaf> result;
  std::int64_t offset = 0;
  std::unordered_map<std::string, Value> next;
  for (const Statement& statement : cell.statements) {
    if (statement.kind == Statement::Kind::Next) next.emplace(statement.name, statement.value);
  }
  for (std::size_t i = 0; i < cell.nodes.size(); ++i) {
    const Node& node = cell.nodes[i];
    if (node.op != op) continue;
    result.push_back({i, elements(node.type), offset});
    if (op == Op::State) result.back().next = next.at(node.name);
    offset += result.back().size;
  }
  return result;
}

// Runs one sequence of the batch.
void interpret_sequence(const Cell& cell, Evaluator& evaluator, const Batch& batch, std::int64_t sequence,
                        const std::vector<Leaf>& states, Vector& y) {
  const std::vector<Leaf> inputs = leaves(cell, Op::Input);
  const std::int64_t width = inputs.empty() ? 0 : inputs.back().offset + inputs.back().size;
  const std::int64_t steps = batch.lengths.empty() ? batch.steps : batch.lengths[sequence];
  const Value output = cell.output();
  std::vector<Vector> next(states.size());
  for (const Leaf& state : states) evaluator.bind(state.node, state.data + sequence * state.size);

  for (std::int64_t t = 0; t < steps; ++t) {
    const std::int64_t row = t * batch.sequences + sequence;
    for (const Leaf& input : inputs) evaluator.bind(input.node, batch.x.data() + row * width + input.offset);
    for (const std::size_t node : evaluator.varying()) evaluator.compute(node);
    const View& result = evaluator[output];
    std::copy(result.data, result.data + result.rows, y.begin() + row * result.rows);
    for (std::size_t s = 0; s < states.size(); ++s) next[s] = evaluator[states[s].next].to_vector();
    for (std::size_t s = 0; s < states.size(); ++s) {
      std::copy(next[s].begin(), next[s].end(), states[s].data + sequence * states[s].size);
    }
  }
}

Vector run(const Cell& cell, const NamedVectors& params, const Batch& batch, NamedVectors& states, Rounding* rounding) {
  std::vector<Leaf> state_leaves = leaves(cell, Op::State);
  for (Leaf& state : state_leaves) {
    const auto size = static_cast<std::size_t>(batch.sequences * state.size);
    Vector& value = states.try_emplace(cell.nodes[state.node].name, size).first->second;
    RNNC_ASSERT(value.size() == size, &cell);
    state.data = value.data();
  }
  std::int64_t width = 0;
  for (const Leaf& input : leaves(cell, Op::Input)) width += input.size;
  RNNC_ASSERT(std::ssize(batch.x) == batch.steps * batch.sequences * width, &cell);
  RNNC_ASSERT(batch.lengths.empty() || std::ssize(batch.lengths) == batch.sequences, &cell);
  RNNC_ASSERT(std::all_of(batch.lengths.begin(), batch.lengths.end(),
                          [&](std::int64_t n) { return n >= 0 && n <= batch.steps; }),
              &cell);

  Vector y(static_cast<std::size_t>(batch.steps * batch.sequences * elements(cell[cell.output()].type)));
  Evaluator evaluator(cell, params, rounding);
  for (std::int64_t b = 0; b < batch.sequences; ++b) interpret_sequence(cell, evaluator, batch, b, state_leaves, y);
  return y;
}

}  // namespace

Vector interpret(const Cell& cell, const NamedVectors& params, const Batch& batch, NamedVectors& states) {
  return run(cell, params, batch, states, nullptr);
}

Vector interpret(const Cell& cell, const NamedVectors& params, const Batch& batch, NamedVectors& states,
                 Rounding& rounding) {
  return run(cell, params, batch, states, &rounding);
}

}  // namespace rnnc::ir
