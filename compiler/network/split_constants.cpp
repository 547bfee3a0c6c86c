// A scan with inputs that are the same at each step becomes two calls: one runs once a sequence, ahead of the scan, and
// the other is the rest of the scan. The passes treat such an input as a parameter, so each chain begins with the
// products of constant inputs. The call ahead computes these products, and the scan continues the chain from its
// result.
#include "compiler/network/split_constants.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"
#include "ir/check.hpp"
#include "ir/verify.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Statement;
using ir::Value;

class ConstantSplitter {
 public:
  ConstantSplitter(CallList& list, const CellCall& call) : list_(list), call_(call), cell_(call.cell) {
    find_rows();
    if (constants_.empty()) return;
    for (Node& node : cell_.nodes)
      if (constants_.count(node.name) != 0 && node.op == Op::Input) node.op = Op::Param;
    cell_ = run_passes(cell_, "chain");
    for (const Node& node : cell_.nodes) names_.insert(node.name);
    find_border();
  }

  bool finds_any() const { return !border_.empty(); }

  // Returns the call that runs once a sequence, and adds the buffer of its output to the list.
  CellCall ahead() {
    CellCall result;
    Cell& cell = begin(result.cell, "_constant");
    std::vector<bool> needed(cell_.nodes.size());
    for (const Value value : border_) needed[value.index] = true;
    spread(needed, {});
    const std::vector<Value> values = copy(result, needed, {});
    std::vector<Value> outputs;
    for (const Value value : border_) outputs.push_back(values[value.index]);
    const Value output = cell.concat(std::move(outputs));
    cell.statements.push_back({Statement::Kind::Output, "", output, cell.location});
    copy_ranges(cell_, needed, values, cell);
    check(cell);
    result.y = home_ = list_.buffers.size();
    list_.buffers.push_back({"", size_of(cell[output]), ""});
    return result;
  }

  // Returns the rest of the scan. ahead() must have been called before.
  CellCall rest() {
    CellCall result = call_;
    result.x.clear();
    result.weights.clear();
    Cell& cell = begin(result.cell, "");
    std::vector<bool> needed(cell_.nodes.size());
    for (const Statement& statement : cell_.statements)
      if (ir::needs_value(statement)) needed[statement.value.index] = true;
    for (std::size_t i = 0; i < needed.size(); ++i)
      if (cell_.nodes[i].op == Op::State) needed[i] = true;
    spread(needed, border_);
    const std::vector<Value> values = copy(result, needed, border_);
    for (Statement statement : cell_.statements) {
      if (!ir::needs_value(statement)) continue;
      statement.value = values[statement.value.index];
      cell.statements.push_back(std::move(statement));
    }
    copy_ranges(cell_, needed, values, cell);
    check(cell);
    return result;
  }

 private:
  void find_rows() {
    Row left = call_.x;  // what the inputs before have not read, from `next` on
    std::size_t next = 0;
    for (const Node& node : call_.cell.nodes) {
      if (node.op != Op::Input) continue;
      Row row;
      for (std::int64_t missing = size_of(node); missing > 0;) {
        Columns& columns = left[next];
        const std::int64_t end = std::min(columns.end, columns.begin + missing);
        append(row, {columns.buffer, columns.begin, end});
        missing -= end - columns.begin;
        columns.begin = end;
        if (columns.begin == columns.end) ++next;
      }
      rows_[node.name] = row;
      const auto is_constant = [&](const Columns& columns) { return list_.buffers[columns.buffer].axis.empty(); };
      if (std::all_of(row.begin(), row.end(), is_constant)) constants_.insert(node.name);
    }
  }

  // Finds the border: vectors that depend on constant inputs but on no other input or state, and that a node outside of
  // this part or a statement reads.
  void find_border() {
    const std::size_t size = cell_.nodes.size();
    std::vector<bool> constant(size), follows(size), in_border(size);
    for (std::size_t i = 0; i < size; ++i) {
      const Node& node = cell_.nodes[i];
      constant[i] = node.op != Op::Input && node.op != Op::State;
      follows[i] = node.op == Op::Param && constants_.count(node.name) != 0;
      for (const Value operand : node.operands) {
        constant[i] = constant[i] && constant[operand.index];
        follows[i] = follows[i] || follows[operand.index];
      }
    }
    const auto look = [&](Value value) {
      in_border[value.index] = in_border[value.index] || (constant[value.index] && follows[value.index] &&
                                                          !is_free(cell_, value) && cell_[value].type.rank() == 1);
    };
    for (std::size_t i = 0; i < size; ++i)
      if (!constant[i]) std::for_each(cell_.nodes[i].operands.begin(), cell_.nodes[i].operands.end(), look);
    for (const Statement& statement : cell_.statements)
      if (ir::needs_value(statement)) look(statement.value);
    for (std::uint32_t i = 0; i < size; ++i)
      if (in_border[i]) border_.push_back(Value{i});
  }

  Cell& begin(Cell& cell, const std::string& suffix) const {
    cell = like(cell_);
    cell.name += suffix;
    return cell;
  }

  // Marks the operands of needed nodes as needed too, except those of the values of `border`, which are in order.
  void spread(std::vector<bool>& needed, const std::vector<Value>& border) const {
    for (std::uint32_t i = static_cast<std::uint32_t>(needed.size()); i-- > 0;) {
      if (!needed[i] || std::binary_search(border.begin(), border.end(), Value{i})) continue;
      for (const Value operand : cell_.nodes[i].operands) needed[operand.index] = true;
    }
  }

  // Copies the needed nodes. The values of `border` become inputs, which read the buffer of the call ahead.
  std::vector<Value> copy(CellCall& to, const std::vector<bool>& needed, const std::vector<Value>& border) const {
    std::vector<Value> values(cell_.nodes.size());
    std::int64_t column = 0;
    for (std::uint32_t i = 0; i < needed.size(); ++i) {
      if (!needed[i]) continue;
      Node node = cell_.nodes[i];
      if (std::binary_search(border.begin(), border.end(), Value{i})) {
        const Row row = {{home_, column, column + size_of(node)}};
        column += size_of(node);
        values[i] = add_input(to, new_name(column), node.type, row);
      } else if (const auto row = rows_.find(node.name); is_declaration(node) && row != rows_.end()) {
        values[i] = add_input(to, node.name, node.type, row->second);
      } else {
        for (Value& operand : node.operands) operand = values[operand.index];
        if (node.op == Op::Param) to.weights[node.name] = call_.weights.at(node.name);
        values[i] = to.cell.append(std::move(node));
      }
    }
    return values;
  }

  static Value add_input(CellCall& to, std::string name, const ir::Type& type, const Row& row) {
    for (const Columns& columns : row) append(to.x, columns);
    return to.cell.append({.op = Op::Input, .name = std::move(name), .type = type});
  }

  // Returns the name of an input that reads the call ahead. The column at which the value ends makes the name unique.
  std::string new_name(std::int64_t end) const {
    std::string name = "constant" + std::to_string(end);
    while (names_.contains(name)) name += '_';
    return name;
  }

  static void check(const Cell& cell) { RNNC_ASSERT(ir::verify(cell).ok(), &cell); }

  CallList& list_;
  const CellCall& call_;
  Cell cell_;
  std::map<std::string, Row> rows_;  // the row of each input
  std::set<std::string> constants_;  // the inputs that are the same at each step
  std::set<std::string> names_;      // of the nodes of the cell
  std::vector<Value> border_;
  std::size_t home_ = 0;
};

}  // namespace

CallList split_constants(CallList list) {
  std::vector<Call> calls;
  for (const Call& call : list.calls) {
    const auto* cell_call = std::get_if<CellCall>(&call);
    const auto has_state = [](const Cell& cell) {
      return std::any_of(cell.nodes.begin(), cell.nodes.end(), [](const Node& node) { return node.op == Op::State; });
    };
    if (cell_call && !cell_call->axis.empty() && has_state(cell_call->cell)) {
      ConstantSplitter splitter(list, *cell_call);
      if (splitter.finds_any()) {
        calls.emplace_back(splitter.ahead());
        calls.emplace_back(splitter.rest());
        continue;
      }
    }
    calls.push_back(call);
  }
  list.calls = std::move(calls);
  return list;
}

}  // namespace rnnc::compiler
