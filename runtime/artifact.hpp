// Generated code comes with a description of all that is needed to run it: the rows that it reads and writes, the
// packing of its weights, and the arguments of its kernels. Artifact files and caches store the description beside the
// code. This header needs no LLVM: the linker hands over function pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <rnnc/tensor.hpp>

#include "runtime/panel_layout.hpp"

namespace rnnc::runtime {

/// Counts the stages that a part of a call has finished. Each part's count has a cache line of its own.
struct alignas(kCacheLineBytes) Flag {
  std::uint64_t stages = 0;
};

/// The arguments of the generated `run`, on cache lines of their own. The order of the fields is the binary interface
/// that compiler/llvm/emit_kernel.cpp writes against. All rows are of the row format. `current` and `next` have swapped
/// their roles after an odd number of steps.
struct alignas(kCacheLineBytes) KernelArguments {
  const float* x;            // x_t of sequence b at x + t * x_step + b * x_row
  float* y;                  // y_t of sequence b at y + t * y_step + b * y_row
  float* current;            // old values of double-buffered states [batch, row]
  float* next;               // their new values
  float* in_place;           // the other states [batch, row]
  float* sequence;           // values hoisted out of the recurrence [chunk_steps * batch, row]
  float* step;               // values within a step [batch, row]
  const float* weights;      // the packed block
  std::int64_t x_step;       // floats from one time step of x to the next; negative where time is read backwards
  std::int64_t y_step;       // the same of y
  std::int64_t steps;        // >= 1
  std::int64_t batch;        // >= 1
  std::int64_t chunk_steps;  // time steps whose hoisted values fit in `sequence`, >= 1
  std::int64_t x_row;        // floats from one sequence of x to the next, >= input_size; rows may lie in wider ones
  std::int64_t y_row;        // the same of y
  // Only code for several threads reads the fields below. Each thread calls `run` with its own `part` of the same
  // arguments.
  Flag* flags;         // one for each part, all equal when the call begins
  std::int64_t part;   // in [0, parts)
  std::int64_t parts;  // >= 1
  void (*yield)();     // called now and then while a part waits for another
};

using RunKernel = void (*)(const KernelArguments*);
/// Computes what depends on parameters only, in place, once after packing.
using PrepareKernel = void (*)(float* weights);

struct TensorInfo {
  std::string name;
  Shape shape;  // of one sequence at one step: [] or [n]; of parameters up to [n, k]
};

/// A state and the place of its row: in `current` and `next`, or in `in_place`.
struct StateInfo {
  TensorInfo tensor;
  bool doubled = false;
  std::int64_t offset = 0;  // floats, in its row
  std::int64_t size = 0;    // elements
  // A state may begin within these: the scale of its integers was made for them.
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
};

/// A vector or scalar parameter, copied to `offset` floats into the packed block.
struct VectorPacking {
  std::string param;
  std::int64_t offset = 0;
  std::int64_t size = 0;
};

/// Rows [row, row + rows) and columns [column, column + columns) of a parameter that become rows from `first_row` of
/// gate `gate` of a panel.
struct MatrixPiece {
  std::string param;
  std::int64_t row = 0, column = 0, rows = 0;
  std::int64_t first_row = 0;
  int gate = 0;
};

/// The weights of a stacked product, as a packed panel: the layout is drawn in compiler/schedule/plan.hpp.
struct PanelPacking {
  std::int64_t offset = 0;  // floats of the packed block
  std::int64_t units = 0;
  std::int64_t columns = 0;
  NumberFormat format = kRowFormat;  // of the weights
  int gates = 0;
  int lanes = 0;
  int together = 1;  // blocks of a group
  int tail_gates = 1;
  std::vector<MatrixPiece> pieces = {};
  NumberFormat rounding = kRowFormat;    // weights are rounded to this format before they are stored in `format`
  bool shifted = false, sparse = false;  // as in PanelShape

  PanelShape shape() const { return {units, columns, gates, lanes, together, tail_gates, format, shifted, sparse}; }
};

struct Description {
  std::string cell;
  std::string cpu;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> params;
  std::vector<StateInfo> states;
  TensorInfo output;
  std::int64_t input_size = 0;  // floats of one row of x: all inputs side by side in order of declaration
  std::int64_t output_size = 0;
  std::int64_t doubled_row = 0, in_place_row = 0, sequence_row = 0, step_row = 0;  // floats
  std::int64_t chunk_rows = 0;
  std::int64_t weights_size = 0;  // floats of the packed block, without the entries of sparse panels behind it
  double flops_per_step = 0;      // of one sequence, products only
  double recurrent_bytes = 0;     // packed weights that every step reads
  int step_stages = 0;            // of each step, one after the other
  double shared_bytes = 0;        // the part of recurrent_bytes whose stages threads may share
  double row_seconds = 0;      // time of one sequence's products at one step by the cost model, without reading weights
  double weights_seconds = 0;  // time to read the weights of one step
  std::int64_t block_groups = 0;  // of the largest stage of a step that threads may share; 0 in code for one thread
  std::vector<VectorPacking> vectors;
  std::vector<PanelPacking> panels;
};

// Object code defines these.
inline constexpr const char* kRunSymbol = "rnnc_run";
inline constexpr const char* kPrepareSymbol = "rnnc_prepare";

}  // namespace rnnc::runtime
