// The operator WHILE becomes ONNX's Loop if it counts the steps of a sequence: that is how the converter writes a layer
// of Keras for which TensorFlow Lite has no operator (GRU, SimpleRNN, a cell of one's own). The reader of Loop
// (import/onnx/loop_operator.cpp) then makes a recurrence of it. A loop that does something else is refused.
#include <algorithm>
#include <limits>

#include "import/file_error.hpp"
#include "import/refusal.hpp"
#include "import/tflite/loop_body.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kMostConditions = 16, kMostVariables = 256, kMostOperators = 1 << 12;  // a GRU has 1, 6 and 22

/// Writes one loop. A variable of it is one of five: a counter of its steps, rows (a tensor or list in which each step
/// writes one row), the last of such rows, a state, or a value that passes through each step as it is.
class TfliteLoop {
 public:
  TfliteLoop(TfliteGraph& graph, const TfliteOperator& op)
      : graph_(graph),
        op_(op),
        condition_(graph.graph(op.option<std::int32_t>(kCondition, 0))),
        body_(graph.graph(op.option<std::int32_t>(kBody, 0))),
        step_(graph.graph(), op, body_, graph.file()) {}

  void write();

 private:
  enum class Kind { Passed, Counter, Rows, LastRow, State };
  using Row = TfliteLoopBody::Row;
  struct Variable {
    Kind kind = Kind::State;
    std::int32_t item = -1;  // of rows, the tensor that a step writes
  };

  void check_graphs() const;
  std::optional<std::int64_t> rows_of(std::size_t i) const;
  std::int32_t last_row(std::size_t i) const;
  Variable variable(std::size_t i) const;
  void add_limit(const TfliteOperator* op);
  std::string count();
  void check_rows(std::size_t i) const;
  void write_recurrence();

  [[noreturn]] void unsupported(const std::string& why) const { refuse_loop(graph_.file(), why); }

  TfliteGraph& graph_;
  const TfliteOperator& op_;
  const TfliteSubgraph &condition_, &body_;
  const TfliteLoopBody step_;
  std::vector<Variable> variables_;
  std::optional<std::int64_t> steps_;  // a count that the file has
  std::int32_t limit_ = -1;            // a count that the model computes
};

void TfliteLoop::check_graphs() const {
  const std::size_t count = op_.inputs.size();
  const auto has_all = [&](const std::vector<std::int32_t>& places) {
    return places.size() == count && std::ranges::find(places, -1) == places.end();
  };
  if (condition_.outputs.size() != 1 || !has_all(condition_.inputs) || !has_all(body_.inputs) ||
      !has_all(body_.outputs) || op_.outputs.size() != count || std::ranges::find(op_.inputs, -1) != op_.inputs.end())
    invalid(graph_.file(), "operator WHILE",
            "its graphs have other inputs or outputs than itself; convert the model again");
  if (count > kMostVariables || body_.operators.size() > kMostOperators || condition_.operators.size() > kMostOperators)
    refuse(ErrorCode::Limit, graph_.file(), "operator WHILE", "has more operators and variables than can be read");
}

// Returns the number of rows that variable i begins with; nothing where the file does not say it.
std::optional<std::int64_t> TfliteLoop::rows_of(std::size_t i) const {
  const TfliteSubgraph& around = graph_.graph();
  const TfliteOperator* made = producer_of(around, op_.inputs[i]);
  if (is_list_operator(made, "TensorListReserve")) {
    const auto count = numbers_of(around, input_of(*made, 1), graph_.file());
    return count && count->size() == 1 ? std::optional(count->front()) : std::nullopt;
  }
  const std::vector<std::int64_t>& shape = graph_.tensor(op_.inputs[i]).shape;
  return shape.empty() || shape[0] < 0 ? std::nullopt : std::optional(shape[0]);
}

// A variable of one row that each step writes anew, and none reads, has at the end the last row. Returns what a step
// writes there; -1 of another variable.
std::int32_t TfliteLoop::last_row(std::size_t i) const {
  if (rows_of(i) != 1) return -1;
  if (step_.readers(body_.inputs[i]) == 0) return step_.item_of(body_.outputs[i]);
  return step_.row_written(i, Row::First).value_or(-1);
}

TfliteLoop::Variable TfliteLoop::variable(std::size_t i) const {
  if (body_.outputs[i] == body_.inputs[i]) return {Kind::Passed, -1};
  if (step_.counts(i)) return {Kind::Counter, -1};
  if (const auto item = step_.row_written(i, Row::OfStep)) return {Kind::Rows, *item};
  if (const std::int32_t item = last_row(i); item >= 0) return {Kind::LastRow, item};
  if (graph_.tensor(op_.inputs[i]).type == TfliteType::Variant)
    unsupported("does more with its list " + in_quotes(graph_.tensor(op_.inputs[i]).name) +
                " than write the row of its step");
  return {};
}

// Reads `counter < limit`.
void TfliteLoop::add_limit(const TfliteOperator* op) {
  const bool less = op != nullptr && op->code == TfliteOp::Less,
             greater = op != nullptr && op->code == TfliteOp::Greater;
  const auto variable_at = [&](std::size_t i) {
    return std::ranges::find(condition_.inputs, input_of(*op, i)) - condition_.inputs.begin();
  };
  const std::size_t counter = less ? 0 : 1;
  const auto is_at_end = [&](std::ptrdiff_t at) { return at == std::ssize(condition_.inputs); };
  if ((!less && !greater) || is_at_end(variable_at(counter)) ||
      !step_.counts(static_cast<std::size_t>(variable_at(counter))))
    unsupported("ends by a condition other than a count of its steps, by ones from 0");
  std::optional<std::vector<std::int64_t>> given = numbers_of(condition_, input_of(*op, 1 - counter), graph_.file());
  if (!given) {
    const std::ptrdiff_t at = variable_at(1 - counter);
    if (is_at_end(at) || variables_[static_cast<std::size_t>(at)].kind != Kind::Passed)
      unsupported("ends by a count that changes from step to step");
    const std::int32_t outside = op_.inputs[static_cast<std::size_t>(at)];
    given = numbers_of(graph_.graph(), outside, graph_.file());
    if (!given && limit_ >= 0 && limit_ != outside) unsupported("ends by the first of two counts");
    if (!given) limit_ = outside;
  }
  if (!given) return;
  if (given->size() != 1) unsupported("ends by a count that is no number");
  steps_ = steps_ ? std::min(*steps_, given->front()) : given->front();
}

// Returns the name of the number of steps. The condition is one comparison, or several with `and` between.
std::string TfliteLoop::count() {
  std::vector<std::int32_t> open = {condition_.outputs[0]};
  for (std::size_t at = 0; at < open.size() && at < kMostConditions; ++at) {
    const TfliteOperator* op = producer_of(condition_, open[at]);
    if (op != nullptr && op->code == TfliteOp::LogicalAnd)
      open.insert(open.end(), op->inputs.begin(), op->inputs.end());
    else
      add_limit(op);
  }
  if (open.size() > kMostConditions) unsupported("ends by a condition other than a count of its steps, by ones from 0");
  if (steps_ && limit_ >= 0) unsupported("ends by the first of two counts");
  return steps_ ? graph_.integers({}, {*steps_}) : graph_.value(limit_);
}

// Every row is written if there are as many as steps; what the rows began with is then not there any more.
void TfliteLoop::check_rows(std::size_t i) const {
  if (steps_ && rows_of(i) == steps_) return;
  const TfliteSubgraph& around = graph_.graph();
  const TfliteOperator* made = producer_of(around, op_.inputs[i]);
  std::int32_t count = -1;
  if (is_list_operator(made, "TensorListReserve")) count = input_of(*made, 1);
  if (made != nullptr && made->code == TfliteOp::Fill) {
    const TfliteOperator* dims = producer_of(around, input_of(*made, 0));
    const bool joins = dims != nullptr && (dims->code == TfliteOp::Concatenation || dims->code == TfliteOp::Pack);
    if (joins) count = input_of(*dims, 0);
  }
  if (count < 0 || limit_ < 0 || behind_list(around, count) != behind_list(around, limit_))
    unsupported("has in " + in_quotes(graph_.tensor(op_.inputs[i]).name) + " another number of rows than steps");
}

void TfliteLoop::write() {
  if (!graph_.is_main()) unsupported("is within another loop");
  check_graphs();
  for (std::size_t i = 0; i < op_.inputs.size(); ++i) variables_.push_back(variable(i));
  write_recurrence();
}

void TfliteLoop::write_recurrence() {
  const std::string steps = count();
  OnnxGraph body;
  const std::string number = graph_.fresh(), goes_on = graph_.fresh();
  body.inputs = {number, goes_on};
  std::vector<std::string> inputs = {steps, ""};
  std::map<std::int32_t, std::string> names;
  std::vector<std::int32_t> wanted;
  std::map<std::int32_t, std::size_t> states;  // by the tensor that is the new value, its place among the outputs
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    if (variables_[i].kind == Kind::Counter) names[body_.inputs[i]] = number;
    if (variables_[i].kind == Kind::Passed) names[body_.inputs[i]] = graph_.value(op_.inputs[i]);
    if (variables_[i].kind != Kind::State) continue;
    inputs.push_back(graph_.value(op_.inputs[i]));
    body.inputs.push_back(names[body_.inputs[i]] = "state " + std::to_string(body.inputs.size() - 2));
    states.emplace(body_.outputs[i], wanted.size());
    wanted.push_back(body_.outputs[i]);
  }
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const auto [kind, item] = variables_[i];
    if (kind == Kind::Rows) check_rows(i);
    if (kind == Kind::Rows || (kind == Kind::LastRow && !states.contains(item))) wanted.push_back(item);
  }
  OnnxGraph written = graph_.write_body(op_.option<std::int32_t>(kBody, 0), names, wanted);
  body.nodes = std::move(written.nodes);
  body.outputs = {goes_on};
  for (const std::int32_t place : wanted) body.outputs.push_back(names.at(place));
  const std::vector<std::string> outputs =
      graph_.nodes("Loop", inputs, wanted.size(), NodeAttributes().graph("body", std::move(body)));
  std::size_t state = 0, rows = static_cast<std::size_t>(std::ranges::count(variables_, Kind::State, &Variable::kind));
  const std::string first = graph_.integers({1}, {0});
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const auto [kind, item] = variables_[i];
    const std::int32_t to = op_.outputs[i];
    if (kind == Kind::Counter) graph_.set(to, steps);
    if (kind == Kind::Passed) graph_.set(to, graph_.value(op_.inputs[i]));
    if (kind == Kind::State) graph_.set(to, outputs[state++]);
    if (kind == Kind::Rows) graph_.set(to, outputs[rows++]);
    if (kind != Kind::LastRow) continue;
    if (const auto same = states.find(item); same != states.end())
      graph_.set(to, graph_.node("Unsqueeze", {outputs[same->second], first}));
    else
      graph_.set(to, graph_.node("Slice", {outputs[rows++], graph_.integers({1}, {-1}),
                                           graph_.integers({1}, {std::numeric_limits<std::int64_t>::max()}), first}));
  }
}

}  // namespace

bool TfliteWriter::write_loop() {
  if (op_.code != TfliteOp::While) return false;
  TfliteLoop(graph_, op_).write();
  return true;
}

}  // namespace rnnc::files
