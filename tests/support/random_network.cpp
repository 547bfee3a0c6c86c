// The statements of random networks. Lifted expressions are drawn by the generator of cells' expressions, from the
// values of one time.
#include "tests/support/random_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "runtime/number_format.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/random_expression.hpp"

namespace rnnc::test {
namespace {

using ir::Function;
using ir::Op;
using ir::OverTime;
using ir::Statement;
using ir::Value;

// A cell to scan, and what it needs.
struct Scanned {
  std::shared_ptr<const ir::Cell> cell;
  ir::Cell bound;
  ir::DimValues dims;                                 // to be said in the scan
  std::map<std::string, std::vector<float>> weights;  // {}: drawn
  double bound_of_output = 4;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) { network_.name = "random_" + std::to_string(seed); }
  Subject generate();

 private:
  struct Moment {  // the values that go into one expression
    std::string axis;
    std::vector<Value> pool, inputs;
  };

  void declare_inputs();
  void statement();
  void say(Statement::Kind kind, std::string name, Value value) {
    network_.statements.push_back({kind, std::move(name), value, {}});
  }
  void maybe_say(Value value) {
    if (random_.chance(0.3)) say(Statement::Kind::Let, values_.fresh("v"), value);
  }

  Moment& moment();  // a time to go on with
  Value draw(Moment& moment, std::int64_t size, int depth);
  Value argument(Moment& moment, const ir::Type& type, bool sequence);
  std::int64_t length(const ir::Type& type) const { return type.rank() == 0 ? kScalar : type.dims[0].value(); }

  Scanned random_scanned();
  Scanned standard_scanned(const Moment& moment);
  void scan(Moment& moment);
  void begin_states(ir::Node& node, ir::Scan& scan, const Scanned& scanned);
  void read_states(Value scan);
  void draw_weights(const ir::Node& node, const Scanned& scanned);
  void over_time(Moment& moment);
  void more_outputs();

  Random random_;
  ir::Network network_;
  Expressions values_{random_, network_};
  std::vector<Moment> times_;
  Moment still_;  // vectors, one a sequence of the batch
  std::vector<Scanned> known_;
};

void Generator::declare_inputs() {
  const auto add = [&](Moment& moment, bool scalar) {
    std::vector<ir::Dim> dims;
    if (!scalar) dims.push_back(values_.size());
    const Value v = values_.declare(Op::Input, moment.axis.empty() ? "v" : "x", std::move(dims), 1, moment.axis);
    moment.pool.push_back(v);
    moment.inputs.push_back(v);
  };
  times_.push_back({std::string(ir::kTime), {}, {}});
  add(times_[0], false);
  if (random_.chance(0.4)) add(times_[0], random_.chance(0.5));
  if (random_.chance(0.25)) {
    times_.push_back({"S", {}, {}});
    add(times_[1], false);
  }
  for (std::uint64_t left = random_.below(3); left > 0; --left) add(still_, random_.chance(0.3));
}

Generator::Moment& Generator::moment() { return times_[times_.size() > 1 && random_.chance(0.4) ? 1 : 0]; }

// New values go where they belong.
Value Generator::draw(Moment& moment, std::int64_t size, int depth) {
  values_.pool = still_.pool;
  values_.inputs = still_.inputs;
  if (&moment != &still_) {
    values_.pool.insert(values_.pool.end(), moment.pool.begin(), moment.pool.end());
    values_.inputs.insert(values_.inputs.end(), moment.inputs.begin(), moment.inputs.end());
  }
  const std::size_t before = values_.pool.size();
  if (values_.pool.empty()) values_.keep(values_.param({values_.size()}, -1, 1));
  const Value v = values_.draw(size, depth);
  for (std::size_t i = before; i < values_.pool.size(); ++i)
    (network_[values_.pool[i]].type.is_sequence() ? moment : still_).pool.push_back(values_.pool[i]);
  return v;
}

// Within 1, of this type.
Value Generator::argument(Moment& moment, const ir::Type& type, bool sequence) {
  const std::int64_t size = length(type);
  std::vector<Value> fitting;
  for (const Value v : moment.pool)
    if (network_[v].type.rank() == type.rank() && (size == kScalar || network_[v].type.dims[0].value() == size))
      fitting.push_back(v);
  const bool direct = !fitting.empty() && random_.chance(0.8);
  Value v = direct ? random_.pick(fitting) : draw(moment, size, random_.chance(0.5) ? 0 : 1);
  if (sequence && !network_[v].type.is_sequence()) {
    const Value x = moment.inputs[0];
    v = values_.map(Function::Add, {v, values_.matvec(values_.matrix(size, length(network_[x].type)), x)}, 3);
  }
  return values_.bound(v) <= 1 ? v : values_.squash(v);
}

Scanned Generator::random_scanned() {
  const RandomCell random = random_cell(random_.next() >> 32, false);
  auto cell = std::make_shared<const ir::Cell>(random.cell);
  return {cell, random.cell, {}, random.weights};
}

// Cells whose recurrence contracts with the weights that they get here.
Scanned Generator::standard_scanned(const Moment& moment) {
  static constexpr std::array kNames = {"rnn",     "lstm",  "lstm_peephole", "lstm_projection", "lstm_cifg", "gru",
                                        "gru_cho", "augru", "mgu",           "ligru",           "sru",       "qrnn",
                                        "mingru",  "janet", "ugrnn",         "indrnn"};
  const std::string name = random_.pick(kNames);
  static constexpr std::array kUnbounded = {"ligru", "sru", "mingru", "indrnn"};
  const Value below = random_.pick(moment.pool);
  const bool stacked = network_[below].type.rank() == 1 && random_.chance(0.8);
  const std::int64_t units = values_.size(), inputs = stacked ? network_[below].type.dims[0].value() : values_.size();
  const Model model = standard_cell(name).value();
  Scanned scanned;
  scanned.cell = std::make_shared<const ir::Cell>(model.module().cells.front());
  scanned.bound = standard(name, inputs, units);
  const bool bounded = std::ranges::find(kUnbounded, name) == kUnbounded.end();
  scanned.bound_of_output = bounded ? 1 : 4;
  for (const std::string& dim : scanned.cell->dims)
    if (dim != "I") scanned.dims[dim] = dim == "H" ? units : (units + 1) / 2;
  return scanned;
}

void Generator::draw_weights(const ir::Node& node, const Scanned& scanned) {
  for (const std::string& prefix : ir::scan_prefixes(node)) {
    for (const auto& [name, values] : scanned.weights) values_.weights[prefix + name] = values;
    if (!scanned.weights.empty()) continue;
    for (const auto& [name, drawn] : random_weights(scanned.bound, random_.next())) {
      std::vector<float> values = drawn;
      for (float& value : values) value /= 2;
      values_.weights[prefix + name] = values;
    }
  }
}

void Generator::begin_states(ir::Node& node, ir::Scan& scan, const Scanned& scanned) {
  for (const ir::Node& state : scanned.bound.nodes) {
    if (state.op != Op::State || !random_.chance(0.3)) continue;
    const bool two = scan.direction == Direction::Bidirectional;
    const std::string part = !two ? "" : random_.chance(0.5) ? "fwd." : "bwd.";
    scan.initial.push_back(part + state.name);
    const bool constant = random_.chance(0.3);
    node.operands.push_back(constant ? values_.param(state.type.dims, -1, 1) : argument(still_, state.type, false));
  }
}

void Generator::read_states(Value scan) {
  const ir::Node node = network_[scan];
  for (const std::string& prefix : ir::scan_prefixes(node))
    for (const ir::Node& state : node.scan->cell->nodes) {
      if (state.op != Op::State || !random_.chance(0.3)) continue;
      ir::Node final_state;
      final_state.op = Op::FinalState;
      final_state.name = (prefix + state.name).substr(node.name.size() + 1);
      final_state.operands = {scan};
      still_.pool.push_back(values_.append(std::move(final_state), 2));
    }
}

void Generator::scan(Moment& moment) {
  const bool again = !known_.empty() && random_.chance(0.25);
  if (!again) known_.push_back(random_.chance(0.5) ? random_scanned() : standard_scanned(moment));
  const Scanned scanned = again ? random_.pick(known_) : known_.back();
  auto scan = std::make_shared<ir::Scan>();
  scan->cell = scanned.cell;
  scan->dims = scanned.dims;
  ir::Node node;
  node.op = Op::Scan;
  node.name = values_.fresh("a");
  const bool decoder = random_.chance(0.15);
  if (decoder) scan->steps = moment.axis;
  bool sequence = !decoder;
  for (const ir::Node& input : scanned.bound.nodes) {
    if (input.op != Op::Input) continue;
    Value v = argument(decoder ? still_ : moment, input.type, sequence);
    // A standard cell's scalar is a share, beyond which the recurrence would not contract.
    if (input.type.rank() == 0 && scanned.weights.empty()) v = values_.map(Function::Sigmoid, {v}, 1);
    node.operands.push_back(v);
    sequence = false;
  }
  scan->direction = random_.pick(
      std::array{Direction::Forward, Direction::Reverse, Direction::Bidirectional, Direction::Bidirectional});
  if (scan->direction == Direction::Bidirectional) {
    scan->merge = random_.pick(std::array{Merge::Concat, Merge::Concat, Merge::Sum, Merge::Mean, Merge::Mul});
    if (scanned.bound[scanned.bound.output()].type.rank() == 0) scan->merge = Merge::Mean;
  }
  begin_states(node, *scan, scanned);
  node.scan = std::move(scan);
  const std::string name = node.name;
  const double node_bound = scanned.bound_of_output * (node.scan->merge == Merge::Sum ? 2 : 1);
  const Value v = values_.append(std::move(node), node_bound);
  say(Statement::Kind::Let, name, v);
  draw_weights(network_[v], scanned);
  moment.pool.push_back(v);
  read_states(v);
}

void Generator::over_time(Moment& moment) {
  const Value x = random_.pick(moment.pool);
  ir::Node node;
  node.op = Op::OverTime;
  node.over_time = random_.pick(ir::kOverTimes).over_time;
  node.operands = {x};
  Value v = values_.append(std::move(node), values_.bound(x));
  if (network_[v].over_time == OverTime::Sum)
    v = values_.map(Function::Mul, {v, values_.constant(1.f / 64)}, values_.bound(x));
  (network_[v].type.is_sequence() ? moment : still_).pool.push_back(v);
  maybe_say(v);
}

void Generator::statement() {
  Moment& now = moment();
  const std::uint64_t kind = random_.below(10);
  if (kind < 5) return scan(now);
  if (kind < 7) return over_time(now);
  const std::int64_t size = random_.chance(0.15) ? kScalar : values_.size();
  maybe_say(draw(kind < 8 ? still_ : now, size, 2));
}

// Further outputs are expressions, or values that lie somewhere already.
void Generator::more_outputs() {
  for (int i = 0; i < 3 && random_.chance(0.3); ++i) {
    Moment& now = random_.chance(0.35) ? still_ : moment();
    const bool drawn = now.pool.empty() || random_.chance(0.6);
    const Value value = drawn ? draw(now, random_.chance(0.1) ? kScalar : values_.size(), 2) : random_.pick(now.pool);
    if (network_[value].type.rank() < 2) say(Statement::Kind::Output, values_.fresh("o"), value);
  }
}

Subject Generator::generate() {
  declare_inputs();
  for (std::uint64_t left = 1 + random_.below(5); left > 0; --left) statement();
  Moment& now = random_.chance(0.35) ? still_ : moment();
  const std::int64_t size = random_.chance(0.1) ? kScalar : values_.size();
  say(Statement::Kind::Output, "", draw(now, size, 2));
  more_outputs();
  ir::verify(network_).value();
  return {network_, std::move(values_.weights)};
}

}  // namespace

Subject random_network(std::uint64_t seed) { return Generator(seed).generate(); }

Subject random_subject(std::uint64_t seed) {
  if (seed % 3 == 2) return random_network(seed);
  RandomCell random = random_cell(seed);
  return {std::move(random.cell), std::move(random.weights)};
}

namespace {

// Rounding errors of a long sum are not small.
bool sums_over_time(const ir::Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const ir::Node& node) {
    return node.op == Op::OverTime && (node.over_time == OverTime::Sum || node.over_time == OverTime::Mean);
  });
}

// Tells whether a state starts with constants beyond the range of its integers, which is refused.
bool starts_beyond(const Subject& subject, WeightFormat weights) {
  const CompileOptions options{.backend = Backend::Portable, .weights = weights};
  const Result<Program> program = compile(model_of(subject), tensors_of(subject), options);
  return !program && program.error().message.find("the range that its integers were made for") != std::string::npos;
}

}  // namespace

Setting random_setting(const Subject& subject, std::uint64_t seed, std::optional<WeightFormat> weights) {
  static constexpr std::int64_t kSteps[] = {1, 1, 2, 3, 5, 7, 13, 20, 33};
  static constexpr std::int64_t kBatches[] = {1, 1, 2, 3, 5, 7, 8, 9, 13, 17};
  Random random(seed ^ 0x5e771465);
  Setting setting;
  setting.executor = random.pick(executors());
  setting.steps = random.pick(kSteps);
  setting.batch = random.pick(kBatches);
  setting.seed = random.next() >> 32;
  setting.ragged = random.chance(0.3);
  if (random.chance(0.3)) setting.threads = static_cast<int>(2 + random.below(3));
  setting.sharing = random.pick(std::array{Sharing::Auto, Sharing::Batch, Sharing::Units});
  if (random.chance(0.02) && !sums_over_time(subject.graph)) setting.steps = 1000, setting.batch = 1;
  if (random.chance(0.25))
    setting.weights = random.pick(std::array{WeightFormat::W16, WeightFormat::W8A16, WeightFormat::W8});
  if (weights) setting.weights = *weights;
  if (runtime::is_integer(setting.weights) && starts_beyond(subject, setting.weights))
    setting.weights = WeightFormat::F32;
  setting.sparse = runtime::is_integer(setting.weights) && random.chance(0.5);
  return setting;
}

}  // namespace rnnc::test
