#include "compiler/gradient/scan_gradients.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "compiler/gradient/cut_graph.hpp"
#include "compiler/gradient/over_time_gradient.hpp"
#include "ir/check.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"

namespace rnnc::compiler {

using ir::Node;
using ir::Op;
using ir::Value;

ScanGradients::ScanGradients(const ir::Network& from, ir::Network& joint)
    : from_(from), joint_(joint), begun_(ir::begun_by_inputs(from)) {}

// Text has names without dots.
Value ScanGradients::add(const Node& given, std::vector<Value> operands) {
  const ir::Scan& scan = *given.scan;
  const auto first_initial = operands.begin() + static_cast<std::ptrdiff_t>(scan.arguments(given));
  ScanParts parts;
  parts.gradient = gradient_of_cell(ir::scan_cell(from_, given).value());
  parts.name = given.name;
  parts.arguments.assign(operands.begin(), first_initial);
  parts.initial.assign(first_initial, operands.end());
  std::string name = given.name.empty() ? scan.cell->name : given.name;
  std::ranges::replace(name, '.', '_');
  ir::Scan content = scan;
  content.cell = std::make_shared<const ir::Cell>(parts.gradient.forward);
  content.dims.clear();
  if (std::ranges::any_of(parts.arguments, [&](Value v) { return joint_[v].type.is_sequence(); }))
    content.steps.clear();
  parts.scan = joint_.append({.op = Op::Scan,
                              .operands = std::move(operands),
                              .scan = std::make_shared<const ir::Scan>(std::move(content)),
                              .name = free_name(joint_, name)});
  scans_.push_back(std::move(parts));
  return scans_.back().scan;
}

// Equal cells have equal gradients, whose code is made once; others have names of their own.
const CellGradient& ScanGradients::gradient_of_cell(const ir::Cell& cell) {
  const auto [entry, is_new] = gradients_.try_emplace(ir::print(cell));
  if (!is_new) return entry->second;
  entry->second = gradient_of(cell);
  std::string base = cell.name;
  for (int number = 2; !cell_names_.insert(base).second; ++number) base = cell.name + std::to_string(number);
  entry->second.forward.name = base + "_forward";
  entry->second.backward.name = base + "_backward";
  if (entry->second.after) entry->second.after->name = base + "_after";
  return entry->second;
}

Value ScanGradients::declare(BackwardInput::Kind kind, const std::string& of, const std::string& name,
                             const ir::Type& type) {
  const std::string free = free_name(joint_, name);
  const Value input = joint_.append({.op = Op::Input, .name = free, .type = type});
  inputs_[input] = {kind, free, of};
  return input;
}

// Returns nullptr for a scan that the network has not: sum_features makes one where a cell gives a scalar.
ScanParts* ScanGradients::find(Value scan) {
  const auto found = std::ranges::find(scans_, scan, &ScanParts::scan);
  return found == scans_.end() ? nullptr : &*found;
}

void ScanGradients::visit(Reverse& reverse, Value value, std::optional<Value> cotangent) {
  const Node node = joint_[value];
  if (node.op == Op::Scan) {
    if (ScanParts* parts = find(value)) return reverse_scan(reverse, *parts);
    if (cotangent) reverse.add(node.operands[0], flat(joint_, *cotangent));
  }
  if (!cotangent) return;
  if (node.op == Op::Slice) find(node.operands[0])->cotangent = cotangent;
  if (node.op == Op::FinalState) find(node.operands[0])->final_cotangents[node.name] = *cotangent;
  if (node.op == Op::OverTime) reverse_over_time(reverse, value, *cotangent);
}

Value ScanGradients::argument_at(const ScanParts& parts, std::int64_t column) const {
  std::int64_t begin = 0;
  for (const Value argument : parts.arguments) {
    if (begin == column) return argument;
    begin += elements(joint_[argument].type);
  }
  ir::internal_error(&joint_, "an argument that is nowhere");
}

// Returns columns of one of the rows that the cells of a scan read.
Value ScanGradients::columns(Reverse& reverse, const ScanParts& parts, const Column& column) {
  const auto cut = [&](Value row, std::int64_t begin) { return reverse.slice(row, {{begin, begin + column.width}}); };
  switch (column.of) {
    case Column::Of::Input: return flat(joint_, argument_at(parts, column.begin));
    case Column::Of::Saved: return cut(parts.scan, parts.gradient.output_size + column.begin);
    case Column::Of::Cotangent: return parts.cotangent ? *parts.cotangent : reverse.zeros(parts.gradient.output_size);
    case Column::Of::Backward: return cut(*parts.backward, column.begin);
    case Column::Of::After: return cut(*parts.after, column.begin);
  }
  ir::internal_error(&joint_, "columns that are nowhere");
}

TermValue::Columns ScanGradients::factor(Reverse& reverse, const ScanParts& parts, const Column& column) {
  switch (column.of) {
    case Column::Of::Saved: return {parts.scan, parts.gradient.output_size + column.begin, column.width};
    case Column::Of::Backward: return {*parts.backward, column.begin, column.width};
    case Column::Of::After: return {*parts.after, column.begin, column.width};
    case Column::Of::Input: return {argument_at(parts, column.begin), 0, column.width};
    case Column::Of::Cotangent: return {columns(reverse, parts, column), 0, column.width};
  }
  ir::internal_error(&joint_, "columns that are nowhere");
}

void ScanGradients::reverse_scan(Reverse& reverse, ScanParts& parts) {
  // States go on behind the call, and may have cotangents there.
  if (!parts.cotangent && parts.gradient.states.empty()) return;
  add_scans(reverse, parts);
  for (const CellTerm& term : parts.gradient.terms) {
    if (term.left.of == Column::Of::Cotangent && !parts.cotangent) continue;
    TermValue placed{term.kind, parts.prefix() + term.param, term.window, term.count,
                     factor(reverse, parts, term.left)};
    if (term.kind != Term::Kind::Sum) placed.right = factor(reverse, parts, term.right);
    terms_.push_back(std::move(placed));
  }
  add_cotangents(reverse, parts);
}

void ScanGradients::add_scans(Reverse& reverse, ScanParts& parts) {
  const ir::Scan& forward = *joint_[parts.scan].scan;
  ir::Scan backward{.cell = std::make_shared<const ir::Cell>(parts.gradient.backward)};
  backward.direction = forward.direction == Direction::Forward ? Direction::Reverse : Direction::Forward;
  std::vector<Value> operands;
  const std::string name = joint_[parts.scan].name;
  for (const auto& [state, cotangent] : parts.final_cotangents) {
    backward.initial.push_back(parts.gradient.states.at(state));
    const ir::Type type = joint_[cotangent].type;
    const Value last = declare(BackwardInput::Kind::Last, name + "." + state, "d_last_" + name + "_" + state, type);
    operands.push_back(reverse.apply(ir::Function::Add, cotangent, last));
  }
  parts.backward = scan(reverse, parts, parts.gradient.reads, std::move(backward), std::move(operands), "_back");
  if (!parts.gradient.after) return;
  ir::Scan after{.cell = std::make_shared<const ir::Cell>(*parts.gradient.after)};
  parts.after = scan(reverse, parts, parts.gradient.reads_after, std::move(after), {}, "_after");
}

// Adds the cotangents of the arguments, and of values that states begin with.
void ScanGradients::add_cotangents(Reverse& reverse, const ScanParts& parts) {
  std::size_t i = 0;
  for (const Node& node : parts.gradient.forward.nodes) {
    if (node.op != Op::Input) continue;
    const Value argument = parts.arguments[i++];
    const auto found = parts.gradient.inputs.find(node.name);
    if (found == parts.gradient.inputs.end()) continue;
    if (found->second.of == Column::Of::Cotangent && !parts.cotangent) continue;
    reverse.add(argument, shaped(joint_, columns(reverse, parts, found->second), node.type));
  }
  const std::vector<std::string> initial = joint_[parts.scan].scan->initial;
  for (std::size_t k = 0; k < parts.initial.size(); ++k) {
    const std::string& state = parts.gradient.states.at(initial[k]);
    Value first = joint_.append({.op = Op::FinalState, .operands = {*parts.backward}, .name = state});
    if (!begins_anew(parts.prefix() + initial[k])) {
      if (!is_new_) is_new_ = declare(BackwardInput::Kind::IsNew, "", "is_new", {});
      first = reverse.apply(ir::Function::Mul, first, *is_new_);
    }
    reverse.add(parts.initial[k], first);
  }
}

Value ScanGradients::scan(Reverse& reverse, const ScanParts& parts, const std::vector<Column>& reads, ir::Scan content,
                          std::vector<Value> initial, const std::string& suffix) {
  std::vector<Value> operands;
  bool has_sequence = false;
  for (const Column& column : reads) {
    operands.push_back(columns(reverse, parts, column));
    has_sequence = has_sequence || joint_[operands.back()].type.is_sequence();
  }
  if (!has_sequence) content.steps = joint_[parts.scan].type.axis;
  operands.insert(operands.end(), initial.begin(), initial.end());
  return joint_.append({.op = Op::Scan,
                        .operands = std::move(operands),
                        .scan = std::make_shared<const ir::Scan>(std::move(content)),
                        .name = free_name(joint_, joint_[parts.scan].name + suffix)});
}

}  // namespace rnnc::compiler
