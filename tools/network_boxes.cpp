#include "tools/network_boxes.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <rnnc/join.hpp>

#include "ir/op.hpp"
#include "tools/model_facts.hpp"

namespace rnnc::tools {
namespace {

using compiler::CallList;
using compiler::CellCall;
using compiler::Row;
using compiler::TimeCall;

std::int64_t width_of(const Row& row) {
  std::int64_t width = 0;
  for (const compiler::Columns& columns : row) width += columns.end - columns.begin;
  return width;
}

// A timeline other than T has a name of its own.
std::string when(const std::string& axis) {
  return axis.empty() ? "once a sequence" : axis == "T" ? "each step" : "each step of " + axis;
}

std::int64_t numbers_of(const ir::Cell& cell) {
  std::int64_t numbers = 0;
  for (const ir::Node& node : cell.nodes)
    if (node.op == ir::Op::Param) numbers += elements(node.type);
  return numbers;
}

// Names what an expression does by its most telling operations.
std::string title_of_expression(const ir::Cell& cell) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  bool has_windows = false, has_product = false, has_rows = false;
  for (const ir::Node& node : cell.nodes) {
    has_windows |= node.op == ir::Op::Rows && node.row_op == ir::RowOp::Windows;
    has_product |= node.op == ir::Op::Matvec;
    has_rows |= node.op == ir::Op::Matvec && node.type.rank() == 2;
  }
  if (has_product) add(has_windows ? "convolution" : has_rows ? "projection of rows" : "projection");
  for (const ir::Node& node : cell.nodes) {
    if (node.op == ir::Op::Lookup) add("lookup");
    if (node.op == ir::Op::Reduce) add(std::string(ir::facts(node.reduction).name));
    if (node.op == ir::Op::Map && (!has_product || node.function >= ir::Function::Sigmoid)) add(word_of(node.function));
  }
  constexpr std::size_t kMost = 3;
  if (names.size() > kMost) names[kMost] = "...", names.resize(kMost + 1);
  return names.empty() ? "copy" : join(names);
}

class Boxes {
 public:
  Boxes(const CallList& list, bool is_network) : list_(list), is_network_(is_network) {}

  std::vector<Box> make() && {
    for (std::size_t i = 0; i < list_.buffers.size(); ++i)
      if (const compiler::Buffer& buffer = list_.buffers[i]; !buffer.input.empty()) {
        writer_[i] = boxes_.size();
        boxes_.push_back({Box::Kind::Input, buffer.input, {sized(buffer.width, buffer.axis)}, "", {}});
      }
    for (const compiler::Call& call : list_.calls) std::visit([&](const auto& each) { add(each); }, call);
    for (std::size_t i = 0; i < list_.outputs.size(); ++i) {
      const compiler::CallOutput& output = list_.outputs[i];
      const std::string name = !output.name.empty() ? output.name : i == 0 ? "y" : "output";
      boxes_.push_back(
          {Box::Kind::Output, name, {sized(width_of(output.row), output.axis)}, "", sources_of({output.row})});
    }
    return std::move(boxes_);
  }

 private:
  static std::string sized(std::int64_t width, const std::string& axis) {
    return plural(width, "float") + " " + when(axis);
  }

  std::vector<std::size_t> sources_of(const std::vector<Row>& rows) const {
    std::set<std::size_t> sources;
    for (const Row& row : rows)
      for (const compiler::Columns& columns : row) sources.insert(writer_.at(columns.buffer));
    return {sources.begin(), sources.end()};
  }

  void add(const CellCall& call) {
    std::vector<std::string> states;
    for (const ir::Node& node : call.cell.nodes)
      if (node.op == ir::Op::State) states.push_back(node.name + " " + std::to_string(elements(node.type)));
    const bool is_layer = !call.prefix.empty() || !is_network_;
    Box box{is_layer ? Box::Kind::Layer : Box::Kind::Between, "", {}, join(states), {}};
    const std::string name = name_of_call(call);
    box.title = is_layer ? call.cell.name + (name.empty() ? "" : " " + name) : title_of_expression(call.cell);
    if (is_layer && states.empty()) box.lines.push_back(title_of_expression(call.cell));
    if (is_layer && call.reverse) box.lines.emplace_back("backwards over time");
    box.lines.push_back(std::to_string(width_of(call.x)) + " → " + std::to_string(list_.buffers[call.y].width) +
                        (is_layer && call.axis == "T" ? "" : ", " + when(call.axis)));
    if (const std::int64_t numbers = numbers_of(call.cell); numbers > 0) box.lines.push_back(plural(numbers, "weight"));
    std::vector<Row> rows = {call.x};
    for (const auto& [state, row] : call.initial) rows.push_back(row);
    box.sources = sources_of(rows);
    for (const auto& [state, buffer] : call.final_states) writer_[buffer] = boxes_.size();
    writer_[call.y] = boxes_.size();
    boxes_.push_back(std::move(box));
  }

  void add(const TimeCall& call) {
    const std::string name(ir::facts(call.over_time).name);
    writer_[call.y] = boxes_.size();
    boxes_.push_back({Box::Kind::OverTime,
                      name + " over " + (call.axis == "T" ? "time" : call.axis),
                      {plural(width_of(call.x), "float") +
                       (runtime::gives_sequence(call.over_time) ? " a step" : " once a sequence")},
                      "",
                      sources_of({call.x})});
  }

  const CallList& list_;
  bool is_network_;
  std::vector<Box> boxes_;
  std::map<std::size_t, std::size_t> writer_;  // buffer -> box
};

}  // namespace

std::string word_of(ir::Function function) {
  static const std::map<std::string_view, std::string> kWords = {
      {"+", "add"}, {"-", "subtract"}, {"*", "multiply"}, {"/", "divide"}};
  const std::string_view name = ir::facts(function).name;
  const auto found = kWords.find(name);
  return found == kWords.end() ? std::string(name) : found->second;
}

std::string name_of_call(const CellCall& call) {
  return call.prefix.empty() ? "" : call.prefix.substr(0, call.prefix.size() - 1);
}

std::vector<Box> boxes_of(const CallList& list, bool is_network) { return Boxes(list, is_network).make(); }

}  // namespace rnnc::tools
