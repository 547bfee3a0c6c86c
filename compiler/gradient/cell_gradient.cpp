#include "compiler/gradient/cell_gradient.hpp"

#include <algorithm>
#include <utility>

#include "compiler/gradient/cut_graph.hpp"
#include "compiler/gradient/saved.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Statement;
using ir::Value;

// The sweep appends to a copy of the cell; the nodes of the cell keep their places in it.
class CellDifferentiator {
 public:
  explicit CellDifferentiator(const Cell& cell) : cell_(cell), joint_(cell) {}

  CellGradient run() {
    sweep();
    mark();
    make_forward();
    place_results();
    if (after_columns_.width() > 0) make_after();  // it asks for columns of the output of `backward`
    make_backward();
    for (const auto& [param, transposed] : reverse_->transposed())
      result_.transposed[joint_[transposed].name] = joint_[param].name;
    return std::move(result_);
  }

 private:
  Value declare(Op op, const std::string& name, const ir::Type& type) {
    return joint_.append({.op = op, .name = free_name(joint_, "d_" + name), .type = type});
  }

  void sweep() {
    for (const Statement& statement : joint_.statements)
      if (statement.kind == Statement::Kind::Let) names_.push_back({statement.name, statement.value});
    output_ = cell_.output();
    cotangent_ = declare(Op::Input, "y", cell_[output_].type);
    for (std::size_t i = 0; i < cell_.nodes.size(); ++i) {
      const Node& node = cell_.nodes[i];
      if (node.op == Op::State)
        states_.push_back({Value{static_cast<std::uint32_t>(i)}, declare(Op::State, node.name, node.type)});
    }
    reverse_.emplace(joint_);
    reverse_->add(output_, cotangent_);
    for (const auto& [state, d_state] : states_) reverse_->add(cell_.next_of(cell_[state].name), d_state);
    reverse_->run();
    for (const auto& [state, d_state] : states_) {
      const std::optional<Value> sum = reverse_->cotangent(state);
      const ir::Type type = cell_[state].type;
      nexts_.push_back(sum ? *sum : type.rank() == 0 ? joint_.constant(0) : reverse_->zeros(elements(type)));
    }
    for (const ir::NamedValue& named : std::vector(names_))
      if (const auto d = reverse_->cotangent(named.value)) names_.push_back({free_name(joint_, "d_" + named.name), *d});
  }

  // Marks what the backward pass computes, and which part of it.
  void mark() {
    const std::size_t count = joint_.nodes.size();
    is_forward_.assign(count, true);
    is_live_.assign(count, false);
    std::vector<bool> is_recurrent(count), is_needed(count);
    is_forward_[cotangent_.index] = false;
    for (const auto& [state, d_state] : states_) is_forward_[d_state.index] = false;
    for (std::size_t i = 0; i < count; ++i)
      for (const Value operand : joint_.nodes[i].operands)
        if (!is_forward_[operand.index]) is_forward_[i] = false;

    for (const Value next : nexts_) is_recurrent[next.index] = is_live_[next.index] = true;
    for (const Value root : wanted()) is_live_[root.index] = true;
    for (std::size_t i = count; i-- > 0;) {
      if (is_forward_[i]) {
        is_needed[i] = is_live_[i];
      } else if (is_live_[i]) {
        for (const Value operand : joint_.nodes[i].operands) {
          is_live_[operand.index] = true;
          if (is_recurrent[i]) is_recurrent[operand.index] = true;
        }
      }
    }
    saved_ = choose_saved(joint_, is_forward_, is_needed);

    is_after_.assign(count, false);
    if (states_.empty()) return;
    for (std::size_t i = 0; i < count; ++i) {
      const Node& node = joint_.nodes[i];
      if (is_forward_[i] || !is_live_[i] || is_recurrent[i]) continue;
      is_after_[i] =
          node.op == Op::Matvec || std::ranges::any_of(node.operands, [&](Value v) { return is_after_[v.index]; });
    }
  }

  // Returns the values that someone asks the backward pass for.
  std::vector<Value> wanted() const {
    std::vector<Value> values;
    for (std::size_t i = 0; i < cell_.nodes.size(); ++i)
      if (cell_.nodes[i].op == Op::Input)
        if (const auto d = reverse_->cotangent(Value{static_cast<std::uint32_t>(i)})) values.push_back(*d);
    for (const Term& term : reverse_->terms()) {
      values.push_back(term.left);
      if (term.kind != Term::Kind::Sum) values.push_back(term.right);
    }
    return values;
  }

  void start(Cell& part, const std::string& suffix) const {
    part.name = cell_.name + suffix;
    part.location = cell_.location;
  }

  static void finish(Cell& part, const std::vector<Value>& values) {
    part.statements.push_back({Statement::Kind::Output, "", part.concat(values), {}});
  }

  void make_forward() {
    Cell& part = result_.forward;
    start(part, "_forward");
    CutGraph cut(joint_, part);
    // All declarations stay, in their order.
    for (std::size_t i = 0; i < cell_.nodes.size(); ++i)
      if (ir::is_declaration(cell_.nodes[i])) cut.copy(Value{static_cast<std::uint32_t>(i)});
    std::vector<Value> row = {flat(part, cut.copy(output_))};
    for (const Statement& statement : cell_.statements)
      if (statement.kind == Statement::Kind::Next)
        part.statements.push_back({Statement::Kind::Next, statement.name, cut.copy(statement.value), {}});
    for (const Value value : saved_) {
      columns_.add(joint_, value);
      row.push_back(flat(part, cut.copy(value)));
    }
    cut.say_names(names_);
    finish(part, row);
    result_.output_size = elements(cell_[output_].type);
    result_.saved_size = columns_.width();
  }

  std::string name_of(Value value) const {
    if (!joint_[value].name.empty()) return joint_[value].name;
    for (const ir::NamedValue& named : names_)
      if (named.value == value) return named.name;
    const auto saved = std::ranges::find(saved_, value);
    const bool is_saved = saved != saved_.end();
    return free_name(
        joint_, is_saved ? "saved" + std::to_string(saved - saved_.begin()) : "step" + std::to_string(value.index));
  }

  // Declares an input for each value that the part needs and that is there, and for each value of the part before.
  // Returns where they are.
  std::vector<Column> read(Cell& part, CutGraph& cut, const std::vector<Value>& roots, const CollectedColumns* before) {
    std::vector<bool> seen(joint_.nodes.size());
    std::vector<Value> open = roots, inputs;
    while (!open.empty()) {
      const Value value = open.back();
      open.pop_back();
      if (seen[value.index]) continue;
      seen[value.index] = true;
      if (place_of(value, before)) {
        inputs.push_back(value);
      } else {
        open.insert(open.end(), joint_[value].operands.begin(), joint_[value].operands.end());
      }
    }
    std::ranges::sort(inputs);
    std::vector<Column> columns;
    for (const Value value : inputs) {
      cut.read(value, free_name(part, name_of(value)));
      columns.push_back(*place_of(value, before));
    }
    return columns;
  }

  // Returns where a part finds a value, if it need not compute it.
  std::optional<Column> place_of(Value value, const CollectedColumns* before) {
    const std::int64_t width = elements(joint_[value].type);
    if (value == cotangent_) return Column{Column::Of::Cotangent, 0, width};
    if (std::ranges::count(saved_, value) > 0) return Column{Column::Of::Saved, columns_.add(joint_, value), width};
    if (joint_[value].op == Op::Input) return Column{Column::Of::Input, input_begin(value), width};
    if (before && !is_forward_[value.index] && !is_after_[value.index])
      return Column{Column::Of::Backward, step_columns_.add(joint_, value), width};
    return std::nullopt;
  }

  std::int64_t input_begin(Value input) const {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < input.index; ++i)
      if (cell_.nodes[i].op == Op::Input) begin += elements(cell_.nodes[i].type);
    return begin;
  }

  // Decides where each wanted value is computed, and gives it a column there.
  Column column_of(Value value) {
    const std::int64_t width = elements(joint_[value].type);
    if (const auto place = place_of(value, nullptr)) return *place;
    if (is_after_[value.index]) return {Column::Of::After, after_columns_.add(joint_, value), width};
    return {Column::Of::Backward, step_columns_.add(joint_, value), width};
  }

  void place_results() {
    for (std::size_t i = 0; i < cell_.nodes.size(); ++i) {
      if (cell_.nodes[i].op != Op::Input) continue;
      if (const auto d = reverse_->cotangent(Value{static_cast<std::uint32_t>(i)}))
        result_.inputs[cell_.nodes[i].name] = column_of(*d);
    }
    for (const Term& term : reverse_->terms()) {
      CellTerm placed{term.kind, joint_[term.param].name, term.window, 1, column_of(term.left)};
      if (term.kind != Term::Kind::Sum) placed.right = column_of(term.right);
      if (term.kind == Term::Kind::Product && joint_[term.left].type.rank() == 2)
        placed.count = joint_[term.left].type.dims[0].value();
      result_.terms.push_back(std::move(placed));
    }
  }

  void make_backward() {
    Cell& part = result_.backward;
    start(part, "_backward");
    CutGraph cut(joint_, part);
    std::vector<Value> roots = step_columns_.values();
    roots.insert(roots.end(), nexts_.begin(), nexts_.end());
    result_.reads = read(part, cut, roots, nullptr);
    for (const auto& [state, d_state] : states_) {
      cut.keep_state(d_state);
      result_.states[cell_[state].name] = joint_[d_state].name;
    }
    std::vector<Value> row;
    for (const Value value : step_columns_.values()) row.push_back(flat(part, cut.copy(value)));
    for (std::size_t i = 0; i < states_.size(); ++i)
      part.statements.push_back({Statement::Kind::Next, joint_[states_[i].second].name, cut.copy(nexts_[i]), {}});
    if (row.empty()) row.push_back(zero(part));
    cut.say_names(names_);
    finish(part, row);
  }

  // A cell has an output, also if nobody asks for one.
  static Value zero(Cell& part) {
    return part.append({.op = Op::Fill, .operands = {part.constant(0)}, .ranges = {{0, 1}}});
  }

  void make_after() {
    Cell part;
    start(part, "_after");
    CutGraph cut(joint_, part);
    result_.reads_after = read(part, cut, after_columns_.values(), &step_columns_);
    std::vector<Value> row;
    for (const Value value : after_columns_.values()) row.push_back(flat(part, cut.copy(value)));
    cut.say_names(names_);
    finish(part, row);
    result_.after = std::move(part);
  }

  const Cell& cell_;
  Cell joint_;
  Value output_, cotangent_;
  std::vector<std::pair<Value, Value>> states_;  // each state and the state that is its cotangent
  std::vector<Value> nexts_;                     // the new values of the latter
  std::vector<ir::NamedValue> names_;
  std::optional<Reverse> reverse_;
  std::vector<bool> is_forward_, is_live_, is_after_;
  std::vector<Value> saved_;
  CollectedColumns columns_, step_columns_, after_columns_;
  CellGradient result_;
};

}  // namespace

CellGradient gradient_of(const Cell& cell) { return CellDifferentiator(cell).run(); }

}  // namespace rnnc::compiler
