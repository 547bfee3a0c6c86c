#include "compiler/schedule/cost.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <numeric>
#include <vector>

#include "compiler/schedule/plan.hpp"

namespace rnnc::compiler {
namespace {

// The next three numbers count multiply-adds. With the constants of this file, the model's choice takes 0.4 to 1.4 %
// longer in the mean than the best of the plans that were timed on three machines, and 8 % at most
// (tests/unit/plan_test.cpp).
constexpr double kGroupOperations = 12;  // the start of a group of blocks: addresses, branches
constexpr double kCallOperations = 40;   // a call of a tile kernel: arguments, and chains that start and end at once
constexpr double kParkOperations = 3;    // a load and a store of an accumulator: a store takes two cycles
// The part that is not hidden of the times that are shorter than the longest. It tells tiles of one gate apart that
// have alike many multiply-adds in flight: on a Zen 5, at 16 sequences and 1,024 units, tiles of 6 rows and 4 vectors
// and of 8 rows and 3 take 8 % less time than 4 rows and 6 vectors, and 11 % less than 4 and 5 or 6 and 2.
constexpr double kExposed = 0.1;
// A part of a panel that takes more than twice the 32 KiB of L1 pushes the elements of the rows out of L1 between
// tiles.
constexpr double kLargePart = 64 * 1024, kLargePartFactor = 1.03;
// The element-wise part of one block is a chain of some 25 operations, each of which needs the one before. About half
// of their latency is exposed: the rest fills the gaps in which weights are loaded.
constexpr double kExposedLatencies = 12;
// The element-wise part of the last group takes longer than that of the others: nothing else is computed meanwhile. It
// tells plans apart that have wide groups and a long element-wise part: an LSTM of 80 units on a Xeon takes 18 % longer
// in one group of 5 blocks than block by block.
constexpr double kExposedOfLast = 0.15;

double whole(double a, double b) { return std::ceil(a / b); }

// Returns the time of one vector multiply-add at full rate.
double multiply_add(const StageShape& shape, const Machine& machine) {
  return 2.0 * shape.lanes / machine.flops_per_second;
}

// Returns the bytes of one vector of weights.
double vector_bytes(const StageShape& shape) {
  const std::int64_t columns = runtime::is_integer(shape.weights) ? runtime::kColumnsOfGroup : 1;
  return static_cast<double>(runtime::bytes_of(shape.weights, shape.lanes * columns));
}

// A stage has `count` groups of so many blocks.
struct Groups {
  int blocks = 0;
  double count = 0;
};

// Returns the groups of `width` blocks, and the one of the blocks that are left over.
std::array<Groups, 2> groups_of(int blocks, int width) {
  return {Groups{width, static_cast<double>(blocks / width)}, Groups{blocks % width, blocks % width > 0 ? 1.0 : 0.0}};
}

// Returns the time of work that runs side by side: that of the longest, and a part of the others, since none is hidden
// wholly behind another.
double overlapped(std::initializer_list<double> times) {
  const double longest = std::max(times), all = std::accumulate(times.begin(), times.end(), 0.0);
  return longest + kExposed * (all - longest);
}

// Returns how fast a group of so many blocks of one row reads its weights.
double row_bytes_per_second(const StageShape& shape, const Machine& machine, int blocks) {
  const LoneStream& lone = machine.lone_stream;
  const bool is_lone = blocks == 1 && runtime::bytes_of(shape.weights, 1) == 1 && shape.phase_bytes > lone.bytes;
  return machine.bytes_per_second(shape.phase_bytes) * (is_lone ? lone.times : 1);
}

// Returns how long a column of one row waits for the one before. Few sums of integers are taken in parts, so that eight
// of them are under way (compiler/llvm/integer_sums.cpp). Where weights have two digits, a sum gets two products of a
// column.
double row_latency(const StageShape& shape, const Machine& machine, double chains) {
  constexpr double kFewestSums = 8;
  if (!runtime::is_integer(shape.weights) || !shape.adds_at_once) return machine.latency;
  const double sums = chains * runtime::vector_digits(shape.weights);
  return machine.latency * runtime::weight_digits(shape.weights) * std::min(1.0, sums / kFewestSums);
}

// The weights of the next group are loaded while the element-wise part of this group is computed. The work that fits in
// the gaps between loads costs nothing, except for the last group.
double one_row(const StageShape& shape, const StagePlan& plan, const Machine& machine) {
  const double fma = multiply_add(shape, machine);
  double seconds = 0, hidden = 0, work_of_last = 0, hidden_of_last = 0, count = 0;
  for (const Groups& group : groups_of(shape.blocks, plan.single_blocks)) {
    if (group.count == 0) continue;
    const int vectors = group.blocks * shape.gates;
    const double stream = vectors * vector_bytes(shape) / row_bytes_per_second(shape, machine, group.blocks);
    double products = 0, gaps = 0;
    for (const PanelUse& panel : shape.panels) {
      const int together = std::min(panel.products, products_at_once(shape.registers, vectors));
      const double chains = vectors * together;
      const double columns = static_cast<double>(panel.columns) * whole(panel.products, together);
      const double loads = (vectors + together) / machine.vector_loads_per_second;
      const double latency = row_latency(shape, machine, chains);
      products += columns * overlapped({chains * fma * shape.products, stream, loads, latency});
      gaps += columns * std::max(0.0, std::max({stream, loads, latency}) - chains * fma * shape.products);
    }
    const double work = shape.operations * group.blocks * fma;
    work_of_last = work;
    hidden_of_last = std::min(gaps, work);
    hidden += group.count * hidden_of_last;
    seconds += group.count * (products + work + kGroupOperations * fma);
    count += group.count;
  }
  // The thread with the most groups is the last one, and each thread has a last group.
  const double share = whole(count, shape.threads) / count;
  const double gained = std::max(0.0, hidden - shape.threads * hidden_of_last);
  return share * (seconds - gained) + kExposedOfLast * work_of_last + kExposedLatencies * machine.latency;
}

// Returns the time of a column of a tile of `rows`, of groups of `blocks`, of which there are `tiles` side by side.
double tile_column(const StageShape& shape, const StagePlan& plan, const Machine& machine, int blocks, int rows,
                   double tiles) {
  const double fma = multiply_add(shape, machine);
  const int width = blocks * shape.gates;
  const std::vector<int> pieces = pieces_of_tile(rows, width, machine.chains(shape.lanes));
  const double column_bytes = width * vector_bytes(shape);
  const std::int64_t part_columns = runtime::is_integer(shape.weights) ? shape.columns : plan.panel_columns;
  const double part_bytes = static_cast<double>(part_columns) * column_bytes;
  const double stream = column_bytes / machine.bytes_per_second(part_bytes);
  const double passes = tiles * static_cast<double>(pieces.size());
  const double from_afar = column_bytes / machine.bytes_per_second(shape.phase_bytes) / passes;
  double seconds = 0;
  for (const int piece : pieces)
    seconds += overlapped({width * piece * fma * shape.products, (width + piece) / machine.vector_loads_per_second,
                           stream, from_afar, machine.latency});
  return seconds * (part_bytes > kLargePart ? kLargePartFactor : 1);
}

double many_rows(const StageShape& shape, const StagePlan& plan, const Machine& machine, std::int64_t rows) {
  const double fma = multiply_add(shape, machine), columns = static_cast<double>(shape.columns);
  const auto tiles = (rows + plan.batch_rows - 1) / plan.batch_rows;
  const double longer = static_cast<double>(rows % tiles), shorter = static_cast<double>(tiles) - longer;
  const auto size = static_cast<int>(rows / tiles);
  const double parts = whole(columns, static_cast<double>(plan.panel_columns));
  double seconds = 0;
  for (const Groups& group : groups_of(shape.blocks, plan.batch_blocks)) {
    if (group.count == 0) continue;
    const auto column = [&](int tile_rows) {
      return tile_column(shape, plan, machine, group.blocks, tile_rows, static_cast<double>(tiles));
    };
    const double parks = parts * (group.blocks * shape.gates * static_cast<double>(rows) * kParkOperations +
                                  static_cast<double>(tiles) * kCallOperations);
    const double work = static_cast<double>(shape.operations * group.blocks * rows);
    const double products = shorter * column(size) + (longer > 0 ? longer * column(size + 1) : 0);
    seconds += group.count * (columns * products + (parks + work) * fma);
  }
  return seconds;
}

}  // namespace

double stage_seconds(const StageShape& shape, const StagePlan& plan, const Machine& machine, std::int64_t rows) {
  if (rows == 1 || plan.batch_rows == 0) return static_cast<double>(rows) * one_row(shape, plan, machine);
  return many_rows(shape, plan, machine, rows);
}

}  // namespace rnnc::compiler
