#include "compiler/schedule/plan_stage.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "compiler/passes/analysis.hpp"
#include "runtime/sharing.hpp"

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Op;
using ir::Value;

// A tile of kMostWidth vectors at most may hold several blocks, which share the broadcast of an element of the row.
// Products of kDetourWidth gates and more keep to one block: the start values and results of several gates and blocks
// are not evenly spaced in memory, so a tile cannot read and write them in place.
constexpr int kMostWidth = 4, kDetourWidth = 3;
// A tile has kMostRows rows at most, and is narrow where it has fewer than kNarrow vectors.
constexpr int kMostRows = 8, kNarrow = 3;
constexpr int kMostSingleBlocks = 12;
// A product of fewer columns than this is computed row by row: storing its accumulators in memory does not pay.
constexpr std::int64_t kFewColumns = 8;
// Parts of a panel begin at a multiple of so many columns.
constexpr std::int64_t kMultipleOfColumns = 4;
// The size of the part of a panel that all rows of a group pass over. Storing and loading accumulators costs more than
// reading weights from L2: of 8 to 1024 KiB, 64 KiB was the fastest for LSTM and GRU of 64 to 512 units and batches of
// 6 to 64, by up to 6 %.
constexpr std::int64_t kPanelBytes = 64 * 1024;
// Weights of more bytes than this do not stay in an L2 of 1 MiB from step to step. If they are fetched ahead, batches
// at 384 and 512 units take 8 to 13 % less time (docs/performance.md).
constexpr std::int64_t kFarBytes = 1024 * 1024;
// Blocks that are left over need tiles of their own, so a plan with a rest must be faster by this part. A vanilla GRU
// of 128 units compiles in 90 ms without a rest and in 110 with one.
constexpr double kCodeOfRest = 0.01;
// The accumulators of a group of rows take half of an L1 of 32 KiB at most.
constexpr std::int64_t kParkedBytes = 16 * 1024;
constexpr std::int64_t kMostGroupRows = 64;
constexpr int kOperationsOfQuantize = 6;

// Returns the number of registers for accumulators. The others hold the weights of one column and the broadcast
// operand. Without FMA, each product needs a register too before it is added.
// Integers of two digits have two sums, and products of bytes by their signs need as many registers again.
int accumulators(const Target& target, runtime::NumberFormat weights) {
  const bool is_added_at_once = runtime::is_integer(weights) ? target.byte_products != ByteProducts::Signs : target.fma;
  const int registers = is_added_at_once ? target.registers * 3 / 4 : (target.registers + 1) / 2;
  return registers / std::max(1, runtime::vector_digits(weights));
}

// Returns as many rows as registers can hold. A narrow tile gets only half as many rows again as hide latency, because
// each number of rows needs code of its own.
int rows_of_tile(int width, int budget, int chains) {
  const int enough = std::max(kNarrow + 1, static_cast<int>(divide_up(3 * chains, 2 * width)));
  return std::clamp(std::min(budget / width, width < kNarrow ? enough : kMostRows), 1, kMostRows);
}

std::int64_t most_columns(const Schedule& schedule, const Stage& stage) {
  std::int64_t columns = 0;
  for (Value product : stage.products)
    columns = std::max(columns, schedule.cell[schedule.cell[product].operands[0]].type.dims[0].value());
  return columns;
}

// A stage of so little work is mostly its loop on a small machine, and takes so many blocks at once there.
constexpr std::int64_t kLittleWork = 16;
constexpr int kBlocksOfLittle = 4;

// Candidates makes the plausible plans of one stage.
class Candidates {
 public:
  Candidates(const Schedule& schedule, const Stage& stage, const Target& target, const Machine& machine,
             runtime::NumberFormat weights)
      : target_(target),
        chains_(machine.chains(target.lanes)),
        weights_(weights),
        units_(stage.units),
        columns_(most_columns(schedule, stage)),
        blocks_(static_cast<int>(divide_up(stage.units, target.lanes))),
        parts_(stage.reductions.empty() ? 1 : static_cast<int>(kPartials) / target.lanes),
        is_mostly_loop_(target.is_small && stage.reductions.empty() && stage.work <= kLittleWork) {
    for (Value product : stage.products) gates_ = std::max(gates_, gates_of(schedule, product));
  }

  std::vector<StagePlan> all() {
    if (gates_ == 0) return {StagePlan{.single_blocks = is_mostly_loop_ ? kBlocksOfLittle : parts_}};
    // A last block whose gates share vectors is a group of its own and does not count here.
    const int alike = gates_share_vectors(units_, target_.lanes, gates_) ? blocks_ - 1 : blocks_;
    for (int n = 1; n <= alike && (n == 1 || n * gates_ <= kMostWidth); ++n)
      if (n == 1 || gates_ < kDetourWidth) add_single_widths(whole_parts(n));
    return std::move(plans_);
  }

 private:
  // Rounds `n` up to whole sets of blocks: the blocks that make up the 16 partial results of a reduction are not split.
  int whole_parts(int n) const { return static_cast<int>(divide_up(n, parts_)) * parts_; }

  void add_single_widths(int together) {
    const int most = std::min(kMostSingleBlocks, std::max(1, accumulators(target_, weights_) / gates_));
    bool any = false;
    for (int n = together; n <= most && n < blocks_ + together; n += together) {
      // A width that does not divide the number of blocks needs code for the rest. Such a width is added only if it
      // takes all blocks at once or no width was added before.
      if (blocks_ % n != 0 && n < blocks_ && any) continue;
      any = true;
      add(together, std::min(n, whole_parts(blocks_)));
    }
    if (!any) add(together, together);
  }

  void add(int together, int single_blocks) {
    const StagePlan plan{.single_blocks = single_blocks, .batch_blocks = together};
    if (columns_ < kFewColumns || target_.is_small) return plans_.push_back(plan);
    if (runtime::is_integer(weights_)) return plans_.push_back(with_rows(plan, kPanelBytes));
    for (const std::int64_t panel_bytes : {kPanelBytes, kPanelBytes / 2, 2 * kPanelBytes}) {
      const StagePlan batch = with_rows(plan, panel_bytes);
      if (std::find(plans_.begin(), plans_.end(), batch) == plans_.end()) plans_.push_back(batch);
    }
  }

  StagePlan with_rows(StagePlan plan, std::int64_t panel_bytes) const {
    const int width = plan.batch_blocks * gates_;
    plan.batch_rows = rows_of_tile(width, accumulators(target_, weights_), chains_);
    const std::int64_t parked =
        std::min(kParkedBytes / runtime::bytes_of(runtime::kRowFormat, width * target_.lanes), kMostGroupRows);
    plan.group_rows = static_cast<int>(std::max<std::int64_t>(1, parked / plan.batch_rows)) * plan.batch_rows;
    const std::int64_t fitting =
        std::max<std::int64_t>(kFewColumns, panel_bytes / runtime::bytes_of(weights_, width * target_.lanes));
    const std::int64_t parts_of_panel = divide_up(columns_, fitting);
    // Sums of integers are not kept between parts of a panel.
    const std::int64_t part = runtime::is_integer(weights_) ? columns_ : divide_up(columns_, parts_of_panel);
    plan.panel_columns = divide_up(part, kMultipleOfColumns) * kMultipleOfColumns;
    plan.fetch_ahead = runtime::bytes_of(weights_, columns_ * units_ * gates_) > kFarBytes;
    return plan;
  }

  const Target& target_;
  int chains_;  // the multiply-adds that must be in flight
  runtime::NumberFormat weights_;
  std::int64_t units_, columns_;
  int blocks_, parts_, gates_ = 0;
  bool is_mostly_loop_;
  std::vector<StagePlan> plans_;
};

// Tells whether the weights of a step fill a level of the caches without being many times as large: if a step begins
// where the one before ended, it finds weights there that an order without turns would have pushed out.
bool outlives_a_step(double bytes, const Machine& machine) {
  constexpr double kLeast = 0.5, kMost = 5;
  return std::any_of(machine.memory.begin(), machine.memory.end() - 1, [&](const MemoryLevel& level) {
    return bytes >= kLeast * level.bytes && bytes <= kMost * level.bytes;
  });
}

// Returns the time of a vector of weights by one row, in multiply-adds of f32. A vector of integers has the weights of
// a group of columns.
double products_of_bytes(const Target& target, runtime::NumberFormat weights) {
  constexpr double kInstructionsBySigns = 4, kLongInstructions = 6, kWordInstructions = 8, kDualInstructions = 20;
  if (!runtime::is_integer(weights)) return 1;
  const double products = runtime::weight_digits(weights) == 2 ? 3 : runtime::vector_digits(weights);
  switch (target.byte_products) {
    case ByteProducts::Unsigned:
    case ByteProducts::Signed: return products;
    case ByteProducts::Signs: return products * kInstructionsBySigns / 2;
    case ByteProducts::Wide:
    case ByteProducts::Long: return products * kLongInstructions / 2;
    case ByteProducts::Words: return products * kWordInstructions / 2;
    case ByteProducts::Rows: return products;
    case ByteProducts::Dual: return products * kDualInstructions / 2;
  }
  return products;
}

// Returns the facts about each stage on which its cost depends.
std::vector<StageShape> shapes_of(const Schedule& schedule, const Target& target, const PlanOptions& options) {
  const runtime::NumberFormat weights = options.weights;
  const ir::Cell& cell = schedule.cell;
  std::vector<StageShape> shapes;
  std::map<Phase, double> phase_bytes;
  std::set<std::pair<Phase, Value>> read;
  std::map<std::tuple<Phase, int, std::int64_t>, int> operations;
  const std::vector<Phase>& phase = schedule.phases;
  for (std::uint32_t i = 0; i < cell.nodes.size(); ++i) {
    const Node& node = cell.nodes[i];
    if (node.type.rank() != 1 || (node.op != Op::Map && node.op != Op::Quantize)) continue;
    operations[{phase[i], schedule.depths[i], node.type.dims[0].value()}] +=
        node.op == Op::Map ? operations_of(node.function) : kOperationsOfQuantize;
  }
  for (const Stage& stage : schedule.stages) {
    StageShape shape;
    if (!stage.products.empty()) shape.weights = format_of_product(cell, stage.products.front(), weights);
    shape.adds_at_once = adds_at_once(target.byte_products);
    shape.products = products_of_bytes(target, shape.weights);
    shape.lanes = target.lanes;
    shape.threads = is_shared(stage) ? options.threads : 1;
    shape.blocks = static_cast<int>(divide_up(stage.units, target.lanes));
    shape.gates = 0;
    shape.registers = target.registers;
    std::map<std::vector<Value>, std::size_t> panels;  // the index of each in shape.panels
    for (Value product : stage.products) {
      const ir::Type& matrix = cell[cell[product].operands[1]].type;
      const int gates = gates_of(schedule, product);
      for (const Value gate : matrices_of(cell, product))
        if (read.emplace(stage.phase, gate).second)
          phase_bytes[stage.phase] +=
              static_cast<double>(runtime::bytes_of(shape.weights, matrix.dims[0].value() * matrix.dims[1].value()));
      shape.gates = std::max(shape.gates, gates);
      const std::int64_t all = matrix.dims[1].value();
      const std::int64_t columns = runtime::is_integer(shape.weights) ? runtime::groups_of_columns(all) : all;
      shape.columns += columns;
      // Sums of integers are computed product by product.
      const auto [use, is_new] = panels.try_emplace(matrices_of(cell, product), shape.panels.size());
      if (is_new || runtime::is_integer(shape.weights))
        shape.panels.push_back({1, columns});
      else
        ++shape.panels[use->second].products;
    }
    shape.operations = operations[{stage.phase, stage.depth, stage.units}];
    shapes.push_back(shape);
  }
  for (std::size_t i = 0; i < shapes.size(); ++i) shapes[i].phase_bytes = phase_bytes[schedule.stages[i].phase];
  return shapes;
}

}  // namespace

double multiply_adds_as_one(const Target& target, runtime::NumberFormat weights) {
  const double columns = runtime::is_integer(weights) ? runtime::kColumnsOfGroup : 1;
  return columns / products_of_bytes(target, weights);
}

int gates_of(const Schedule& schedule, ir::Value product) {
  return static_cast<int>(schedule.cell[product].operands.size() / 2);
}

bool gates_share_vectors(std::int64_t units, std::int64_t lanes, int gates) {
  const std::int64_t left = units % lanes;
  return left > 0 && units > lanes && gates > 1 && 2 * left <= lanes;
}

std::vector<std::vector<Candidate>> plan_candidates(const Schedule& schedule, const Target& target,
                                                    const PlanOptions& options) {
  const std::vector<StageShape> shapes = shapes_of(schedule, target, options);
  const Machine machine = options.machine.value_or(machine_of(target));
  std::vector<std::vector<Candidate>> result;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    std::vector<Candidate>& candidates = result.emplace_back();
    const Stage& stage = schedule.stages[i];
    // Reductions add up the blocks in their order.
    const bool turns =
        stage.phase == Phase::Step && stage.reductions.empty() && outlives_a_step(shapes[i].phase_bytes, machine);
    // A call whose steps are too short to be shared runs the same code on one thread.
    StageShape alone = shapes[i];
    alone.threads = 1;
    const auto one_row = [&](const StagePlan& plan) {
      const double shared = stage_seconds(shapes[i], plan, machine, 1);
      if (shapes[i].threads == 1) return shared;
      if (options.beside_others) return stage_seconds(alone, plan, machine, 1);
      const double single = stage_seconds(alone, plan, machine, 1);
      return shared + runtime::kMeetingSeconds < single ? shared : single;
    };
    for (StagePlan& plan : Candidates(schedule, stage, target, machine, options.weights).all()) {
      plan.turns = turns;
      candidates.push_back({plan, {one_row(plan), stage_seconds(shapes[i], plan, machine, kPlannedRows)}});
    }
    const auto cost = [&](const Candidate& candidate) {
      const bool has_rest = shapes[i].blocks % candidate.plan.batch_blocks != 0;
      return candidate.times.one_row * candidate.times.many_rows * (has_rest ? 1 + kCodeOfRest : 1);
    };
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](const Candidate& a, const Candidate& b) { return cost(a) < cost(b); });
  }
  return result;
}

std::vector<double> stage_seconds(const Schedule& schedule, const Plan& plan, const Target& target, std::int64_t rows) {
  const PlanOptions options{.threads = plan.threads, .weights = plan.weights};
  const std::vector<StageShape> shapes = shapes_of(schedule, target, options);
  std::vector<double> seconds(shapes.size());
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (schedule.stages[i].phase == Phase::Once) continue;
    // Values are computed ahead for the rows of many steps, of which the sequence's length tells how many.
    const std::int64_t together = schedule.stages[i].phase == Phase::Step ? rows : std::max(rows, kPlannedRows);
    const double part = static_cast<double>(rows) / static_cast<double>(together);
    seconds[i] = part * stage_seconds(shapes[i], plan.stages[i], plan.machine, together);
  }
  return seconds;
}

double step_seconds(const Schedule& schedule, const Plan& plan, const Target& target, std::int64_t rows) {
  const std::vector<double> seconds = stage_seconds(schedule, plan, target, rows);
  return std::accumulate(seconds.begin(), seconds.end(), 0.0);
}

}  // namespace rnnc::compiler
