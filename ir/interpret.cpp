// Evaluates the nodes of a cell in their order. What depends on parameters alone is evaluated once for all steps;
// matrices are views of the caller's memory, except where a concat joins them.
#include "ir/interpret.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "ir/check.hpp"

namespace rnnc::ir {
namespace {

// The exponential never overflows on the side taken.
double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

// 1 + erf(z) cancels for negative z; erfc(-z) is the same number without the cancellation.
double gelu(double x) { return x / 2 * std::erfc(-x * (std::numbers::sqrt2 / 2)); }

// 0 * inf is NaN here and must stay it, which std::min and std::max would lose.
double hard_sigmoid(double linear) { return std::isnan(linear) ? linear : std::max(0.0, std::min(1.0, linear)); }

bool any_nan(const double* operands, int count) {
  return std::any_of(operands, operands + count, [](double v) { return std::isnan(v); });
}

Vector softmax(const Vector& x) {
  const double largest = evaluate(Reduction::Max, {x})[0];
  Vector y(x.size());
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += y[i] = std::exp(x[i] - largest);
  for (double& v : y) v /= sum;
  return y;
}

Vector layer_norm(const Vector& x, const Vector& gamma, const Vector& beta, double eps) {
  const double mean = evaluate(Reduction::Mean, {x})[0];
  double squares = 0;
  for (const double v : x) squares += (v - mean) * (v - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(x.size()) + eps);
  Vector y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = (x[i] - mean) / deviation * gamma[i] + beta[i];
  return y;
}

}  // namespace

double evaluate(Function function, const double* operands) {
  if (function != Function::Select && any_nan(operands, facts(function).arity)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double x = operands[0];
  switch (function) {
    case Function::Add: return x + operands[1];
    case Function::Sub: return x - operands[1];
    case Function::Mul: return x * operands[1];
    case Function::Div: return x / operands[1];
    case Function::Neg: return -x;
    case Function::Sigmoid: return sigmoid(x);
    case Function::Tanh: return std::tanh(x);
    case Function::Relu: return x < 0 ? 0 : x;
    case Function::Exp: return std::exp(x);
    case Function::Log: return std::log(x);
    case Function::Sqrt: return std::sqrt(x);
    case Function::Rsqrt: return 1 / std::sqrt(x);
    case Function::Abs: return std::fabs(x);
    case Function::Min: return std::min(x, operands[1]);
    case Function::Max: return std::max(x, operands[1]);
    case Function::Erf: return std::erf(x);
    case Function::Softplus: return softplus(x);
    case Function::Softsign: return x / (1 + std::fabs(x));
    case Function::Silu: return x * sigmoid(x);
    case Function::Gelu: return gelu(x);
    case Function::Elu: return x > 0 ? x : operands[1] * std::expm1(x);
    case Function::LeakyRelu: return x < 0 ? operands[1] * x : x;
    case Function::ThresholdedRelu: return x > operands[1] ? x : 0;
    case Function::ScaledTanh: return operands[1] * std::tanh(operands[2] * x);
    case Function::Affine: return std::fma(operands[1], x, operands[2]);
    case Function::HardSigmoid: return hard_sigmoid(std::fma(operands[1], x, operands[2]));
    case Function::Clip: return std::min(std::max(x, operands[1]), operands[2]);
    case Function::Select: return x > operands[1] ? operands[2] : operands[3];
  }
  internal_error(nullptr, "a function that is not in the table");
}

Vector evaluate(Reduction reduction, const std::vector<Vector>& operands) {
  const Vector& x = operands[0];
  switch (reduction) {
    case Reduction::Sum: {
      double sum = 0;
      for (const double v : x) sum += v;
      return {sum};
    }
    case Reduction::Mean: return {evaluate(Reduction::Sum, operands)[0] / static_cast<double>(x.size())};
    case Reduction::Max: {
      double largest = -std::numeric_limits<double>::infinity();
      for (const double v : x) largest = std::isnan(v) || v > largest ? v : largest;  // once NaN, no v is greater
      return {largest};
    }
    case Reduction::Softmax: return softmax(x);
    case Reduction::LayerNorm: return layer_norm(x, operands[1], operands[2], operands[3][0]);
  }
  internal_error(nullptr, "a reduction that is not in the table");
}

namespace {

std::int64_t extent(const Type& type, std::size_t dim) { return dim < type.rank() ? type.dims[dim].value() : 1; }
std::int64_t elements(const Type& type) { return extent(type, 0) * extent(type, 1); }

constexpr int kMostOperands = [] {
  int most = 0;
  for (const FunctionFacts& row : kFunctions) most = std::max(most, row.arity);
  return most;
}();

// A matrix in somebody's memory; a vector has one column and stride 1, a scalar one element.
struct View {
  const double* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;

  double spread(std::int64_t i) const { return data[rows == 1 ? 0 : i]; }
  Vector to_vector() const { return Vector(data, data + rows); }
};

class Interpreter {
 public:
  Interpreter(const Cell& cell, const NamedVectors& params);

  /// Where the input or state `leaf` is read from in the steps to come.
  void bind(std::size_t leaf, const double* data) { views_[leaf].data = data; }
  void step();
  const View& operator[](Value value) const { return views_[value.index]; }

 private:
  void evaluate_node(std::size_t index);
  void slice(const Node& node, View& result) const;
  double* concat(const Node& node, double* out) const;
  double* matvec(const View& matrix, const View& x, const View& start, double* out) const;
  void project(const Node& node, double* out) const;
  void map(const Node& node, std::int64_t count, double* out) const;
  void reduce(const Node& node, Vector& out) const;
  const View& operand(const Node& node, std::size_t i) const { return views_[node.operands[i].index]; }

  const Cell& cell_;
  std::vector<View> views_;           // by node
  std::vector<Vector> storage_;       // by node; empty where the view is of other memory
  std::vector<std::size_t> varying_;  // nodes that depend on an input or a state
};

Interpreter::Interpreter(const Cell& cell, const NamedVectors& params)
    : cell_(cell), views_(cell.nodes.size()), storage_(cell.nodes.size()) {
  std::vector<bool> varies(cell.nodes.size());
  for (std::size_t i = 0; i < cell.nodes.size(); ++i) {
    const Node& node = cell.nodes[i];
    const std::int64_t columns = extent(node.type, 1);
    views_[i] = {nullptr, extent(node.type, 0), columns, columns};
    if (node.op == Op::Param) {
      const auto found = params.find(node.name);
      RNNC_ASSERT(found != params.end(), &cell);
      RNNC_ASSERT(std::ssize(found->second) == elements(node.type), &cell);
      views_[i].data = found->second.data();
      continue;
    }
    if (node.op == Op::Input || node.op == Op::State) {
      varies[i] = true;
      continue;
    }
    varies[i] = std::any_of(node.operands.begin(), node.operands.end(), [&](Value v) { return varies[v.index]; });
    if (varies[i]) {
      varying_.push_back(i);
    } else {
      evaluate_node(i);
    }
  }
}

void Interpreter::step() {
  for (const std::size_t i : varying_) evaluate_node(i);
}

void Interpreter::evaluate_node(std::size_t index) {
  const Node& node = cell_.nodes[index];
  View& result = views_[index];
  Vector& memory = storage_[index];
  const auto store = [&]() -> double* {
    memory.resize(static_cast<std::size_t>(elements(node.type)));
    result.data = memory.data();
    return memory.data();
  };
  switch (node.op) {
    case Op::Input:
    case Op::State:
    case Op::Param: internal_error(&cell_, "a leaf has no evaluation");
    case Op::Constant: *store() = node.constant; return;
    case Op::Slice: slice(node, result); return;
    case Op::Concat: concat(node, store()); return;
    case Op::Matvec: {
      static constexpr double zero = 0;
      matvec(operand(node, 0), operand(node, 1), {&zero, 1, 1, 1}, store());
      return;
    }
    case Op::Project: project(node, store()); return;
    case Op::Map: map(node, result.rows, store()); return;
    case Op::Reduce:
      reduce(node, memory);
      result.data = memory.data();
      return;
    case Op::Hoist: result.data = operand(node, 0).data; return;
  }
}

void Interpreter::slice(const Node& node, View& result) const {
  const View& whole = operand(node, 0);
  result.stride = whole.stride;
  result.data = whole.data + node.ranges[0].begin.value() * whole.stride;
  if (node.ranges.size() == 2) result.data += node.ranges[1].begin.value();
}

double* Interpreter::concat(const Node& node, double* out) const {
  for (const Value part : node.operands) {
    const View& view = views_[part.index];
    for (std::int64_t r = 0; r < view.rows; ++r) {
      const double* row = view.data + r * view.stride;
      out = std::copy(row, row + view.columns, out);
    }
  }
  return out;
}

double* Interpreter::matvec(const View& matrix, const View& x, const View& start, double* out) const {
  for (std::int64_t r = 0; r < matrix.rows; ++r) {
    const double* row = matrix.data + r * matrix.stride;
    double sum = start.spread(r);
    for (std::int64_t k = 0; k < matrix.columns; ++k) sum += row[k] * x.data[k];
    *out++ = sum;
  }
  return out;
}

void Interpreter::project(const Node& node, double* out) const {
  for (std::size_t i = 1; i < node.operands.size(); i += 2) {
    out = matvec(operand(node, i), operand(node, 0), operand(node, i + 1), out);
  }
}

void Interpreter::map(const Node& node, std::int64_t count, double* out) const {
  double operands[kMostOperands];
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < node.operands.size(); ++k) operands[k] = operand(node, k).spread(i);
    out[i] = evaluate(node.function, operands);
  }
}

void Interpreter::reduce(const Node& node, Vector& out) const {
  std::vector<Vector> operands;
  for (const Value value : node.operands) operands.push_back(views_[value.index].to_vector());
  out = evaluate(node.reduction, operands);
}

// Where a state's rows lie, or a sequence's inputs within a row of x.
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
  for (std::size_t i = 0; i < cell.nodes.size(); ++i) {
    const Node& node = cell.nodes[i];
    if (node.op != op) continue;
    result.push_back({i, elements(node.type), offset});
    if (op == Op::State) result.back().next = cell.next_of(node.name);
    offset += result.back().size;
  }
  return result;
}

// One sequence of the batch.
void interpret_sequence(const Cell& cell, Interpreter& interpreter, const Batch& batch, std::int64_t sequence,
                        const std::vector<Leaf>& states, Vector& y) {
  const std::vector<Leaf> inputs = leaves(cell, Op::Input);
  const std::int64_t width = inputs.empty() ? 0 : inputs.back().offset + inputs.back().size;
  const std::int64_t steps = batch.lengths.empty() ? batch.steps : batch.lengths[sequence];
  const Value output = cell.output();
  std::vector<Vector> next(states.size());
  for (const Leaf& state : states) interpreter.bind(state.node, state.data + sequence * state.size);

  for (std::int64_t t = 0; t < steps; ++t) {
    const std::int64_t row = t * batch.sequences + sequence;
    for (const Leaf& input : inputs) interpreter.bind(input.node, batch.x.data() + row * width + input.offset);
    interpreter.step();
    const View& result = interpreter[output];
    std::copy(result.data, result.data + result.rows, y.begin() + row * result.rows);
    for (std::size_t s = 0; s < states.size(); ++s) next[s] = interpreter[states[s].next].to_vector();
    for (std::size_t s = 0; s < states.size(); ++s) {
      std::copy(next[s].begin(), next[s].end(), states[s].data + sequence * states[s].size);
    }
  }
}

}  // namespace

Vector interpret(const Cell& cell, const NamedVectors& params, const Batch& batch, NamedVectors& states) {
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
  Interpreter interpreter(cell, params);
  for (std::int64_t b = 0; b < batch.sequences; ++b) interpret_sequence(cell, interpreter, batch, b, state_leaves, y);
  return y;
}

Vector interpret_step(const Cell& cell, Environment& environment) {
  Batch batch{1, 1, {}, {}};
  for (const Node& node : cell.nodes) {
    if (node.op == Op::State) RNNC_ASSERT(environment.states.contains(node.name), &cell);
    if (node.op != Op::Input) continue;
    const auto found = environment.inputs.find(node.name);
    RNNC_ASSERT(found != environment.inputs.end(), &cell);
    batch.x.insert(batch.x.end(), found->second.begin(), found->second.end());
  }
  return interpret(cell, environment.params, batch, environment.states);
}

}  // namespace rnnc::ir
