// Random expressions: every function, reduction and structural op, with operands where each is well conditioned.
#include "tests/support/random_expression.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/syntax.hpp"

namespace rnnc::test {

using ir::Function;
using ir::Op;
using ir::Reduction;
using ir::Value;

static constexpr double kBound = 2;
static constexpr std::size_t kManyNodes = 250;  // from here on only leaves are drawn

// Remembers the bound of a node just appended.
Value Expressions::note(Value v, double bound) {
  bounds_.resize(graph_.nodes.size(), bound);
  return v;
}

Value Expressions::map(Function function, std::vector<Value> operands, double bound) {
  return note(graph_.map(function, std::move(operands)), bound);
}

Value Expressions::reduce(Reduction reduction, std::vector<Value> operands, double bound) {
  return note(graph_.reduce(reduction, std::move(operands)), bound);
}

Value Expressions::append(ir::Node node, double bound) { return note(graph_.append(std::move(node)), bound); }

Value Expressions::append(Op op, std::vector<Value> operands, double bound) {
  ir::Node node;
  node.op = op;
  node.operands = std::move(operands);
  return append(std::move(node), bound);
}

// The bound of a product is what random signs make likely, not what is possible.
Value Expressions::matvec(Value matrix, Value x) { return append(Op::Matvec, {matrix, x}, 2 * bound(x)); }

Value Expressions::slice(Value v, std::vector<ir::Range> ranges) {
  ir::Node node;
  node.op = Op::Slice;
  node.operands = {v};
  node.ranges = std::move(ranges);
  return append(std::move(node), bound(v));
}

Value Expressions::concat(std::vector<Value> parts) {
  double largest = 0;
  for (const Value part : parts) largest = std::max(largest, bound(part));
  return append(Op::Concat, std::move(parts), largest);
}

Value Expressions::declare(Op op, const char* prefix, std::vector<ir::Dim> dims, double bound,
                           const std::string& axis) {
  ir::Node node;
  node.op = op;
  node.name = fresh(prefix);
  node.type = {std::move(dims), axis};
  return append(std::move(node), bound);
}

Value Expressions::param(std::vector<ir::Dim> dims, float low, float high) {
  std::size_t count = 1;
  for (const ir::Dim& dim : dims) count *= static_cast<std::size_t>(dim.value());
  const char* const prefix = dims.size() == 2 ? "W" : dims.size() == 1 ? "b" : "k";
  const Value v = declare(Op::Param, prefix, std::move(dims), std::max(std::fabs(low), std::fabs(high)));
  weights[graph_[v].name] = random_.vector(count, low, high);
  return v;
}

std::int64_t Expressions::size() {
  static constexpr std::int64_t kSizes[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 37};
  return random_.pick(kSizes);
}

Value Expressions::keep(Value v) {
  pool.push_back(v);
  return v;
}

// `v` within kBound.
Value Expressions::tame(Value v) {
  if (bound(v) <= kBound) return v;
  if (random_.chance(0.6)) return squash(v);
  return map(Function::Mul, {v, constant(static_cast<float>(kBound / bound(v)))}, kBound);
}

Value Expressions::squash(Value v) {
  switch (random_.below(5)) {
    case 0: return map(Function::Sigmoid, {v}, 1);
    case 1: return map(Function::Softsign, {v}, 1);
    case 2: {
      const Value low = constant(-1);
      const Value high = constant(1);
      return map(Function::Clip, {v, low, high}, 1);
    }
    default: return map(Function::Tanh, {v}, 1);
  }
}

Value Expressions::whole_matrix(std::int64_t rows, std::int64_t columns) {
  if (random_.chance(0.3)) {
    for (const Value v : matrices_) {
      if (graph_[v].type.dims[0].value() == rows && graph_[v].type.dims[1].value() == columns) return v;
    }
  }
  const float scale = 1 / std::sqrt(static_cast<float>(columns));
  matrices_.push_back(param({rows, columns}, -scale, scale));
  return matrices_.back();
}

Value Expressions::matrix(std::int64_t rows, std::int64_t columns) {
  const std::uint64_t kind = random_.below(8);
  if (kind == 0) {
    const auto top = static_cast<std::int64_t>(random_.below(4));
    const auto left = static_cast<std::int64_t>(random_.below(4));
    const auto more = static_cast<std::int64_t>(random_.below(3));
    const Value whole = whole_matrix(top + rows + more, left + columns + more);
    if (left + more == 0) return slice(whole, {{top, top + rows}});
    return slice(whole, {{top, top + rows}, {left, left + columns}});
  }
  if (kind == 1 && rows > 1) {
    const auto upper_rows = static_cast<std::int64_t>(1 + random_.below(static_cast<std::uint64_t>(rows - 1)));
    const Value upper = matrix(upper_rows, columns);
    const Value lower = matrix(rows - upper_rows, columns);
    return concat({upper, lower});
  }
  return whole_matrix(rows, columns);
}

// Something of the pool, or a vector of a drawn size.
Value Expressions::any(int depth) {
  if (random_.chance(0.6)) {
    const Value v = random_.pick(pool);
    if (rank(v) == 1) return v;
  }
  return draw(size(), depth);
}

// A value of the pool that has this size, or something small of it.
Value Expressions::leaf(std::int64_t size) {
  std::vector<Value> fitting;
  std::vector<Value> longer;
  for (const Value v : pool) {
    if (length(v) == size) fitting.push_back(v);
    if (size != kScalar && length(v) > size) longer.push_back(v);
  }
  if (!fitting.empty() && random_.chance(0.8)) return random_.pick(fitting);
  if (!longer.empty() && random_.chance(0.5)) {
    const Value v = random_.pick(longer);
    const auto begin = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(length(v) - size + 1)));
    return slice(v, {{begin, begin + size}});
  }
  if (size == kScalar) return random_.chance(0.5) ? constant(random_.uniform(-1, 1)) : param({}, -1, 1);
  if (fitting.empty() && !inputs.empty() && random_.chance(0.7)) {
    const Value x = random_.pick(inputs);
    if (rank(x) == 1) return tame(matvec(matrix(size, length(x)), x));
  }
  return param({size}, -0.5f, 0.5f);
}

// An input or a parameter.
Value Expressions::of_no_state(std::int64_t size) {
  std::vector<Value> fitting;
  for (const Value v : inputs) {
    if (length(v) == size) fitting.push_back(v);
  }
  if (!fitting.empty()) return random_.pick(fitting);
  if (size == kScalar) return param({}, -1, 1);
  return param({size}, -1, 1);
}

// Both sides of a comparison see the same bits of it.
Value Expressions::exact(std::int64_t size) {
  if (exact_inputs) return of_no_state(size);
  if (size == kScalar) return param({}, -1, 1);
  return param({size}, -1, 1);
}

// A row that the largest of some exact values chooses.
Value Expressions::looked_up(std::int64_t size) {
  const Value x = exact(this->size());
  const Value row = reduce(Reduction::Argmax, {x}, static_cast<double>(length(x)));
  return append(Op::Lookup, {matrix(length(x), size), row}, 1);
}

Value Expressions::draw(std::int64_t size, int depth) {
  if (depth <= 0 || graph_.nodes.size() > kManyNodes) return leaf(size);
  if (random_.chance(0.55)) {
    const Function function = random_.pick(ir::kFunctions).function;
    const Value a = draw(size, depth - 1);
    const bool spread = random_.chance(0.25);
    const Value b = draw(spread ? kScalar : size, depth - 1);
    return keep(tame(apply(function, a, b)));
  }
  return keep(tame(size == kScalar ? aggregate(size, depth) : draw_vector(size, depth)));
}

Value Expressions::draw_vector(std::int64_t size, int depth) {
  switch (random_.below(13)) {
    case 12: return looked_up(size);
    case 0: return joined(size, depth);
    case 1: return cut(size, depth);
    case 2: return stacked(size, depth);
    case 3: return project(size, depth);
    case 4: return hoisted(size);
    case 5:
    case 6: return aggregate(size, depth);
    default: return products(size, depth);
  }
}

// W x + U h + ... + b, now and then with a product of a product.
Value Expressions::products(std::int64_t size, int depth) {
  Value result = leaf(size);
  const std::uint64_t count = 1 + random_.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    Value x = any(depth - 1);
    if (random_.chance(0.2)) {
      const std::int64_t between = this->size();
      x = matvec(matrix(between, length(x)), x);
    }
    const Value product = matvec(matrix(size, length(x)), x);
    result = map(Function::Add, {result, product}, bound(result) + bound(product));
  }
  return squash(result);
}

Value Expressions::project(std::int64_t size, int depth) {
  const Value x = any(depth - 1);
  std::vector<Value> operands = {x};
  std::int64_t left = size;
  while (left > 0) {
    const auto rows = static_cast<std::int64_t>(1 + random_.below(static_cast<std::uint64_t>(left)));
    operands.push_back(matrix(rows, length(x)));
    const bool scalar = random_.chance(0.3);
    operands.push_back(leaf(scalar ? kScalar : rows));
    left -= rows;
  }
  return squash(append(Op::Project, std::move(operands), 3 * kBound));
}

// Gates of one product, sliced afterwards; the ones not returned go to the pool.
Value Expressions::stacked(std::int64_t size, int depth) {
  const auto gates = static_cast<std::int64_t>(2 + random_.below(3));
  const Value x = any(depth - 1);
  Value all = matvec(matrix(gates * size, length(x)), x);
  if (random_.chance(0.5)) {
    const Value start = leaf(gates * size);
    all = map(Function::Add, {all, start}, bound(all) + bound(start));
  }
  Value last{};
  for (std::int64_t g = 0; g < gates; ++g) last = keep(squash(slice(all, {{g * size, (g + 1) * size}})));
  return last;
}

Value Expressions::joined(std::int64_t size, int depth) {
  if (size < 2) return concat({draw(size, depth - 1)});
  const auto cut = static_cast<std::int64_t>(1 + random_.below(static_cast<std::uint64_t>(size - 1)));
  const Value first = draw(cut, depth - 1);
  const Value second = draw(size - cut, depth - 1);
  return concat({first, second});
}

Value Expressions::cut(std::int64_t size, int depth) {
  const auto before = static_cast<std::int64_t>(random_.below(8));
  const auto behind = static_cast<std::int64_t>(random_.below(8));
  return slice(draw(before + size + behind, depth - 1), {{before, before + size}});
}

Value Expressions::hoisted(std::int64_t size) {
  const Value x = of_no_state(size);
  const Value v = squash(matvec(matrix(this->size(), size), x));
  const Value ahead = append(Op::Hoist, {v}, bound(v));
  return length(ahead) == size ? ahead : matvec(matrix(size, length(ahead)), ahead);
}

Value Expressions::apply(Function function, Value a, Value b) {
  const double both = bound(a) + bound(b);
  switch (function) {
    case Function::Add:
    case Function::Sub: return map(function, {a, b}, both);
    case Function::Mul: return map(function, {squash(a), b}, bound(b));
    case Function::Div: {
      const Value one = constant(1);
      const Value denominator = map(Function::Add, {map(Function::Abs, {b}, bound(b)), one}, 1 + bound(b));
      return map(function, {a, denominator}, bound(a));
    }
    case Function::Min:
    case Function::Max: return map(function, {a, b}, both);
    case Function::Select: return apply_select(a, b);
    case Function::Neg:
    case Function::Sigmoid:
    case Function::Tanh:
    case Function::Relu:
    case Function::Exp:
    case Function::Log:
    case Function::Sqrt:
    case Function::Rsqrt:
    case Function::Abs:
    case Function::Erf:
    case Function::Softplus:
    case Function::Softsign:
    case Function::Silu:
    case Function::Gelu:
    case Function::Elu:
    case Function::LeakyRelu:
    case Function::ThresholdedRelu:
    case Function::ScaledTanh:
    case Function::Affine:
    case Function::HardSigmoid:
    case Function::Clip: return apply_one(function, a);
    case Function::SigmoidMul:
    case Function::SigmoidSigmoid:
    case Function::SigmoidTanh:
    case Function::TanhTanh: break;  // the compiler writes these
  }
  return a;
}

// Functions of one vector; their further operands are constants or scalar parameters.
Value Expressions::apply_one(Function function, Value a) {
  std::vector<Value> operands = {a};
  double limit = std::max(1.0, bound(a));
  if (function == Function::Exp) {
    operands[0] = map(Function::Neg, {map(Function::Abs, {a}, bound(a))}, bound(a));
  } else if (function == Function::Log || function == Function::Sqrt || function == Function::Rsqrt) {
    const Value distance = constant(random_.uniform(0.8f, 1.5f));
    operands[0] = map(Function::Add, {map(Function::Abs, {a}, bound(a)), distance}, bound(a) + 1.5);
  } else if (function == Function::Softplus) {
    limit = bound(a) + 0.7;
  } else if (function == Function::ThresholdedRelu) {
    operands[0] = exact(length(a));  // a jump: only for operands that carry no rounding error
  }
  for (int i = 1; i < ir::facts(function).arity; ++i) {
    const bool last = function == Function::Clip && i == 2;
    const float low = function == Function::Clip ? (last ? 0.25f : -1) : 0.1f;
    const float high = function == Function::Clip ? (last ? 1 : -0.25f) : 0.9f;
    operands.push_back(random_.chance(0.7) ? constant(random_.uniform(low, high)) : param({}, low, high));
  }
  return map(function, std::move(operands), function == Function::Affine ? limit + 1 : limit);
}

// Either continuous where the comparison flips, or a comparison of exact values.
Value Expressions::apply_select(Value a, Value b) {
  const double largest = std::max(bound(a), bound(b));
  if (random_.chance(0.5)) return map(Function::Select, {a, b, a, b}, largest);
  const bool spread = random_.chance(0.3);
  const Value x = exact(spread ? kScalar : length(a));
  const Value threshold = constant(random_.uniform(-0.5f, 0.5f));
  return map(Function::Select, {x, threshold, a, b}, largest);
}

// A reduction with a result of this size.
Value Expressions::aggregate(std::int64_t size, int depth) {
  std::vector<Reduction> fitting;
  for (const ir::ReductionFacts& row : ir::kReductions) {
    if ((row.result == ir::ResultKind::Scalar) == (size == kScalar)) fitting.push_back(row.reduction);
  }
  const Reduction reduction = random_.pick(fitting);
  if (reduction == Reduction::Argmax) {  // a jump
    const Value x = exact(this->size());
    return reduce(reduction, {x}, static_cast<double>(length(x)));
  }
  const Value v = size == kScalar ? any(depth - 1) : draw(size, depth - 1);
  const bool over_time = graph_[v].type.is_sequence() && ir::find_over_time(ir::facts(reduction).name);
  if (over_time) return leaf(size);  // of a sequence it would mean another function
  switch (reduction) {
    case Reduction::Sum: {
      const Value share = constant(1 / static_cast<float>(length(v)));
      const Value total = reduce(reduction, {v}, bound(v) * static_cast<double>(length(v)));
      return map(Function::Mul, {total, share}, bound(v));
    }
    case Reduction::Mean:
    case Reduction::Argmax:
    case Reduction::Max: return reduce(reduction, {v}, bound(v));
    case Reduction::Softmax: return reduce(reduction, {v}, 1);
    case Reduction::LayerNorm: return normalized(v);
  }
  return v;
}

// A small eps divides the rounding errors of a mean by a small deviation, which raw inputs of some length do not have.
Value Expressions::normalized(Value v) {
  const std::int64_t n = length(v);
  const bool input = exact_inputs && std::find(inputs.begin(), inputs.end(), v) != inputs.end();
  const Value gamma = random_.chance(0.7) ? param({n}, 0.5f, 1) : leaf(n);
  const Value beta = random_.chance(0.7) ? param({n}, -0.5f, 0.5f) : leaf(n);
  const Value eps = constant(input && n >= 15 ? 1e-5f : 1);
  return reduce(Reduction::LayerNorm, {v, gamma, beta, eps}, 2 * bound(v) + bound(beta));
}

}  // namespace rnnc::test
