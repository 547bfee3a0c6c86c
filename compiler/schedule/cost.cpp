#include "compiler/schedule/cost.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/schedule/plan.hpp"

namespace rnnc::compiler {
namespace {

// The next three numbers count multiply-adds. With the constants of this file, the model's choice was within 5 % of the
// best of the plans that were timed for 22 shapes (tests/unit/plan_test.cpp allows 15 %).
constexpr double kGroupOperations = 12;  // the start of a group of blocks: addresses, branches
constexpr double kCallOperations = 40;   // a call of a tile kernel: arguments, and chains that start and end at once
constexpr double kParkOperations = 3;    // a load and a store of an accumulator: a store takes two cycles
// A part of a panel that takes more than twice the 32 KiB of L1 pushes the elements of the rows out of L1 between
// tiles.
constexpr double kLargePart = 64 * 1024, kLargePartFactor = 1.03;
// The element-wise part of one block is a chain of some 25 operations, each of which needs the one before. About half
// of their latency is exposed: the rest fills the gaps in which weights are loaded.
constexpr double kExposedLatencies = 12;

double whole(double a, double b) { return std::ceil(a / b); }

// Returns the time of one vector multiply-add at full rate.
double multiply_add(const StageShape& shape, const Machine& machine) {
  return 2.0 * shape.lanes / machine.flops_per_second;
}

// Returns the bytes of one vector of weights.
double vector_bytes(const StageShape& shape) {
  return static_cast<double>(runtime::bytes_of(shape.weights, shape.lanes));
}

// The weights of the next group are loaded while the element-wise part of this group is computed. The work that fits in
// the gaps between loads costs nothing, except for the last group.
double one_row(const StageShape& shape, const StagePlan& plan, const Machine& machine) {
  const double fma = multiply_add(shape, machine);
  const double chains = plan.single_blocks * shape.gates, columns = static_cast<double>(shape.columns);
  const double stream = chains * vector_bytes(shape) / machine.bytes_per_second(shape.phase_bytes);
  const double loads = (chains + 1) / machine.vector_loads_per_second;
  const double column = std::max({chains * fma, stream, loads, machine.latency});
  const double groups = whole(shape.blocks, plan.single_blocks);
  const double work = shape.operations * plan.single_blocks * fma;
  const double gaps = columns * std::max(0.0, column - chains * fma);
  const double hidden = (groups - 1) * std::min(gaps, work);
  return groups * (columns * column + work + kGroupOperations * fma) - hidden + kExposedLatencies * machine.latency;
}

double many_rows(const StageShape& shape, const StagePlan& plan, const Machine& machine, double rows) {
  const double fma = multiply_add(shape, machine);
  const double width = plan.batch_blocks * shape.gates;
  const double tiles = whole(rows, plan.batch_rows), tile_rows = rows / tiles;
  const double loads = (width + tile_rows) / machine.vector_loads_per_second;
  const double column_bytes = width * vector_bytes(shape);
  const double part_bytes = static_cast<double>(plan.panel_columns) * column_bytes;
  const double stream = column_bytes / machine.bytes_per_second(part_bytes);
  const double from_afar = column_bytes / machine.bytes_per_second(shape.phase_bytes) / tiles;
  const double column = std::max({width * tile_rows * fma, loads, stream, from_afar, machine.latency});
  const double parts = whole(static_cast<double>(shape.columns), static_cast<double>(plan.panel_columns));
  const double groups = whole(shape.blocks, plan.batch_blocks);
  const double parks = width * tile_rows * parts * kParkOperations + parts * kCallOperations;
  const double work = shape.operations * plan.batch_blocks * tile_rows;
  const double factor = part_bytes > kLargePart ? kLargePartFactor : 1;
  return groups * tiles * (static_cast<double>(shape.columns) * column * factor + (parks + work) * fma);
}

}  // namespace

// A function that is approximated is a polynomial of about 14 of them.
// A product of two such functions that divides once costs as much as both.
int operations_of(ir::Function function) {
  constexpr int kPolynomial = 14;
  const bool is_product = static_cast<std::size_t>(function) >= ir::kFunctions.size();
  if (is_product) return (function == ir::Function::SigmoidMul ? 1 : 2) * kPolynomial + 1;
  if (ir::facts(function).ulp > 0.5) return kPolynomial;
  return function == ir::Function::Div || function == ir::Function::Sqrt ? 8 : 1;
}

double stage_seconds(const StageShape& shape, const StagePlan& plan, const Machine& machine, std::int64_t rows) {
  if (rows == 1 || plan.batch_rows == 0) return static_cast<double>(rows) * one_row(shape, plan, machine);
  return many_rows(shape, plan, machine, static_cast<double>(rows));
}

}  // namespace rnnc::compiler
