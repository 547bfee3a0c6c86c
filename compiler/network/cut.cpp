// A network becomes a list of calls in three steps. Each expression gets a level: the number of scans, functions over
// time and calls of other expressions between the inputs and the expression. Expressions of one timeline and one level
// become one call. The calls are then made level by level, and each value that another call or an output reads gets
// columns of a buffer.
#include "compiler/network/cut.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "compiler/network/levels.hpp"
#include "compiler/network/split_directions.hpp"
#include "ir/check.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Network;
using ir::Node;
using ir::Op;
using ir::Value;

class Cutter {
 public:
  Cutter(const Network& network, std::set<std::string> begun_by_inputs)
      : network_(network), levels_(network), begun_by_inputs_(std::move(begun_by_inputs)) {
    for (Index i = 0; i < network.nodes.size(); ++i) {
      const Node& node = network.nodes[i];
      if (node.op == Op::Param) params_.insert(node.name);
      if (node.op == Op::FinalState && levels_.live[i]) final_states_[node.operands[0].index].push_back(i);
    }
  }

  CallList run() {
    for (Index i = 0; i < network_.nodes.size(); ++i) {
      if (levels_.roles[i] == Role::Input) homes_[i] = allocate(i, network_.nodes[i].name);
    }
    for (const auto& [place, nodes] : steps()) {
      const Role role = levels_.roles[nodes.front()];
      if (role == Role::Scan) {
        call_scan(nodes.front());
      } else if (role == Role::OverTime) {
        call_over_time(nodes.front());
      } else {
        call_expressions(nodes);
      }
    }
    for (const ir::NamedValue& output : network_.outputs())
      list_.outputs.push_back({output.name, network_[output.value].type.axis, row_of(output.value)});
    return std::move(list_);
  }

 private:
  // The level of a call and its first node. Calls of one level are made in the order of the text.
  using Place = std::pair<int, Index>;

  std::map<Place, std::vector<Index>> steps() const {
    std::map<std::pair<int, std::string>, std::vector<Index>> groups;
    std::map<Place, std::vector<Index>> steps;
    for (const Index i : levels_.read) groups[{levels_.level[i], levels_.axis(i)}].push_back(i);
    for (auto& [key, nodes] : groups) steps[{key.first, nodes.front()}] = nodes;
    for (Index i = 0; i < network_.nodes.size(); ++i) {
      const Role role = levels_.roles[i];
      if (levels_.live[i] && (role == Role::Scan || role == Role::OverTime)) steps[{levels_.level[i], i}] = {i};
    }
    return steps;
  }

  Columns allocate(Index i, std::string input = "") {
    const std::int64_t width = elements(network_.nodes[i].type);
    list_.buffers.push_back({levels_.axis(i), width, std::move(input)});
    return {list_.buffers.size() - 1, 0, width};
  }

  void call_scan(Index i);
  void call_over_time(Index i);
  void call_expressions(const std::vector<Index>& roots);
  void call_group(const std::vector<Index>& roots);
  CellCall make_cell(const std::vector<Index>& roots);
  Value declare_input(CellCall& call, Index i);
  Row row_of(Value value);
  Row row_of_view(const Node& node);

  const Network& network_;
  const Levels levels_;
  const std::set<std::string> begun_by_inputs_;
  CallList list_;
  std::map<Index, Columns> homes_;  // the columns of each value that is in a buffer
  std::map<Index, Row> views_;
  std::set<std::string> params_;
  std::map<Index, std::vector<Index>> final_states_;  // the final states of each scan that are read
};

Row Cutter::row_of_view(const Node& node) {
  const auto known = [&](Value v) {
    const auto home = homes_.find(v.index);
    return home == homes_.end() ? views_.at(v.index) : Row{home->second};
  };
  if (node.op == Op::Slice)
    return columns_of(known(node.operands[0]), node.ranges[0].begin.value(), node.ranges[0].end.value());
  Row row;
  for (const Value part : node.operands) {
    for (const Columns& columns : known(part)) append(row, columns);
  }
  return row;
}

// Returns the columns of a value. Views may be nested deeply, so the walk does not recurse.
Row Cutter::row_of(Value value) {
  const auto home = homes_.find(value.index);
  if (home != homes_.end()) return {home->second};
  std::set<Index> below;
  std::vector<Index> open = {value.index};
  while (!open.empty()) {
    const Index i = open.back();
    open.pop_back();
    if (levels_.roles[i] != Role::View || views_.count(i) != 0 || !below.insert(i).second) continue;
    for (const Value operand : network_.nodes[i].operands) open.push_back(operand.index);
  }
  for (const Index i : below) views_[i] = row_of_view(network_.nodes[i]);
  return views_.at(value.index);
}

void Cutter::call_scan(Index i) {
  const Node& node = network_.nodes[i];
  CellCall call;
  call.cell = ir::scan_cell(network_, node).value();
  call.prefix = ir::scan_prefixes(node)[0];
  call.axis = levels_.axis(i);
  call.reverse = node.scan->direction == Direction::Reverse;
  const std::size_t arguments = node.scan->arguments(node);
  for (std::size_t k = 0; k < node.operands.size(); ++k) {
    const Row row = row_of(node.operands[k]);
    if (k >= arguments) {
      const std::string& state = node.scan->initial[k - arguments];
      call.initial[state] = row;
      call.begins_anew = call.begins_anew || begun_by_inputs_.contains(call.prefix + state);
    } else {
      for (const Columns& columns : row) append(call.x, columns);
    }
  }
  for (const Node& param : call.cell.nodes) {
    if (param.op == Op::Param) call.weights[param.name] = call.prefix + param.name;
  }
  homes_[i] = allocate(i);
  call.y = homes_[i].buffer;
  for (const Index k : final_states_[i]) {
    const Node& state = network_.nodes[k];
    const auto [found, added] = call.final_states.try_emplace(state.name, list_.buffers.size());
    if (added) allocate(k);
    homes_[k] = {found->second, 0, elements(state.type)};
  }
  list_.calls.emplace_back(std::move(call));
}

void Cutter::call_over_time(Index i) {
  const Node& node = network_.nodes[i];
  TimeCall call{node.over_time, network_[node.operands[0]].type.axis, row_of(node.operands[0]), 0};
  homes_[i] = allocate(i);
  call.y = homes_[i].buffer;
  list_.calls.emplace_back(std::move(call));
}

// Vectors are joined to one output. A scalar cannot be joined and gets a call of its own.
void Cutter::call_expressions(const std::vector<Index>& roots) {
  std::vector<Index> vectors;
  for (const Index i : roots) {
    if (network_.nodes[i].type.rank() == 1) vectors.push_back(i);
  }
  if (!vectors.empty()) call_group(vectors);
  for (const Index i : roots) {
    if (network_.nodes[i].type.rank() == 0) call_group({i});
  }
}

void Cutter::call_group(const std::vector<Index>& roots) {
  CellCall call = make_cell(roots);
  call.axis = levels_.axis(roots.front());
  call.y = list_.buffers.size();
  list_.buffers.push_back({call.axis, 0, ""});
  for (const Index i : roots) {
    std::int64_t& width = list_.buffers[call.y].width;
    const std::int64_t begin = width;
    width += elements(network_.nodes[i].type);
    homes_[i] = {call.y, begin, width};
  }
  list_.calls.emplace_back(std::move(call));
}

// Returns the call of a new cell without states. The cell computes the roots from the inputs and from results of other
// calls.
CellCall Cutter::make_cell(const std::vector<Index>& roots) {
  const auto is_inside = [&](Index i) {
    const Role role = levels_.roles[i];
    return role == Role::Static || role == Role::View || levels_.together(i, roots.front());
  };
  std::vector<bool> needed(roots.back() + 1);
  for (const Index i : roots) needed[i] = true;
  for (Index i = roots.back() + 1; i-- > 0;) {
    if (!needed[i] || !is_inside(i)) continue;
    for (const Value operand : network_.nodes[i].operands) needed[operand.index] = true;
  }
  CellCall call;
  call.cell.name = network_.name + "_" + std::to_string(list_.calls.size());
  call.cell.source = network_.source;
  call.cell.location = network_.location;
  std::vector<Value> values(needed.size());
  for (Index i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    if (!is_inside(i)) {
      values[i] = declare_input(call, i);
      continue;
    }
    Node node = network_.nodes[i];
    node.type.axis.clear();
    for (Value& operand : node.operands) operand = values[operand.index];
    if (node.op == Op::Param) call.weights[node.name] = node.name;
    values[i] = call.cell.append(std::move(node));
  }
  std::vector<Value> outputs;
  for (const Index i : roots) outputs.push_back(values[i]);
  const Value output = call.cell.concat(std::move(outputs));
  call.cell.statements.push_back({ir::Statement::Kind::Output, "", output, network_.location});
  copy_ranges(network_, needed, values, call.cell);
  RNNC_ASSERT(ir::verify(call.cell).ok(), &call.cell);
  return call;
}

Value Cutter::declare_input(CellCall& call, Index i) {
  // Two of these names are never equal, but a parameter of the network may have such a name.
  std::string name = "x" + std::to_string(i);
  while (params_.count(name) != 0) name += '_';
  for (const Columns& columns : row_of(Value{i})) append(call.x, columns);
  const Node& value = network_.nodes[i];
  return call.cell.append(
      {.op = Op::Input, .name = std::move(name), .type = {value.type.dims}, .location = value.location});
}

}  // namespace

void copy_ranges(const ir::Graph& from, const std::vector<bool>& needed, const std::vector<ir::Value>& values,
                 ir::Cell& to) {
  for (ir::Statement statement : from.statements) {
    const std::size_t i = statement.value.index;
    if (statement.kind != ir::Statement::Kind::Within || i >= needed.size() || !needed[i]) continue;
    statement.value = values[i];
    to.statements.push_back(std::move(statement));
  }
}

runtime::TensorRefs weights_of(const CellCall& call, const TensorMap& weights) {
  runtime::TensorRefs own;
  for (const auto& [param, name] : call.weights) own[param] = &weights.at(name);
  return own;
}

void append(Row& row, const Columns& columns) {
  const bool adjacent = !row.empty() && row.back().buffer == columns.buffer && row.back().end == columns.begin;
  if (adjacent) {
    row.back().end = columns.end;
  } else {
    row.push_back(columns);
  }
}

Row columns_of(const Row& row, std::int64_t begin, std::int64_t end) {
  Row result;
  std::int64_t first = 0;
  for (const Columns& columns : row) {
    const std::int64_t last = first + columns.end - columns.begin;
    const std::int64_t from = std::max(begin, first), to = std::min(end, last);
    if (from < to) append(result, {columns.buffer, columns.begin + from - first, columns.begin + to - first});
    first = last;
  }
  return result;
}

CallList cut_network(const ir::Network& network) {
  const ir::Network split = split_directions(network);
  return Cutter(split, ir::begun_by_inputs(network)).run();
}

}  // namespace rnnc::compiler
