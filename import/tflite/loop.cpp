// The operator WHILE becomes ONNX's Loop if it counts the steps of a sequence: that is how the converter writes a layer
// of Keras for which TensorFlow Lite has no operator (GRU, SimpleRNN, a cell of one's own). The reader of Loop
// (import/onnx/loop_operator.cpp) then makes a recurrence of it. A loop that does something else is refused.
#include <algorithm>

#include "import/file_error.hpp"
#include "import/refusal.hpp"
#include "import/tflite/graph.hpp"

namespace rnnc::files {
namespace {

// The field of an operator's options that has the activation.
constexpr std::size_t kOfAdd = 0, kOfConcatenation = 1;
constexpr std::size_t kMostConditions = 16, kMostVariables = 256, kMostOperators = 1 << 12;  // a GRU has 1, 6 and 22

/// Writes one loop. A variable of it is one of four: a counter of its steps, rows (a tensor in which each step writes
/// one row), a state, or a value that passes through each step as it is.
class TfliteLoop {
 public:
  TfliteLoop(TfliteGraph& graph, const TfliteOperator& op)
      : graph_(graph),
        op_(op),
        condition_(graph.graph(op.option<std::int32_t>(kCondition, 0))),
        body_(graph.graph(op.option<std::int32_t>(kBody, 0))) {}

  void write();

 private:
  enum class Kind { Passed, Counter, Rows, State };
  // A row that is written: the number of the step's, or row 0 at each step.
  enum class Row { OfStep, First };
  struct Variable {
    Kind kind = Kind::State;
    std::int32_t item = -1;  // of rows, the tensor that a step writes; of a last row, the variable that is its state
  };

  void check_graphs() const;
  bool is_counter(std::int32_t place) const;
  bool counts(std::size_t i) const;  // whether variable i does
  bool is_next(std::int32_t place) const;
  bool is_row(std::int32_t index, Row row) const;
  bool is_begin(std::int32_t place, bool next, Row row) const;
  bool is_part(std::int32_t place, std::int32_t rows, bool before, Row row) const;
  std::int32_t item_of(std::int32_t expanded) const;
  std::optional<std::int32_t> row_written(std::size_t i, Row row) const;
  std::int64_t readers(std::int32_t place) const;
  Variable variable(std::size_t i) const;
  void add_limit(const TfliteOperator* op);
  std::string count();
  void check_rows(std::size_t i) const;
  void write_recurrence();
  bool give_last_row(std::size_t i);

  [[noreturn]] void unsupported(const std::string& why) const {
    files::unsupported(graph_.file(), "operator WHILE",
                       why + "; give the Keras model (.keras or .h5) that it was made of");
  }

  TfliteGraph& graph_;
  const TfliteOperator& op_;
  const TfliteSubgraph &condition_, &body_;
  std::vector<Variable> variables_;
  std::optional<std::int64_t> steps_;   // a count that the file has
  std::int32_t limit_ = -1;             // a count that the model computes
  std::vector<std::size_t> last_rows_;  // variables of one row, which each step writes anew
};

const TfliteOperator* producer(const TfliteSubgraph& graph, std::int32_t place) {
  for (const TfliteOperator& op : graph.operators)
    if (std::ranges::find(op.outputs, place) != op.outputs.end()) return &op;
  return nullptr;
}

const TfliteTensor* tensor(const TfliteSubgraph& graph, std::int32_t place) {
  return place < 0 ? nullptr : &graph.tensors[static_cast<std::size_t>(place)];
}

std::int32_t input(const TfliteOperator& op, std::size_t i) { return i < op.inputs.size() ? op.inputs[i] : -1; }

/// Returns the whole numbers of a constant; nothing for any other tensor.
std::optional<std::vector<std::int64_t>> numbers(const TfliteSubgraph& graph, std::int32_t place,
                                                 std::string_view file) {
  const TfliteTensor* from = tensor(graph, place);
  if (from == nullptr || !from->data || !from->scales.empty() ||
      (from->type != TfliteType::I32 && from->type != TfliteType::I64))
    return std::nullopt;
  return integers_of(*from, file);
}

bool is_number(const TfliteSubgraph& graph, std::int32_t place, std::int64_t value, std::string_view file) {
  return numbers(graph, place, file) == std::vector{value};
}

/// Returns the number that a list of one, [n], was made of, or the number itself.
std::int32_t behind_list(const TfliteSubgraph& graph, std::int32_t place) {
  const TfliteOperator* from = producer(graph, place);
  const bool is_list = from != nullptr && (from->code == TfliteOp::ExpandDims || from->code == TfliteOp::Reshape);
  const TfliteTensor* number = is_list ? tensor(graph, input(*from, 0)) : nullptr;
  return number != nullptr && number->shape.empty() ? input(*from, 0) : place;
}

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

bool TfliteLoop::counts(std::size_t i) const {
  const TfliteOperator* add = producer(body_, body_.outputs[i]);
  if (add == nullptr || add->code != TfliteOp::Add || add->option<std::int8_t>(kOfAdd, 0) != 0) return false;
  const std::string_view file = graph_.file();
  const bool adds_one = (input(*add, 0) == body_.inputs[i] && is_number(body_, input(*add, 1), 1, file)) ||
                        (input(*add, 1) == body_.inputs[i] && is_number(body_, input(*add, 0), 1, file));
  return adds_one && is_number(graph_.graph(), op_.inputs[i], 0, file);
}

bool TfliteLoop::is_counter(std::int32_t place) const {
  for (std::size_t i = 0; i < body_.inputs.size(); ++i)
    if (body_.inputs[i] == place) return counts(i);
  return false;
}

// The number of the next step: a counter, and one more.
bool TfliteLoop::is_next(std::int32_t place) const {
  const TfliteOperator* add = producer(body_, place);
  if (add == nullptr || add->code != TfliteOp::Add || add->option<std::int8_t>(kOfAdd, 0) != 0) return false;
  const std::string_view file = graph_.file();
  return (is_counter(input(*add, 0)) && is_number(body_, input(*add, 1), 1, file)) ||
         (is_counter(input(*add, 1)) && is_number(body_, input(*add, 0), 1, file));
}

bool TfliteLoop::is_row(std::int32_t index, Row row) const {
  index = behind_list(body_, index);
  return row == Row::OfStep ? is_counter(index) : is_number(body_, index, 0, graph_.file());
}

// Tells whether a list is [row, 0, 0 ...], or that of the row behind it.
bool TfliteLoop::is_begin(std::int32_t place, bool next, Row row) const {
  if (const auto constant = numbers(body_, place, graph_.file())) {
    const bool zeros = !constant->empty() &&
                       std::ranges::all_of(constant->begin() + 1, constant->end(), [](auto v) { return v == 0; });
    return row == Row::First && zeros && constant->front() == (next ? 1 : 0);
  }
  const TfliteOperator* joined = producer(body_, place);
  if (joined == nullptr || (joined->code != TfliteOp::Concatenation && joined->code != TfliteOp::Pack)) return false;
  if (joined->code == TfliteOp::Concatenation && joined->option<std::int8_t>(kOfConcatenation, 0) != 0) return false;
  for (std::size_t i = 1; i < joined->inputs.size(); ++i) {
    const auto zeros = numbers(body_, joined->inputs[i], graph_.file());
    if (!zeros || std::ranges::any_of(*zeros, [](std::int64_t v) { return v != 0; })) return false;
  }
  const std::int32_t first = input(*joined, 0);
  if (!next) return is_row(first, row);
  return row == Row::OfStep ? is_next(behind_list(body_, first))
                            : is_number(body_, behind_list(body_, first), 1, graph_.file());
}

// Tells whether a tensor is all rows before the one that a step writes, or all behind it.
bool TfliteLoop::is_part(std::int32_t place, std::int32_t rows, bool before, Row row) const {
  const TfliteOperator* slice = producer(body_, place);
  if (slice == nullptr || slice->code != TfliteOp::Slice || input(*slice, 0) != rows) return false;
  const auto all = [&](std::int32_t list, std::int64_t value) {
    const auto given = numbers(body_, list, graph_.file());
    return given && std::ranges::all_of(*given, [&](std::int64_t v) { return v == value; });
  };
  if (!before) return is_begin(input(*slice, 1), true, row) && all(input(*slice, 2), -1);
  if (!all(input(*slice, 1), 0)) return false;
  const TfliteOperator* size = producer(body_, input(*slice, 2));
  if (size == nullptr || (size->code != TfliteOp::Concatenation && size->code != TfliteOp::Pack)) return false;
  for (std::size_t i = 1; i < size->inputs.size(); ++i)
    if (!all(size->inputs[i], -1)) return false;
  return is_row(input(*size, 0), row);
}

// Returns the tensor [...] that [1, ...] was made of; -1 for another.
std::int32_t TfliteLoop::item_of(std::int32_t expanded) const {
  const TfliteOperator* from = producer(body_, expanded);
  if (from == nullptr || (from->code != TfliteOp::ExpandDims && from->code != TfliteOp::Reshape)) return -1;
  const TfliteTensor *wide = tensor(body_, expanded), *item = tensor(body_, input(*from, 0));
  if (item == nullptr || wide->shape.size() != item->shape.size() + 1 || wide->shape[0] != 1 ||
      !std::equal(item->shape.begin(), item->shape.end(), wide->shape.begin() + 1))
    return -1;
  const bool is_first = from->code == TfliteOp::Reshape || is_number(body_, input(*from, 1), 0, graph_.file());
  return is_first && std::ranges::count(item->shape, -1) < 2 ? input(*from, 0) : -1;
}

// Returns what a step writes into its row of variable i. The converter writes DYNAMIC_UPDATE_SLICE, or the rows before
// it, it, and the rows behind it side by side.
std::optional<std::int32_t> TfliteLoop::row_written(std::size_t i, Row row) const {
  const std::int32_t rows = body_.inputs[i];
  const TfliteOperator* write = producer(body_, body_.outputs[i]);
  if (write == nullptr) return std::nullopt;
  std::int32_t item = -1;
  std::int64_t own_readers = 0;
  if (write->code == TfliteOp::DynamicUpdateSlice && input(*write, 0) == rows &&
      is_begin(input(*write, 2), false, row)) {
    item = item_of(input(*write, 1));
    own_readers = 1;
  } else if (write->code == TfliteOp::Concatenation && write->inputs.size() == 3 &&
             write->option<std::int8_t>(kOfConcatenation, 0) == 0 && write->option<std::int32_t>(0, 0) == 0 &&
             is_part(write->inputs[0], rows, true, row) && is_part(write->inputs[2], rows, false, row)) {
    item = item_of(write->inputs[1]);
    own_readers = 2;
  }
  if (item < 0) return std::nullopt;
  if (readers(rows) != own_readers)
    unsupported("reads " + in_quotes(tensor(body_, rows)->name) + " in its step, besides the row that it writes");
  return item;
}

std::int64_t TfliteLoop::readers(std::int32_t place) const {
  std::int64_t count = std::ranges::count(body_.outputs, place);
  for (const TfliteOperator& op : body_.operators) count += std::ranges::count(op.inputs, place);
  return count;
}

TfliteLoop::Variable TfliteLoop::variable(std::size_t i) const {
  if (body_.outputs[i] == body_.inputs[i]) return {Kind::Passed, -1};
  if (counts(i)) return {Kind::Counter, -1};
  if (const auto item = row_written(i, Row::OfStep)) return {Kind::Rows, *item};
  return {};
}

// Reads `counter < limit`.
void TfliteLoop::add_limit(const TfliteOperator* op) {
  const bool less = op != nullptr && op->code == TfliteOp::Less,
             greater = op != nullptr && op->code == TfliteOp::Greater;
  const auto variable_at = [&](std::size_t i) {
    return std::ranges::find(condition_.inputs, input(*op, i)) - condition_.inputs.begin();
  };
  const std::size_t counter = less ? 0 : 1;
  const auto is_at_end = [&](std::ptrdiff_t at) { return at == std::ssize(condition_.inputs); };
  if ((!less && !greater) || is_at_end(variable_at(counter)) || !counts(static_cast<std::size_t>(variable_at(counter))))
    unsupported("ends by a condition other than a count of its steps, by ones from 0");
  std::optional<std::vector<std::int64_t>> given = numbers(condition_, input(*op, 1 - counter), graph_.file());
  if (!given) {
    const std::ptrdiff_t at = variable_at(1 - counter);
    if (is_at_end(at) || variables_[static_cast<std::size_t>(at)].kind != Kind::Passed)
      unsupported("ends by a count that changes from step to step");
    const std::int32_t outside = op_.inputs[static_cast<std::size_t>(at)];
    given = numbers(graph_.graph(), outside, graph_.file());
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
    const TfliteOperator* op = producer(condition_, open[at]);
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
  const TfliteSubgraph& around = graph_.graph();
  const TfliteTensor& rows = graph_.tensor(op_.inputs[i]);
  if (steps_ && !rows.shape.empty() && rows.shape[0] == *steps_) return;
  const TfliteOperator* filled = producer(around, op_.inputs[i]);
  const TfliteOperator* dims =
      filled != nullptr && filled->code == TfliteOp::Fill ? producer(around, input(*filled, 0)) : nullptr;
  const bool joins = dims != nullptr && (dims->code == TfliteOp::Concatenation || dims->code == TfliteOp::Pack);
  if (!joins || limit_ < 0 || behind_list(around, input(*dims, 0)) != behind_list(around, limit_))
    unsupported("has in " + in_quotes(rows.name) + " another number of rows than steps");
}

// A variable of one row that each step writes anew, and none reads, has at the end the last row: a state with one dim
// more.
bool TfliteLoop::give_last_row(std::size_t i) {
  const std::vector<std::int64_t>& shape = graph_.tensor(op_.inputs[i]).shape;
  if (shape.empty() || shape[0] != 1) return false;
  std::int32_t item = -1;
  if (readers(body_.inputs[i]) == 0)
    item = item_of(body_.outputs[i]);
  else if (const auto written = row_written(i, Row::First))
    item = *written;
  for (std::size_t k = 0; item >= 0 && k < variables_.size(); ++k) {
    if (k == i || variables_[k].kind != Kind::State || body_.outputs[k] != item) continue;
    variables_[i].item = static_cast<std::int32_t>(k);
    last_rows_.push_back(i);
    return true;
  }
  return false;
}

void TfliteLoop::write() {
  if (!graph_.is_main()) unsupported("is within another loop");
  check_graphs();
  for (std::size_t i = 0; i < op_.inputs.size(); ++i) variables_.push_back(variable(i));
  write_recurrence();
}

void TfliteLoop::write_recurrence() {
  const std::string steps = count();
  std::vector<std::size_t> states, rows;
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    if (variables_[i].kind == Kind::State && !give_last_row(i)) states.push_back(i);
    if (variables_[i].kind == Kind::Rows) check_rows(i), rows.push_back(i);
  }
  OnnxGraph body;
  const std::string number = graph_.fresh(), goes_on = graph_.fresh();
  body.inputs = {number, goes_on};
  std::vector<std::string> inputs = {steps, ""};
  std::map<std::int32_t, std::string> names;
  std::vector<std::int32_t> wanted;
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    if (variables_[i].kind == Kind::Counter) names[body_.inputs[i]] = number;
    if (variables_[i].kind == Kind::Passed) names[body_.inputs[i]] = graph_.value(op_.inputs[i]);
  }
  for (const std::size_t i : states) {
    inputs.push_back(graph_.value(op_.inputs[i]));
    body.inputs.push_back(names[body_.inputs[i]] = "state " + std::to_string(body.inputs.size() - 2));
    wanted.push_back(body_.outputs[i]);
  }
  for (const std::size_t i : rows) wanted.push_back(variables_[i].item);
  OnnxGraph written = graph_.write_body(op_.option<std::int32_t>(kBody, 0), names, wanted);
  body.nodes = std::move(written.nodes);
  body.outputs = {goes_on};
  for (const std::int32_t place : wanted) body.outputs.push_back(names.at(place));
  const std::vector<std::string> outputs =
      graph_.nodes("Loop", inputs, wanted.size(), NodeAttributes().graph("body", std::move(body)));
  std::size_t at = 0;
  std::map<std::size_t, std::string> finals;
  for (const std::size_t i : states) graph_.set(op_.outputs[i], finals[i] = outputs[at++]);
  for (const std::size_t i : rows) graph_.set(op_.outputs[i], outputs[at++]);
  for (const std::size_t i : last_rows_) {
    const auto state = finals.find(static_cast<std::size_t>(variables_[i].item));
    if (state == finals.end()) unsupported("keeps the last row of a last row");
    graph_.set(op_.outputs[i], graph_.node("Unsqueeze", {state->second, graph_.integers({1}, {0})}));
  }
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    if (variables_[i].kind == Kind::Counter) graph_.set(op_.outputs[i], steps);
    if (variables_[i].kind == Kind::Passed) graph_.set(op_.outputs[i], graph_.value(op_.inputs[i]));
  }
}

}  // namespace

bool TfliteWriter::write_loop() {
  if (op_.code != TfliteOp::While) return false;
  TfliteLoop(graph_, op_).write();
  return true;
}

}  // namespace rnnc::files
