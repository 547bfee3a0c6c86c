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

  const OnnxNode* producer(const std::string& name) const;
  std::string behind_identities(std::string name) const;
  bool is_true(const std::string& name) const;
  void check_runs_through() const;
  void check_count() const;
  void take_lists_and_states();
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

// A carried value that begins as an empty list, to which each step adds one tensor, is a stack of these.
void GraphReader::LoopOperator::take_lists_and_states() {
  std::vector<std::string> states, next, finals;
  for (std::size_t i = 0; i < carried_; ++i) {
    const std::string &from = node_.inputs[2 + i], &inside = body_->inputs[2 + i], &to = body_->outputs[1 + i];
    if (!outer_.lists_.contains(from)) {
      scan_.inputs.push_back(from);
      states.push_back(inside);
      next.push_back(to);
      finals.push_back(node_.output(i));
      continue;
    }
    const OnnxNode* insert = producer(to);
    const bool adds = outer_.lists_.at(from).empty() && insert != nullptr && insert->op == "SequenceInsert" &&
                      insert->input(0) == inside && insert->input(2).empty();
    const auto uses = std::ranges::count_if(
        body_->nodes, [&](const OnnxNode& one) { return std::ranges::find(one.inputs, inside) != one.inputs.end(); });
    if (!adds || uses != 1) attributes_.unsupported("does more with its list " + in_quotes(inside) + " than add to it");
    left_out_.push_back(insert);
    stacked_inside_.push_back(insert->input(1));
    stacked_.push_back(node_.output(i).empty() ? "" : node_.output(i) + " stacked");
    if (!node_.output(i).empty()) outer_.lists_[node_.output(i)] = stacked_.back();
  }
  for (std::size_t i = 1 + carried_; i < body_->outputs.size(); ++i) {
    stacked_inside_.push_back(body_->outputs[i]);
    stacked_.push_back(node_.output(i - 1));
  }
  step_.inputs = states;
  step_.outputs = next;
  scan_.outputs = finals;
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
    if (one.op != "Gather") continue;
    const auto at = place(one.input(1));
    if (!at || at->steps == 0) continue;
    const bool backwards = at->steps == -1 && (at->from == count - 1 || at->from == Count(-1));
    if (!backwards && (at->steps != 1 || at->from != Count(0)))
      attributes_.unsupported("takes another step of " + in_quotes(one.input(0)) +
                              " than its own or, from the end, count - 1 - i; slice the sequence before the loop");
    const OnnxValue* sequence = outer_.find(one.input(0));
    if (sequence == nullptr)
      attributes_.unsupported("takes steps of " + in_quotes(one.input(0)) + ", which is no sequence");
    OnnxAttributes gather(one, outer_.file_);
    axes_.push_back(
        static_cast<std::int64_t>(onnx_axis(gather, gather.integer("axis").value_or(0), sequence->axes.size())));
    directions_.push_back(backwards);
    sequences_.push_back(one.input(0));
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
  scan_.op = "Scan";
  take_lists_and_states();
  take_sequences();
  for (const OnnxNode& one : body_->nodes)
    if (std::ranges::find(left_out_, &one) == left_out_.end() && one.output(0) != body_->outputs[0])
      step_.nodes.push_back(one);
  step_.initializers = body_->initializers;
  scan_.inputs.insert(scan_.inputs.end(), sequences_.begin(), sequences_.end());
  step_.outputs.insert(step_.outputs.end(), stacked_inside_.begin(), stacked_inside_.end());
  scan_.outputs.insert(scan_.outputs.end(), stacked_.begin(), stacked_.end());
  if (std::ranges::find(directions_, 1) != directions_.end()) leave_unread_out();
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
}

void GraphReader::read_loop(const OnnxNode& node) { LoopOperator(*this, node).read(); }

// Reads the operators of lists; returns false if the node is none of them.
bool GraphReader::read_list(const OnnxNode& node) {
  if (!node.domain.empty()) return false;
  if (node.op == "SequenceEmpty") return lists_[node.output(0)].clear(), true;
  const auto list = lists_.find(node.input(0));
  if (list == lists_.end()) return false;
  if (node.op != "ConcatFromSequence") unsupported(node, "a list can be stacked or joined");
  const OnnxValue* stack = find(list->second);
  if (stack == nullptr) unsupported(node, "joins a list that is empty");
  OnnxAttributes attributes(node, file_);
  const bool is_new = attributes.integer("new_axis").value_or(0) != 0;
  // The steps stand first in the stack. They go to their dim, or take the place of one of size 1.
  const std::size_t rank = stack->axes.size();
  const std::size_t to = onnx_axis(attributes, attributes.integer("axis").value_or(0), is_new ? rank : rank - 1);
  attributes.finish();
  OnnxValue joined = *stack;
  joined.axes.erase(joined.axes.begin());
  if (!is_new) {
    if (!joined.axes[to].is_one()) unsupported(node, "joins steps along a dim of more than one place");
    joined.axes.erase(joined.axes.begin() + static_cast<std::ptrdiff_t>(to));
  }
  joined.axes.insert(joined.axes.begin() + static_cast<std::ptrdiff_t>(to), stack->axes[0]);
  keep(node.output(0), joined);
  return true;
}

}  // namespace rnnc::files
