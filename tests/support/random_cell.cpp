// The statements of random cells: declarations, named values, next values that contract, an output.
#include "tests/support/random_cell.hpp"

#include <utility>

#include "ir/verify.hpp"
#include "tests/support/random_expression.hpp"

namespace rnnc::test {
namespace {

using ir::Function;
using ir::Op;
using ir::Statement;
using ir::Value;

class Generator {
 public:
  Generator(std::uint64_t seed, bool exact_inputs) : random_(seed) {
    cell_.name = "random_" + std::to_string(seed);
    values_.exact_inputs = exact_inputs;
  }
  RandomCell generate();

 private:
  void say(Statement::Kind kind, std::string name, Value value) {
    cell_.statements.push_back({kind, std::move(name), value, {}});
  }
  void declare_leaves();
  void early_values();
  void lets(int count);
  Value delayed(std::int64_t size);
  Value next_value(Value state);
  void output();

  Random random_;
  ir::Cell cell_;
  Expressions values_{random_, cell_};
  std::vector<Value> states_, nexts_;
};

void Generator::declare_leaves() {
  const std::uint64_t inputs = 1 + random_.below(3);
  for (std::uint64_t i = 0; i < inputs; ++i) {
    const bool scalar = i > 0 && random_.chance(0.3);
    std::vector<ir::Dim> dims;
    if (!scalar) dims.push_back(values_.size());
    values_.inputs.push_back(values_.keep(values_.declare(Op::Input, "x", std::move(dims), 1)));
  }
  const std::uint64_t states = random_.below(5);
  for (std::uint64_t i = 0; i < states; ++i) {
    std::vector<ir::Dim> dims;
    const bool same = i > 0 && random_.chance(0.5);
    if (same) {
      dims = cell_[states_.back()].type.dims;
    } else if (!random_.chance(0.2)) {
      dims.push_back(values_.size());
    }
    states_.push_back(values_.keep(values_.declare(Op::State, "s", std::move(dims), 1)));
  }
}

// Values of parameters alone, and of inputs alone.
void Generator::early_values() {
  const std::int64_t n = values_.size();
  values_.pool.clear();
  values_.keep(values_.param({n}, -1, 1));
  values_.keep(values_.param({}, -1, 1));
  if (random_.chance(0.6)) lets(1);
  const std::vector<Value> constants = std::exchange(values_.pool, values_.inputs);
  lets(static_cast<int>(random_.below(3)));
  values_.pool.insert(values_.pool.end(), constants.begin(), constants.end());
  values_.pool.insert(values_.pool.end(), states_.begin(), states_.end());
}

void Generator::lets(int count) {
  for (int i = 0; i < count; ++i) {
    const bool scalar = random_.chance(0.15);
    const std::int64_t n = scalar ? kScalar : values_.size();
    const Value v = values_.draw(n, 2);
    if (random_.chance(0.7)) say(Statement::Kind::Let, values_.fresh("v"), v);
  }
}

// Delay lines, swaps, and inputs kept for a step. The state itself always fits.
Value Generator::delayed(std::int64_t size) {
  std::vector<Value> fitting;
  for (const std::vector<Value>* values : {&states_, &nexts_, &values_.inputs}) {
    for (const Value v : *values) {
      if (values_.length(v) == size) fitting.push_back(v);
    }
  }
  return random_.pick(fitting);
}

Value Generator::next_value(Value state) {
  const std::int64_t n = values_.length(state);
  if (random_.chance(0.25)) return delayed(n);
  const float share = random_.uniform(0.25f, 0.5f);  // less than one, or errors would add up over the steps
  const Value scale = values_.constant(share);
  const Value news = values_.map(Function::Mul, {scale, values_.squash(values_.draw(n, 3))}, 0.5);
  if (random_.chance(0.1)) return news;
  if (random_.chance(0.3)) {
    const Value z = values_.map(Function::Sigmoid, {values_.draw(n, 2)}, 1);
    const Value one = values_.constant(1);
    const Value old = values_.map(Function::Mul, {z, state}, 1);
    const Value rest = values_.map(Function::Sub, {one, z}, 1);
    return values_.map(Function::Add, {old, values_.map(Function::Mul, {rest, news}, 1)}, 1);
  }
  const Value decay = values_.constant(random_.uniform(0.1f, 0.4f));
  return values_.map(Function::Add, {values_.map(Function::Mul, {decay, state}, 0.4), news}, 1);
}

void Generator::output() {
  if (!nexts_.empty() && random_.chance(0.2)) return say(Statement::Kind::Output, "", random_.pick(nexts_));
  if (random_.chance(0.05)) return say(Statement::Kind::Output, "", random_.pick(values_.pool));
  const bool scalar = random_.chance(0.1);
  const std::int64_t n = scalar ? kScalar : values_.size();
  say(Statement::Kind::Output, "", values_.draw(n, 3));
}

RandomCell Generator::generate() {
  declare_leaves();
  early_values();
  for (const Value state : states_) {
    lets(static_cast<int>(random_.below(3)));
    nexts_.push_back(values_.keep(next_value(state)));
    say(Statement::Kind::Next, cell_[state].name, nexts_.back());
  }
  lets(static_cast<int>(random_.below(3)));
  output();
  ir::verify(cell_).value();
  return {std::move(cell_), std::move(values_.weights)};
}

}  // namespace

RandomCell random_cell(std::uint64_t seed, bool exact_inputs) { return Generator(seed, exact_inputs).generate(); }

}  // namespace rnnc::test
