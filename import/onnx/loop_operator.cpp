// The operator Loop is a recurrence if it runs once for each step of a sequence, without an end of its own, and reads
// the sequence at its own step: it becomes a Scan. PyTorch writes it for a loop of a scripted module, which puts the
// outputs of the steps into a list and stacks them behind the loop. A loop that reads its sequence from the end is a
// Scan that goes backwards.
#include <algorithm>
#include <cstdlib>
#include <ranges>

#include "import/file_error.hpp"
#include "import/onnx/glue.hpp"
#include "import/onnx/reader.hpp"

namespace rnnc::files {

constexpr int kMostDepth = 8;  // of what computes the number of a step

namespace {

// Tells whether a graph within a node reads a name.
bool reads_within(const OnnxNode& node, const std::string& name) {
  for (const auto& [key, attribute] : node.attributes) {
    if (!attribute.graph) continue;
    if (std::ranges::find(attribute.graph->outputs, name) != attribute.graph->outputs.end()) return true;
    for (const OnnxNode& inner : attribute.graph->nodes)
      if (std::ranges::find(inner.inputs, name) != inner.inputs.end() || reads_within(inner, name)) return true;
  }
  return false;
}

}  // namespace

/// Reads one node.
class GraphReader::LoopOperator {
 public:
  LoopOperator(GraphReader& outer, const OnnxNode& node) : outer_(outer), node_(node), attributes_(node, outer.file_) {}

  void read();

 private:
  // A whole number of the body: `steps` times the number of the step, and `from`.
  struct Place {
    Count from;
    int steps = 0;
  };

  // A value to whose end each step adds an item, or a row along an axis; behind `first` if that is no "".
  struct Grown {
    std::string output, first, inside;
    const OnnxNode* adds = nullptr;
    std::size_t axis = 0;
    bool is_list = false;
  };

  const OnnxNode* producer(const std::string& name) const;
  std::string behind_identities(std::string name) const;
  bool is_true(const std::string& name) const;
  void check_runs_through() const;
  void check_count() const;
  void take_carried();
  void add_state(const std::string& from, const std::string& inside, const std::string& to, const std::string& final);
  void add_history(const Grown& grown);
  std::optional<std::int64_t> rows_of(const std::string& name, std::size_t axis) const;
  std::optional<std::size_t> grows_along(const std::string& from, const std::string& inside,
                                         const OnnxNode* adds) const;
  bool is_history(const std::string& inside) const {
    return std::ranges::find(histories_, inside, &Grown::inside) != histories_.end();
  }
  bool reads_last(const std::string& inside, const OnnxNode& adds, std::size_t axis, bool has_first) const;
  void add_node(const OnnxNode& node);
  void finish_histories();
  std::optional<Place> place(const std::string& name, int depth = 0) const;
  void take_sequences();
  void leave_unread_out();
  void check_number_is_not_used() const;

  GraphReader& outer_;
  const OnnxNode& node_;
  OnnxAttributes attributes_;
  const OnnxGraph* body_ = nullptr;
  std::size_t carried_ = 0;
  OnnxNode scan_;
  OnnxGraph step_;
  std::vector<std::string> stacked_inside_, stacked_;  // what a step gives, and its name behind the loop
  std::vector<std::string> sequences_;
  std::vector<std::int64_t> axes_, directions_;
  std::vector<const OnnxNode*> left_out_;
  std::vector<Grown> histories_;
};

const OnnxNode* GraphReader::LoopOperator::producer(const std::string& name) const {
  for (const OnnxNode& one : body_->nodes)
    if (std::ranges::find(one.outputs, name) != one.outputs.end()) return &one;
  return nullptr;
}

std::string GraphReader::LoopOperator::behind_identities(std::string name) const {
  for (const OnnxNode* from = producer(name); from != nullptr && from->op == "Identity"; from = producer(name))
    name = from->input(0);
  return name;
}

bool GraphReader::LoopOperator::is_true(const std::string& name) const {
  if (const OnnxNode* from = producer(name)) {
    if (from->op != "Constant") return false;
    OnnxAttributes attributes(*from, outer_.file_);
    const OnnxAttribute* value = attributes.tensor("value");
    return value != nullptr &&
           OnnxConstants::integers_of(outer_.constants_.parse(value->tensor)) == std::vector<std::int64_t>{1};
  }
  return outer_.constants_.integers(name) == std::vector<std::int64_t>{1};
}

void GraphReader::LoopOperator::check_runs_through() const {
  const std::string condition = behind_identities(body_->outputs[0]);
  const bool begins = node_.input(1).empty() || is_true(node_.input(1));
  if (!begins || (condition != body_->inputs[1] && !is_true(condition)))
    attributes_.unsupported("ends by a condition; a network runs through all steps of its sequences");
}

// The trip count is the number of steps, or the one number of steps that the file has.
void GraphReader::LoopOperator::check_count() const {
  const auto count = outer_.counts_.find(node_.input(0));
  const Atom& time = outer_.scope_.time;
  const bool is_known = count && count->numbers.size() == 1;
  const bool is_time = is_known && count->numbers[0] == Count::of(Axis{{time}});
  const bool is_fixed = is_known && time.size > 0 && count->numbers[0].number() == time.size;
  if (!is_time && !is_fixed) attributes_.unsupported("does not run once for each step of a sequence");
}

// A carried value to whose end each step adds something is a history: a stack of these, behind what it began with. A
// step may also read its last item, which is then a state.
void GraphReader::LoopOperator::take_carried() {
  for (std::size_t i = 0; i < carried_; ++i) {
    const std::string &from = node_.inputs[2 + i], &inside = body_->inputs[2 + i], &to = body_->outputs[1 + i];
    const OnnxNode* adds = producer(to);
    const auto list = outer_.lists_.find(from);
    if (list != outer_.lists_.end()) {
      const bool at_end =
          adds != nullptr && adds->op == "SequenceInsert" && adds->input(0) == inside && adds->input(2).empty();
      if (!at_end || !list->second.stack.empty() || !reads_last(inside, *adds, 0, !list->second.first.empty()))
        attributes_.unsupported("does more with its list " + in_quotes(inside) +
                                " than add to it and read its last item");
      add_history({node_.output(i), list->second.first, inside, adds, 0, true});
    } else if (const auto axis = grows_along(from, inside, adds)) {
      add_history({node_.output(i), rows_of(from, *axis) == 1 ? from : "", inside, adds, *axis, false});
    } else {
      add_state(from, inside, to, node_.output(i));
    }
  }
  for (std::size_t i = 1 + carried_; i < body_->outputs.size(); ++i) {
    stacked_inside_.push_back(body_->outputs[i]);
    stacked_.push_back(node_.output(i - 1));
  }
}

void GraphReader::LoopOperator::add_state(const std::string& from, const std::string& inside, const std::string& to,
                                          const std::string& final) {
  scan_.inputs.push_back(from);
  step_.inputs.push_back(inside);
  step_.outputs.push_back(to);
  scan_.outputs.push_back(final);
}

void GraphReader::LoopOperator::add_history(const Grown& grown) {
  const std::string &added = grown.adds->input(1), base = grown.output.empty() ? grown.inside : grown.output;
  left_out_.push_back(grown.adds);
  stacked_inside_.push_back(added);
  stacked_.push_back(base + " stacked");
  const bool is_read = std::ranges::any_of(body_->nodes, [&](const OnnxNode& one) {
    return &one != grown.adds && std::ranges::find(one.inputs, grown.inside) != one.inputs.end();
  });
  if (is_read || !grown.first.empty()) add_state(grown.first, grown.inside, added, base + " last");
  histories_.push_back(grown);
}

// Returns the number of rows that a tensor has along an axis; nullopt if it has no such axis of a number.
std::optional<std::int64_t> GraphReader::LoopOperator::rows_of(const std::string& name, std::size_t axis) const {
  if (const auto none = outer_.empty_.find(name); none != outer_.empty_.end())
    return axis == none->second.axis ? std::optional<std::int64_t>(0) : std::nullopt;
  if (const OnnxValue* value = outer_.find(name))
    return axis < value->axes.size() && value->axes[axis].is_number() ? std::optional(value->axes[axis].fixed())
                                                                      : std::nullopt;
  const TensorView* tensor = outer_.constants_.find(name);
  return tensor != nullptr && axis < tensor->shape.size() ? std::optional(tensor->shape[axis]) : std::nullopt;
}

// Returns the axis along which a step adds to a tensor that begins with no row or one; nullopt for another state.
std::optional<std::size_t> GraphReader::LoopOperator::grows_along(const std::string& from, const std::string& inside,
                                                                  const OnnxNode* adds) const {
  if (adds == nullptr || adds->op != "Concat" || adds->inputs.size() != 2 || adds->input(0) != inside)
    return std::nullopt;
  const OnnxValue* value = outer_.find(from);
  const TensorView* tensor = outer_.constants_.find(from);
  const auto none = outer_.empty_.find(from);
  if (value == nullptr && tensor == nullptr && none == outer_.empty_.end()) return std::nullopt;
  const std::size_t rank = none != outer_.empty_.end() ? none->second.rank
                           : value                     ? value->axes.size()
                                                       : tensor->shape.size();
  OnnxAttributes concat(*adds, outer_.file_);
  const std::size_t axis = onnx_axis(concat, concat.integer("axis").value_or(0), rank);
  const auto rows = rows_of(from, axis);
  if (!rows || *rows > 1) return std::nullopt;
  if (!reads_last(inside, *adds, axis, *rows == 1))
    attributes_.unsupported("does more with its rows " + in_quotes(inside) + " than add to them and read the last one");
  return axis;
}

// Tells whether a step does no more with a history than add to it and read its last item. Behind one that a history
// began with, this is also the item of the number of the step.
bool GraphReader::LoopOperator::reads_last(const std::string& inside, const OnnxNode& adds, std::size_t axis,
                                           bool has_first) const {
  const auto is_last = [&](const std::string& name) {
    if (behind_identities(name) == body_->inputs[0]) return true;
    const auto at = place(name);
    return at && at->steps == 0 && at->from == Count(-1);
  };
  for (const OnnxNode& one : body_->nodes) {
    const auto uses = std::ranges::count(one.inputs, inside);
    if (reads_within(one, inside)) return false;
    if (uses == 0 || &one == &adds) {
      if (uses > 1) return false;
      continue;
    }
    if (uses > 1 || one.input(0) != inside || !has_first || !is_last(one.input(1))) return false;
    if (one.op == "SequenceAt") continue;
    OnnxAttributes gather(one, outer_.file_);
    if (one.op != "Gather" || gather.integer("axis").value_or(0) != static_cast<std::int64_t>(axis)) return false;
  }
  return std::ranges::count(body_->outputs, inside) == 0;
}

// Returns nullopt for what is no such number.
std::optional<GraphReader::LoopOperator::Place> GraphReader::LoopOperator::place(const std::string& given,
                                                                                 int depth) const {
  const std::string name = behind_identities(given);
  if (name == body_->inputs[0]) return Place{{}, 1};
  const OnnxNode* from = producer(name);
  if (from == nullptr) {
    const auto counts = outer_.counts_.find(name);
    return counts && counts->numbers.size() == 1 ? std::optional(Place{counts->numbers[0], 0}) : std::nullopt;
  }
  if (from->op == "Constant") {
    OnnxAttributes attributes(*from, outer_.file_);
    const OnnxAttribute* value = attributes.tensor("value");
    if (value == nullptr) return std::nullopt;
    const std::vector<std::int64_t> numbers = OnnxConstants::integers_of(outer_.constants_.parse(value->tensor));
    return numbers.size() == 1 ? std::optional(Place{numbers[0], 0}) : std::nullopt;
  }
  const bool adds = from->op == "Add", subtracts = from->op == "Sub";
  if ((!adds && !subtracts) || depth == kMostDepth) return std::nullopt;
  const auto a = place(from->input(0), depth + 1), b = place(from->input(1), depth + 1);
  if (!a || !b || std::abs(a->steps) > 1 || std::abs(b->steps) > 1) return std::nullopt;
  return adds ? Place{a->from + b->from, a->steps + b->steps} : Place{a->from - b->from, a->steps - b->steps};
}

// A Gather with the number of the step takes this step of a sequence, and one with the number from the end, count - 1 -
// i or -1 - i, makes the loop go backwards.
void GraphReader::LoopOperator::take_sequences() {
  const Count count = outer_.counts_.find(node_.input(0))->numbers[0];
  for (const OnnxNode& one : body_->nodes) {
    const bool is_item = one.op == "SequenceAt";
    if ((one.op != "Gather" && !is_item) || is_history(one.input(0))) continue;
    const auto at = place(one.input(1));
    if (!at || at->steps == 0) continue;
    const bool backwards = at->steps == -1 && (at->from == count - 1 || at->from == Count(-1));
    if (!backwards && (at->steps != 1 || at->from != Count(0)))
      attributes_.unsupported("takes another step of " + in_quotes(one.input(0)) +
                              " than its own or, from the end, count - 1 - i; slice the sequence before the loop");
    const auto list = outer_.lists_.find(one.input(0));
    const bool is_known = is_item == (list != outer_.lists_.end() && list->second.first.empty());
    const std::string name = is_item && is_known ? list->second.stack : one.input(0);
    const OnnxValue* sequence = is_known ? outer_.find(name) : nullptr;
    if (sequence == nullptr)
      attributes_.unsupported("takes steps of " + in_quotes(one.input(0)) + ", which is no sequence");
    OnnxAttributes gather(one, outer_.file_);
    axes_.push_back(
        static_cast<std::int64_t>(onnx_axis(gather, gather.integer("axis").value_or(0), sequence->axes.size())));
    directions_.push_back(backwards);
    sequences_.push_back(name);
    step_.inputs.push_back(one.output(0));
    left_out_.push_back(&one);
  }
  if (sequences_.empty()) attributes_.unsupported("reads no sequence at the number of its step");
}

// The nodes that computed the numbers of steps are not read any more. A graph within the body may read any of them.
void GraphReader::LoopOperator::leave_unread_out() {
  for (const OnnxNode& one : step_.nodes)
    for (const auto& [name, attribute] : one.attributes)
      if (attribute.graph) return;
  std::set<std::string> read(step_.outputs.begin(), step_.outputs.end());
  std::vector<OnnxNode> kept;
  for (OnnxNode& one : step_.nodes | std::views::reverse) {
    if (std::ranges::none_of(one.outputs, [&](const std::string& name) { return read.contains(name); })) continue;
    read.insert(one.inputs.begin(), one.inputs.end());
    kept.push_back(std::move(one));
  }
  std::ranges::reverse(kept);
  step_.nodes = std::move(kept);
}

// The step has the last item of a history, and not the items before.
void GraphReader::LoopOperator::add_node(const OnnxNode& node) {
  OnnxNode& own = step_.nodes.emplace_back(node);
  if (!is_history(node.input(0))) return;
  if (node.op == "SequenceAt") {
    own.op = "Identity";
    own.inputs.resize(1);
    return;
  }
  if (behind_identities(node.input(1)) != body_->inputs[0]) return;
  // A TensorProto of int64 without dims: -1.
  static const std::string last = "\x10\x07\x4a\x08" + std::string(8, '\xff');
  step_.initializers["last row"] = last;
  own.inputs[1] = "last row";
}

void GraphReader::LoopOperator::finish_histories() {
  for (const Grown& grown : histories_) {
    if (grown.output.empty()) continue;
    const std::string stack = grown.output + " stacked", last = grown.first.empty() ? "" : grown.output + " last";
    if (grown.is_list)
      outer_.lists_[grown.output] = {grown.first, stack, last};
    else
      outer_.keep_joined(node_, grown.output, {grown.first, stack, last}, grown.axis, false);
  }
}

void GraphReader::LoopOperator::check_number_is_not_used() const {
  for (const OnnxNode& one : step_.nodes)
    if (std::ranges::find(one.inputs, body_->inputs[0]) != one.inputs.end())
      attributes_.unsupported("computes with the number of its step, in " + one.describe());
  for (const std::string& output : step_.outputs)
    if (output == body_->inputs[0]) attributes_.unsupported("gives the number of its step");
}

void GraphReader::LoopOperator::read() {
  const auto body = node_.attributes.find("body");
  if (body == node_.attributes.end() || !body->second.graph) attributes_.invalid("has no body");
  body_ = body->second.graph.get();
  if (node_.inputs.size() < 2 || body_->inputs.size() != node_.inputs.size() ||
      body_->outputs.size() + 1 < body_->inputs.size() || body_->outputs.empty())
    attributes_.invalid("its body has other inputs or outputs than itself");
  carried_ = node_.inputs.size() - 2;
  if (node_.outputs.size() > body_->outputs.size() - 1) attributes_.invalid("has more outputs than its body");
  check_runs_through();
  check_count();
  scan_.name = node_.name;
  scan_.scopes = node_.scopes;
  scan_.op = "Scan";
  take_carried();
  take_sequences();
  step_.initializers = body_->initializers;
  for (const OnnxNode& one : body_->nodes)
    if (std::ranges::find(left_out_, &one) == left_out_.end() && one.output(0) != body_->outputs[0]) add_node(one);
  scan_.inputs.insert(scan_.inputs.end(), sequences_.begin(), sequences_.end());
  step_.outputs.insert(step_.outputs.end(), stacked_inside_.begin(), stacked_inside_.end());
  scan_.outputs.insert(scan_.outputs.end(), stacked_.begin(), stacked_.end());
  leave_unread_out();
  check_number_is_not_used();
  const auto set = [&](const char* name, int type) -> OnnxAttribute& {
    OnnxAttribute& attribute = scan_.attributes[name];
    attribute.name = name;
    attribute.type = type;
    return attribute;
  };
  set("num_scan_inputs", 2).i = std::ssize(sequences_);
  set("scan_input_axes", 7).ints = axes_;
  set("scan_input_directions", 7).ints = directions_;
  set("body", 5).graph = std::make_shared<const OnnxGraph>(std::move(step_));
  outer_.read_scan(scan_);
  finish_histories();
}

void GraphReader::read_loop(const OnnxNode& node) { LoopOperator(*this, node).read(); }

}  // namespace rnnc::files
