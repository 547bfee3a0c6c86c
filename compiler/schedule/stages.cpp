#include "compiler/schedule/stages.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/schedule/stage_depths.hpp"
#include "compiler/schedule/state_reads.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Statement;
using ir::Value;

std::int64_t round_up(std::int64_t n) { return (n + kAlign - 1) / kAlign * kAlign; }

// A tile reads one column of several rows at a time. Where the rows lie a large power of two apart, all of them compete
// for the same few lines of L1: on a Zen 5, a line between rows saves up to 7 % at 512 units and more.
constexpr std::int64_t kFloatsApart = 256, kShortRow = 512;

std::int64_t spread_out(std::int64_t row) { return row >= kShortRow && row % kFloatsApart == 0 ? row + kAlign : row; }

Space space_of(Phase phase) {
  switch (phase) {
    case Phase::Once: return Space::Weights;
    case Phase::Sequence: return Space::Sequence;
    case Phase::Step: return Space::Step;
  }
  return Space::Step;
}

// Returns the digits of an element of the node's value: 0 where it is a float.
int digits_of(const Node& node) {
  return node.op == Op::Quantize ? static_cast<int>(node.ranges[0].begin.value() / runtime::kBitsOfDigit) : 0;
}

class Scheduler {
 public:
  Scheduler(Cell cell, std::vector<Phase> phases, StageDepths depths, std::int64_t most_work)
      : live_(live_nodes(cell)),
        depths_(std::move(depths)),
        stored_(stored_values(cell, phases, depths_.nodes, depths_.is_cut)) {
    for (std::size_t i = 0; i < stored_.size(); ++i) stored_[i] = stored_[i] || depths_.kept[i];
    schedule_.depths = depths_.nodes;
    schedule_.most_work = most_work;
    schedule_.homes.resize(cell.nodes.size());
    for (const auto& each : users(cell)) schedule_.uses.push_back(static_cast<int>(each.size()));
    for (std::uint32_t i = 0; i < cell.nodes.size(); ++i)
      if (is_gate(cell, Value{i})) schedule_.gates[cell.nodes[i].operands[0]].push_back(Value{i});
    schedule_.cell = std::move(cell);
    schedule_.phases = std::move(phases);
  }

  Schedule run() {
    place_inputs();
    place_params();
    place_states();
    place_stored();
    add_products();
    add_reductions();
    add_stores();
    sort_stages();
    add_work();
    choose_in_place();
    for (const Space space : {Space::Current, Space::Next, Space::InPlace, Space::Sequence, Space::Step}) {
      std::int64_t& row = schedule_.row_sizes[static_cast<int>(space)];
      row = spread_out(row);
    }
    return std::move(schedule_);
  }

 private:
  const Cell& cell() const { return schedule_.cell; }
  const Node& node(std::uint32_t i) const { return cell().nodes[i]; }
  Phase phase(std::uint32_t i) const { return schedule_.phases[i]; }
  int depth(std::uint32_t i) const { return schedule_.depths[i]; }
  bool is_stored(std::uint32_t i) const { return schedule_.homes[i].has_value(); }

  Home allocate(Space space, std::int64_t size) {
    std::int64_t& row = schedule_.row_sizes[static_cast<int>(space)];
    const Home home{space, row, size};
    row += round_up(size);
    return home;
  }

  Home allocate_for(std::uint32_t i) {
    Home home{space_of(phase(i)), 0, size_of(node(i)), digits_of(node(i))};
    home.offset = allocate(home.space, home.floats()).offset;
    return home;
  }

  // The rows of the caller are dense: inputs lie side by side in the order of their declarations.
  void place_inputs() {
    std::int64_t& row = schedule_.row_sizes[static_cast<int>(Space::Input)];
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i) {
      if (node(i).op != Op::Input) continue;
      schedule_.homes[i] = Home{Space::Input, row, size_of(node(i))};
      row += size_of(node(i));
    }
    schedule_.row_sizes[static_cast<int>(Space::Output)] = size_of(cell()[cell().output()]);
  }

  void place_params() {
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i)
      if (node(i).op == Op::Param && node(i).type.rank() < 2)
        schedule_.homes[i] = allocate(Space::Weights, size_of(node(i)));
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i)
      if (live_[i] && node(i).op == Op::Lookup) place_table(table_of(cell(), node(i)).param);
  }

  // A table keeps the rows of its matrix as they are. The space after the last row allows full registers to be read.
  void place_table(Value param) {
    if (is_stored(param.index)) return;
    const ir::Type& type = cell()[param].type;
    schedule_.homes[param.index] = allocate(Space::Weights, type.dims[0].value() * type.dims[1].value() + kAlign);
  }

  // All states are double-buffered at first; choose_in_place() moves the states that need no second buffer.
  void place_states() {
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i)
      if (node(i).op == Op::State) {
        schedule_.homes[i] = allocate(Space::Current, size_of(node(i)));
        state_homes_[node(i).name] = *schedule_.homes[i];
      }
  }

  // A value that becomes a state is stored as the state's new value and read from there, and a concat that is the
  // output alone is put together in the caller's row; any other value gets a slot in the row of its phase. The parts of
  // a concat are copied into the slot of the concat.
  void place_stored() {
    for (const Statement& statement : cell().statements) {
      const std::uint32_t value = statement.value.index;
      if (statement.kind == Statement::Kind::Output && node(value).op == Op::Concat && phase(value) == Phase::Step &&
          schedule_.uses[value] == 1)
        schedule_.homes[value] = Home{Space::Output, 0, size_of(node(value))};
      if (statement.kind != Statement::Kind::Next) continue;
      next_homes_[statement.name] = {Space::Next, state_home(statement.name).offset, state_home(statement.name).size};
      if (stored_[value] && !is_stored(value) && phase(value) == Phase::Step && is_computed_here(value))
        schedule_.homes[value] = next_homes_[statement.name];
    }
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i)
      if (stored_[i] && !is_stored(i)) schedule_.homes[i] = allocate_for(i);
  }

  bool is_computed_here(std::uint32_t i) const {
    return node(i).op != Op::Concat && node(i).op != Op::Hoist && node(i).op != Op::Reduce;
  }

  const Home& state_home(const std::string& name) const {
    const auto found = state_homes_.find(name);
    RNNC_ASSERT(found != state_homes_.end(), &cell());
    return found->second;
  }

  Stage& stage(Phase phase, int depth, std::int64_t units) {
    Stage& result = stages_[{phase, depth, units}];
    result.phase = phase;
    result.depth = depth;
    result.units = units;
    return result;
  }

  void add_products() {
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i) {
      if (!live_[i] || node(i).op != Op::Project) continue;
      const std::int64_t rows = cell()[node(i).operands[1]].type.dims[0].value();
      stage(phase(i), depth(i), rows).products.push_back(Value{i});
    }
  }

  void add_reductions() {
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i) {
      if (!live_[i] || node(i).op != Op::Reduce) continue;
      const std::uint32_t operand = node(i).operands[0].index;
      const bool has_indices = combining_of(node(i).reduction).has_indices;
      const Home partials = allocate(space_of(phase(i)), has_indices ? 2 * kPartials : kPartials);
      stage(phase(i), depths_.copies[i][0], size_of(node(operand)))
          .reductions.push_back({Value{i}, partials, *schedule_.homes[i]});
    }
  }

  void add_stores() {
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i) {
      if (!stored_[i]) continue;
      if (node(i).op == Op::Concat)
        add_parts(i);
      else if (node(i).op == Op::Hoist)
        store(node(i).operands[0], phase(i), depths_.copies[i][0], *schedule_.homes[i]);
      else if (node(i).op != Op::Reduce)
        store(Value{i}, phase(i), depth(i), *schedule_.homes[i]);
    }
    for (std::size_t i = 0; i < cell().statements.size(); ++i) {
      const Statement& statement = cell().statements[i];
      if (!ir::needs_value(statement)) continue;
      const Home target = statement.kind == Statement::Kind::Output
                              ? Home{Space::Output, 0, size_of(cell()[statement.value])}
                              : next_homes_[statement.name];
      const std::optional<Home>& own = schedule_.homes[statement.value.index];
      if (own && own->space == target.space && own->offset == target.offset) continue;  // already stored there
      store(statement.value, Phase::Step, depths_.statements[i], target, statement.kind == Statement::Kind::Output);
    }
  }

  void add_parts(std::uint32_t concat) {
    Home target = *schedule_.homes[concat];
    for (std::size_t k = 0; k < node(concat).operands.size(); ++k) {
      const Value part = node(concat).operands[k];
      target.size = size_of(cell()[part]);
      store(part, phase(concat), depths_.copies[concat][k], target, true);
      target.offset += target.size;
    }
  }

  void store(Value value, Phase phase, int at, Home target, bool exact = false) {
    stage(phase, at, target.size).stores.push_back({value, target, exact});
  }

  void sort_stages() {
    for (auto& [key, one] : stages_) schedule_.stages.push_back(std::move(one));
    for (Stage& one : schedule_.stages) {
      // Stacking can place a product in the list before a product that it starts from. The order of nodes is the order
      // of chains.
      std::sort(one.products.begin(), one.products.end());
    }
  }

  void add_work() {
    std::map<std::tuple<Phase, int, std::int64_t>, std::int64_t> work;
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i) {
      const std::int64_t own = work_of(node(i));
      if (!live_[i] || own == 0) continue;
      const Value rows = node(i).op == Op::Project ? node(i).operands[1] : Value{i};
      work[{phase(i), depth(i), size_of(cell()[rows])}] += own;
    }
    for (Stage& one : schedule_.stages) one.work = work[{one.phase, one.depth, one.units}];
  }

  // A state is overwritten in place if its old value is not read later than it is written, and not read across lanes
  // while it is written.
  void choose_in_place() {
    std::int64_t rows[2] = {0, 0};
    const StateReads reads = reads_of_states(schedule_);
    std::map<std::int64_t, std::size_t> written;  // the stage that writes a state, by the place of its new value
    for (std::size_t s = 0; s < schedule_.stages.size(); ++s)
      for (const Store& store : schedule_.stages[s].stores)
        if (store.home.space == Space::Next) written[store.home.offset] = s;
    for (std::uint32_t i = 0; i < cell().nodes.size(); ++i) {
      if (node(i).op != Op::State) continue;
      const bool doubled = !reads.end_with(i, written[schedule_.homes[i]->offset]);
      std::int64_t& row = rows[doubled];
      schedule_.states.push_back({node(i).name, doubled, row, size_of(node(i)), node(i).type.rank()});
      const Home old_home = *schedule_.homes[i];
      const Home next_home{doubled ? Space::Next : Space::InPlace, row, old_home.size};
      schedule_.homes[i] = Home{doubled ? Space::Current : Space::InPlace, row, old_home.size};
      relocate({Space::Next, old_home.offset, 0}, next_home);
      row += round_up(size_of(node(i)));
    }
    commit_relocations();
    schedule_.row_sizes[static_cast<int>(Space::Current)] = rows[1];
    schedule_.row_sizes[static_cast<int>(Space::Next)] = rows[1];
    schedule_.row_sizes[static_cast<int>(Space::InPlace)] = rows[0];
  }

  void relocate(const Home& from, const Home& to) { relocations_[from.offset] = to; }

  void commit_relocations() {
    const auto move = [&](Home& home) {
      if (home.space == Space::Next) home = relocations_.at(home.offset);
    };
    for (Stage& one : schedule_.stages)
      for (Store& store : one.stores) move(store.home);
    for (auto& home : schedule_.homes)
      if (home) move(*home);
  }

  Schedule schedule_;
  std::vector<bool> live_;
  StageDepths depths_;
  std::vector<bool> stored_;
  std::map<std::string, Home> state_homes_;
  std::map<std::string, Home> next_homes_;
  std::map<std::tuple<Phase, int, std::int64_t>, Stage> stages_;
  std::map<std::int64_t, Home> relocations_;
};

}  // namespace

std::string_view name(Space space) {
  switch (space) {
    case Space::Input: return "x";
    case Space::Output: return "y";
    case Space::Current: return "current";
    case Space::Next: return "next";
    case Space::InPlace: return "in-place";
    case Space::Sequence: return "sequence";
    case Space::Step: return "step";
    case Space::Weights: return "weights";
  }
  return "";
}

std::optional<Home> Schedule::find(Value value) const {
  std::int64_t offset = 0;
  std::optional<std::int64_t> size;
  while (!homes[value.index] && cell[value].op == Op::Slice) {
    offset += cell[value].ranges[0].begin.value();
    if (!size) size = cell[value].type.dims[0].value();
    value = cell[value].operands[0];
  }
  std::optional<Home> home = homes[value.index];
  if (!home) return std::nullopt;
  home->offset += offset;
  if (size) home->size = *size;
  return home;
}

Combining combining_of(ir::Reduction reduction) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (reduction) {
    case ir::Reduction::Sum: return {0, ir::Function::Add, false};
    case ir::Reduction::Max: return {-kInfinity, ir::Function::Max, false};
    case ir::Reduction::Argmax: return {-kInfinity, ir::Function::Max, true};
    case ir::Reduction::Mean:
    case ir::Reduction::Softmax:
    case ir::Reduction::LayerNorm: break;  // expand() leaves none of these
  }
  ir::internal_error(nullptr, "a reduction that no pass leaves");
}

runtime::NumberFormat format_of_product(const Cell& cell, Value product, runtime::NumberFormat weights) {
  if (!runtime::is_integer(weights)) return weights;
  return ir::is_of_integers(cell, cell[product]) ? weights : runtime::kRowFormat;
}

bool is_shared(const Stage& stage) { return stage.reductions.empty() && stage.units > 1; }

bool is_empty(const Stage& stage) { return stage.products.empty() && stage.stores.empty() && stage.reductions.empty(); }

Table table_of(const Cell& cell, const Node& lookup) {
  const Node* matrix = &cell[lookup.operands[0]];
  Table table{lookup.operands[0], 0, 0, matrix->type.dims[0].value()};
  while (matrix->op == Op::Slice) {
    table.first_row += matrix->ranges[0].begin.value();
    if (matrix->ranges.size() > 1) table.first_column += matrix->ranges[1].begin.value();
    table.param = matrix->operands[0];
    matrix = &cell[table.param];
  }
  RNNC_ASSERT(matrix->op == Op::Param, &cell);
  return table;
}

Schedule make_schedule(Cell cell, std::int64_t most_work, bool ahead) {
  if (!ahead) cell = leave_in_step(cell);
  std::vector<Phase> phases = ahead ? phases_of_hoisted(cell) : phases_in_step(cell);
  StageDepths depths = find_stage_depths(cell, phases, most_work);
  if (!ahead) delay_products(cell, phases, depths);
  return Scheduler(std::move(cell), std::move(phases), std::move(depths), most_work).run();
}

}  // namespace rnnc::compiler
