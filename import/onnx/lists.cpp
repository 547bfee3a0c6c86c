// The operators of lists of tensors. A list is what exporters make of Python's: the steps of a sequence one by one, or
// what the steps of a loop added to it (loop_operator.cpp). So it is a stack with the steps first.
#include <algorithm>

#include "import/file_error.hpp"
#include "import/onnx/glue.hpp"
#include "import/onnx/reader.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kToTheEnd = (std::int64_t{1} << 31) - 1;  // from here on a Slice ends at the end

}  // namespace

// Reads the operators of lists; returns false if the node is none of them.
bool GraphReader::read_list(const OnnxNode& node) {
  if (!node.domain.empty()) return false;
  if (node.op == "SequenceEmpty") return lists_[node.output(0)] = {}, true;
  if (node.op == "SequenceConstruct" && node.inputs.size() == 1) return begin_list(node), true;
  if (node.op == "ConstantOfShape") return read_empty(node);
  if (node.op == "SplitToSequence") return split(node), true;
  const auto list = lists_.find(node.input(0));
  if (list == lists_.end()) return false;
  const bool has_first = !list->second.first.empty();
  if (node.op == "SequenceLength") {
    const Count steps = list->second.stack.empty() ? Count(0) : Count::of(Axis{{scope_.time}});
    return counts_.put(node.output(0), has_first ? steps + 1 : steps), true;
  }
  if (node.op == "SequenceAt") return take_item(node, list->second), true;
  if (node.op != "ConcatFromSequence") unsupported(node, "a list can be stacked or joined, and its last item be taken");
  const OnnxValue* stack = find(list->second.stack);
  if (stack == nullptr) unsupported(node, "joins a list that no step has added to");
  OnnxAttributes attributes(node, file_);
  const bool is_new = attributes.integer("new_axis").value_or(0) != 0;
  // The steps stand first in the stack. They go to their dim, or take the place of one of size 1.
  const std::size_t rank = stack->axes.size();
  const std::size_t to = onnx_axis(attributes, attributes.integer("axis").value_or(0), is_new ? rank : rank - 1);
  attributes.finish();
  keep_joined(node, node.output(0), list->second, to, is_new);
  return true;
}

void GraphReader::begin_list(const OnnxNode& node) {
  const std::string first = node.output(0) + " first";
  if (const OnnxValue* value = find(node.input(0)))
    scope_.values[first] = OnnxValue(*value);
  else if (const TensorView* tensor = constants_.find(node.input(0)))
    constants_.put(first, TensorView(*tensor));
  else
    unsupported(node, "its input " + in_quotes(node.input(0)) + " cannot be traced to a graph input");
  lists_[node.output(0)] = {first, "", ""};
}

// Rows for each sequence, of which there are none yet, are what a loop adds rows to. Returns false for other shapes.
bool GraphReader::read_empty(const OnnxNode& node) {
  const auto dims = counts_.find(node.input(0));
  if (!dims || std::ranges::count(dims->numbers, Count(0)) != 1) return false;
  const auto at = std::ranges::find(dims->numbers, Count(0)) - dims->numbers.begin();
  empty_[node.output(0)] = {dims->numbers.size(), static_cast<std::size_t>(at)};
  return true;
}

// The steps of a sequence become a list.
void GraphReader::split(const OnnxNode& node) {
  OnnxAttributes attributes(node, file_);
  const OnnxValue* whole = find(node.input(0));
  if (whole == nullptr) unsupported(node, "splits other than a sequence into its steps");
  const std::size_t axis = onnx_axis(attributes, attributes.integer("axis").value_or(0), whole->axes.size());
  const bool keeps = attributes.integer("keepdims").value_or(1) != 0 || !node.input(1).empty();
  attributes.finish();
  const TensorView* sizes = node.input(1).empty() ? nullptr : constants_.find(node.input(1));
  const bool is_each = node.input(1).empty() || (sizes != nullptr && sizes->shape.empty() &&
                                                 constants_.integers(node.input(1)) == std::vector<std::int64_t>{1});
  if (!whole->axes[axis].is('T') || !is_each) unsupported(node, "splits other than a sequence into its steps");
  OnnxValue stack = *whole;
  const auto at = stack.axes.begin() + static_cast<std::ptrdiff_t>(axis);
  const Axis steps = *at;
  if (keeps)
    *at = Axis::of(1);
  else
    stack.axes.erase(at);
  stack.axes.insert(stack.axes.begin(), steps);
  const std::string name = node.output(0) + " stacked";
  keep(name, stack);
  lists_[node.output(0)] = {"", name, ""};
}

// Takes the last item of a list, or any of one that is only stacked: the item of a number is the step of this number.
void GraphReader::take_item(const OnnxNode& node, const List& list) {
  const bool is_last = constants_.integers(node.input(1)) == std::vector<std::int64_t>{-1};
  if (list.stack.empty() || (!list.first.empty() && !is_last))
    unsupported(node, "a list can be stacked or joined, and its last item be taken");
  OnnxNode taken = node;
  taken.op = list.first.empty() ? "Gather" : "Identity";
  taken.inputs = {list.stack, node.input(1)};
  if (!list.first.empty()) taken.inputs = {list.last};
  read_glue(taken);
}

// Keeps a list that is joined along `axis`, which is new or one of size 1 before.
void GraphReader::keep_joined(const OnnxNode& node, const std::string& name, const List& list, std::size_t axis,
                              bool is_new) {
  const auto at = static_cast<std::ptrdiff_t>(axis);
  OnnxValue joined = *find(list.stack);
  const Axis steps = joined.axes[0];
  joined.axes.erase(joined.axes.begin());
  if (!is_new) {
    if (axis >= joined.axes.size()) invalid(node, "joins steps along a dim that they do not have");
    if (!joined.axes[axis].is_one()) unsupported(node, "joins steps along a dim of more than one place");
    joined.axes.erase(joined.axes.begin() + at);
  }
  joined.axes.insert(joined.axes.begin() + at, steps);
  if (list.first.empty()) return keep(name, joined);
  OnnxValue last = *find(list.last);
  if (last.axes.size() + (is_new ? 1 : 0) != joined.axes.size()) invalid(node, "joins tensors of different rank");
  if (is_new) last.axes.insert(last.axes.begin() + at, Axis::of(1));
  histories_[name] = {joined, last, axis};
}

// Reads what a graph takes of a joined list that began with a tensor: what the steps added, or the last one.
bool GraphReader::read_history(const OnnxNode& node) {
  const auto used = std::ranges::find_if(node.inputs, [&](const std::string& one) { return histories_.contains(one); });
  if (used == node.inputs.end()) return false;
  const History& history = histories_.at(*used);
  OnnxAttributes attributes(node, file_);
  const auto numbers = [&](std::size_t i) {
    return constants_.integers(node.input(i)).value_or(std::vector<std::int64_t>());
  };
  const std::size_t rank = history.steps.axes.size();
  const auto start = numbers(1);
  bool is_part = used == node.inputs.begin() && start.size() == 1;
  if (is_part && node.op == "Slice") {
    const auto end = numbers(2), axes = node.input(3).empty() ? std::vector<std::int64_t>{0} : numbers(3);
    is_part = end.size() == 1 && end[0] >= kToTheEnd && axes.size() == 1 &&
              onnx_axis(attributes, axes[0], rank) == history.axis &&
              (node.input(4).empty() || numbers(4) == std::vector<std::int64_t>{1});
    if (is_part && start[0] == 1) return keep(node.output(0), history.steps), true;
  } else {
    is_part = is_part && node.op == "Gather" &&
              onnx_axis(attributes, attributes.integer("axis").value_or(0), rank) == history.axis;
  }
  if (!is_part || start[0] != -1)
    unsupported(node, "takes " + in_quotes(*used) +
                          " with what it began with, which is no step; take the steps, [1:], or the last one, [-1]");
  OnnxNode taken = node;
  taken.inputs[0] = *used + " last";
  scope_.values[taken.inputs[0]] = history.last;
  read_glue(taken);
  return true;
}

}  // namespace rnnc::files
