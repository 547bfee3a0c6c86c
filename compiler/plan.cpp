#include "compiler/plan.hpp"

#include <algorithm>
#include <sstream>

#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Value;

// Hoisted values of a chunk stay in L2 beside the weights of the recurrence, but a chunk has rows enough to make reading
// the input's weights cheap.
constexpr std::int64_t kChunkBytes = 256 * 1024;
constexpr std::int64_t kMinChunkRows = 128, kMaxChunkRows = 4096;
// Chains that hide an FMA's latency while weights stream from L2: 4 were 7 % faster than 8 for LSTM, GRU and RNN of 128
// units, for less of the element-wise part then comes at once. Where all chains of a stage are few, they go together.
constexpr int kChains = 4, kFewChains = 12, kLeastChains = 3;
constexpr std::int64_t kNearBytes = 24 * 1024;
// Weights side by side in a batch tile: with few gates, more blocks share a row's broadcast.
constexpr int kMostWidth = 6, kDetourWidth = 3;
constexpr int kMostRows = 8;
// A short product is not worth parking its accumulators for.
constexpr std::int64_t kFewColumns = 8;
constexpr std::int64_t kMostUnroll = 4;
// The part of a panel that all rows of a group pass over. Parking costs more than reading from L2: of 16, 32, 64 and
// 128 KiB, 64 was fastest for LSTM and GRU of 256 to 512 units and batches of 6 to 64, by 2 to 6 % over 16 (48 KiB of L1).
constexpr std::int64_t kPanelBytes = 64 * 1024;
// Weights of more than this come from beyond L2 at every step.
constexpr std::int64_t kFarBytes = 1024 * 1024;
constexpr std::int64_t kParkedBytes = 16 * 1024;
constexpr std::int64_t kMostGroupRows = 64;
constexpr int kStridedSums = 16;

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

int gates_of(const Schedule& schedule, Value product) {
  return static_cast<int>(schedule.cell[product].operands.size() / 2);
}

int most_gates(const Schedule& schedule, const Stage& stage) {
  int gates = 0;
  for (Value product : stage.products) gates = std::max(gates, gates_of(schedule, product));
  return gates;
}

// Registers for accumulators: what is left beside the weights of one column and the broadcast operand.
int accumulators(const Target& target) { return target.registers * 3 / 4; }

// Blocks side by side when there is one row: enough chains to hide latency, and if it can be an even split of the blocks,
// which needs no code for a rest.
int blocks_for_one_row(int gates, int blocks, int together, int budget, bool is_near) {
  if (is_near && gates * blocks <= std::min(kFewChains, budget)) return blocks;
  const int most = std::clamp(budget / gates, 1, blocks);
  const int wanted = std::min(most, static_cast<int>(divide_up(kChains, gates)));
  int best = static_cast<int>(divide_up(wanted, together)) * together;
  for (const int n : {wanted - 1, wanted + 1, wanted})
    if (n >= 1 && n <= most && n % together == 0 && blocks % n == 0 && n * gates >= kLeastChains) best = n;
  return best;
}

// As many rows as registers can hold; of narrow tiles only as many as hide latency, for each number of rows is code.
int rows_of_tile(int width, int budget) {
  return std::clamp(std::min(budget / width, width < 3 ? 3 + width : kMostRows), 1, kMostRows);
}

// Blocks side by side for a tile of rows: the form whose operands are used most often, among those that split the blocks
// evenly.
int blocks_for_rows(int gates, int blocks, int budget) {
  int best = 1;
  double most_uses = 0;
  // The accumulators of several gates and blocks are not evenly apart where they start and end: they take a detour.
  if (gates >= kDetourWidth) return best;
  for (int n = 1; n <= blocks && n * gates <= kMostWidth; ++n) {
    const double width = n * gates, rows = rows_of_tile(n * gates, budget);
    const double uses = width * rows / (width + rows);
    if (blocks % n != 0 || uses <= most_uses) continue;
    best = n;
    most_uses = uses;
  }
  return best;
}

std::int64_t most_columns(const Schedule& schedule, const Stage& stage) {
  std::int64_t columns = 0;
  for (Value product : stage.products)
    columns = std::max(columns, schedule.cell[schedule.cell[product].operands[0]].type.dims[0].value());
  return columns;
}

// The units past the last full block are so few that several gates fit in a vector.
bool gates_share_vectors(std::int64_t units, std::int64_t lanes, int gates) {
  const std::int64_t left = units % lanes;
  return left > 0 && units > lanes && gates > 1 && 2 * left <= lanes;
}

StagePlan plan_stage(const Schedule& schedule, const Stage& stage, const Target& target) {
  const int gates = most_gates(schedule, stage);
  const int blocks = static_cast<int>(divide_up(stage.units, target.lanes));
  const int budget = accumulators(target);
  const int parts = stage.reductions.empty() ? 1 : kStridedSums / target.lanes;
  const auto whole_parts = [&](int n) { return static_cast<int>(divide_up(n, parts)) * parts; };
  StagePlan plan;
  plan.single_blocks = parts;
  if (gates == 0) return plan;
  const bool is_packed = gates_share_vectors(stage.units, target.lanes, gates);
  const int alike = is_packed ? blocks - 1 : blocks;
  plan.batch_blocks = whole_parts(blocks_for_rows(gates, alike, budget));
  const std::int64_t columns = most_columns(schedule, stage);
  const std::int64_t vector_bytes = std::int64_t{target.lanes} * 4;
  const bool is_near = blocks * gates * columns * vector_bytes <= kNearBytes;
  plan.single_blocks = whole_parts(blocks_for_one_row(gates, blocks, plan.batch_blocks, budget, is_near));
  if (columns < kFewColumns) return plan;

  const int width = plan.batch_blocks * gates;
  plan.batch_rows = rows_of_tile(width, budget);
  const std::int64_t parked = std::min(kParkedBytes / (width * vector_bytes), kMostGroupRows);
  plan.group_rows = static_cast<int>(std::max<std::int64_t>(1, parked / plan.batch_rows)) * plan.batch_rows;
  const std::int64_t fitting = std::max<std::int64_t>(kFewColumns, kPanelBytes / (width * vector_bytes));
  const std::int64_t parts_of_panel = divide_up(columns, fitting);
  plan.panel_columns = divide_up(divide_up(columns, parts_of_panel), kMostUnroll) * kMostUnroll;
  plan.fetch_ahead = columns * stage.units * gates * 4 > kFarBytes;
  return plan;
}

std::int64_t panel_size(const Panel& panel, std::int64_t lanes) {
  const std::int64_t tail = panel.units % lanes > 0 ? panel.vectors(true) : 0;
  return (panel.units / lanes * panel.gates + tail) * lanes * panel.columns;
}

std::vector<Panel> plan_panels(const Schedule& schedule, const std::vector<StagePlan>& stages, int lanes,
                               std::int64_t& end) {
  std::vector<Panel> panels;
  for (std::size_t s = 0; s < schedule.stages.size(); ++s) {
    const Stage& stage = schedule.stages[s];
    for (Value product : stage.products) {
      const Node& node = schedule.cell[product];
      Panel panel{product, end, stage.units, schedule.cell[node.operands[0]].type.dims[0].value(),
                  gates_of(schedule, product)};
      panel.together = stages[s].batch_blocks;
      if (gates_share_vectors(panel.units, lanes, panel.gates))
        panel.tail_gates = static_cast<int>(std::min<std::int64_t>(lanes / (panel.units % lanes), panel.gates));
      end += panel_size(panel, lanes);
      end = divide_up(end, kStridedSums) * kStridedSums;
      panels.push_back(panel);
    }
  }
  return panels;
}

}  // namespace

const Panel& Plan::panel(Value product) const {
  return *std::find_if(panels.begin(), panels.end(), [&](const Panel& panel) { return panel.product == product; });
}

std::int64_t Plan::block_groups(std::size_t index, const Stage& stage) const {
  return divide_up(divide_up(stage.units, lanes), stages[index].single_blocks);
}

Plan make_plan(const Schedule& schedule, const Target& target, int threads) {
  Plan plan;
  plan.threads = threads;
  plan.lanes = target.lanes;
  for (const Stage& stage : schedule.stages) plan.stages.push_back(plan_stage(schedule, stage, target));
  plan.weights_size = schedule.row_size(Space::Weights);
  plan.panels = plan_panels(schedule, plan.stages, target.lanes, plan.weights_size);
  const std::int64_t row_bytes = std::max<std::int64_t>(1, schedule.row_size(Space::Sequence)) * 4;
  plan.chunk_rows = std::clamp(kChunkBytes / row_bytes, kMinChunkRows, kMaxChunkRows);
  return plan;
}

std::string print(const Plan& plan, const Schedule& schedule, const Target& target) {
  std::ostringstream out;
  out << "target " << target.cpu << ": " << plan.lanes << " lanes, " << target.registers << " registers"
      << (target.fma ? "" : ", no fma");
  if (plan.threads > 1) out << ", " << plan.threads << " threads";
  out << "\n";
  for (std::size_t s = 0; s < schedule.stages.size(); ++s) {
    const Stage& stage = schedule.stages[s];
    out << "stage " << s << ": " << name(stage.phase) << ", depth " << stage.depth << ", " << stage.units << " units\n";
    for (Value product : stage.products) {
      const Panel& panel = plan.panel(product);
      out << "  product: " << panel.gates << " x [" << panel.units << ", " << panel.columns << "], panel at "
          << panel.offset;
      if (panel.is_packed()) out << ", last block " << panel.tail_gates << " gates a vector";
      out << "\n";
    }
    const StagePlan& tiles = plan.stages[s];
    out << "  one row: " << tiles.single_blocks << " blocks";
    if (tiles.batch_rows > 0)
      out << "; more: " << tiles.batch_rows << " rows x " << tiles.batch_blocks << " blocks, groups of "
          << tiles.group_rows << " rows, " << tiles.panel_columns << " columns"
          << (tiles.fetch_ahead ? ", next block fetched ahead" : "");
    out << "\n";
    for (const Store& store : stage.stores)
      out << "  store: " << name(store.home.space) << " + " << store.home.offset << ", " << store.home.size
          << (store.exact ? ", exact" : "") << "\n";
    for (const ReductionStep& reduction : stage.reductions)
      out << "  " << facts(schedule.cell[reduction.node].reduction).name << ": " << name(reduction.result.space)
          << " + " << reduction.result.offset << "\n";
  }
  for (const StateHome& state : schedule.states)
    out << "state " << state.name << ": " << (state.doubled ? "double-buffered" : "in place") << " + " << state.offset
        << ", " << state.size << "\n";
  out << "rows: sequence " << schedule.row_size(Space::Sequence) << ", step " << schedule.row_size(Space::Step)
      << "; chunk of " << plan.chunk_rows << " rows\n";
  out << "weights: " << plan.weights_size * 4 << " bytes\n";
  return out.str();
}

}  // namespace rnnc::compiler
