// A program is a list of steps, in the order in which they run, and the blocks of memory that they read and write. The
// compiler decides the list once (compiler/network/layout.cpp); the runtime executes it, objects are emitted from it,
// and artifacts store it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

#include "runtime/functions.hpp"

namespace rnnc::runtime {

inline constexpr int kNoTime = -1;

/// Rows of `width` floats. A block over a time has one row for each sequence and step, in the timeline's order; a block
/// without a time has one row for each sequence, in the caller's order.
struct Block {
  enum class Kind : std::uint8_t { Own, X, Input };  // the program's own; the caller's x; the caller's input `input`
  Kind kind = Kind::Own;
  int time = kNoTime;
  std::int64_t width = 0;
  int input = 0;
  int first_wave = 0,
      last_wave = 0;  // the waves that need the block, both included; the caller's blocks are there from wave 0 on
};

/// Columns [begin, end) of a block. A row without a time is read again at each step.
struct Piece {
  int block = 0;
  std::int64_t begin = 0, end = 0;

  std::int64_t width() const { return end - begin; }
  friend bool operator==(const Piece&, const Piece&) = default;
};

/// Copies the pieces side by side into the rows of `to`, which has the same time.
struct Gather {
  std::vector<Piece> from;
  Piece to;
};

/// Copies one row for each sequence, from pieces without a time, into `to`, in the order of the timeline `time`.
struct Repeat {
  int time = kNoTime;
  std::vector<Piece> from;
  Piece to;
};

/// Sets state `state` of cell `cell` to the pieces side by side, which have no time, at the beginning of each call.
struct Begin {
  int cell = 0;
  int state = 0;  // of the cell's description
  std::vector<Piece> from;
};

/// Runs a cell with states over each sequence, forwards or backwards. `x` has the same time; or, if `repeats`, `x` is
/// one row for each sequence, in the timeline's order, that each step reads. A cell without inputs has an `x` of no
/// columns.
struct Scan {
  int cell = 0;
  int time = kNoTime;
  bool reverse = false;
  bool repeats = false;
  Piece x, y;
};

/// Runs a cell without states over the rows of a time, which do not depend on each other.
struct Rows {
  int cell = 0;
  int time = kNoTime;
  Piece x, y;
};

/// Copies state `state` of cell `cell` to one row for each sequence, at the end of each call.
struct End {
  int cell = 0;
  int state = 0;
  Piece to;
};

/// Computes a function over the steps of each sequence, up to the sequence's own length. The result for no steps is 0.
/// `to` has no time, or the same one where the function gives a sequence.
struct ReduceTime {
  OverTime function{};
  int time = 0;
  std::vector<Piece> from;
  Piece to;
};

using AnyStep = std::variant<Gather, Repeat, Begin, Scan, Rows, End, ReduceTime>;

/// A state by the name that the caller uses, `a.h`, and its place.
struct NamedState {
  std::string name;
  int cell = 0;
  int state = 0;
};

/// The value of a state at the beginning of a sequence, if it is not zero: one row for every sequence.
struct StartState {
  int cell = 0;
  int state = 0;
  std::vector<float> values;
};

/// An output of the program: the pieces side by side, with a row for each sequence and step of its time.
struct Output {
  Port port;
  int time = kNoTime;
  std::vector<Piece> from;

  std::int64_t width() const {
    std::int64_t sum = 0;
    for (const Piece& piece : from) sum += piece.width();
    return sum;
  }
};

/// The work of a call over a time: it is a scan or rows of a cell, or a function over time, which has no cell.
struct Running {
  int cell = -1;
  int time = kNoTime;
  bool reverse = false;
};

/// The list of steps. The steps of a call are consecutive: its gathers and begins, then the step that runs, then its
/// ends. Calls of one wave do not read rows that another call of the wave writes.
struct StepList {
  std::vector<std::string> times;
  std::vector<Block> blocks;
  std::vector<AnyStep> steps;
  std::vector<int> calls;         // the first step of each call, and the number of steps
  std::vector<int> waves;         // the first call of each wave, and the number of calls
  int cells = 0;                  // cells, each with weights and states of its own, in the order of their calls
  std::vector<NamedPort> inputs;  // by name
  std::vector<NamedState> states;
  std::vector<StartState> starts;
  std::vector<Output> outputs;  // one or more; the first is y, the others are written where the caller wants them
  std::string no_streaming;     // why the program cannot run step by step; "" where it can
  /// The time of which a call may have more steps than there is memory for, since the call may be cut into pieces: all
  /// steps are over this time, every scan runs forwards, and nothing needs the end of a sequence. kNoTime if there is
  /// no such time.
  int pieces_of = kNoTime;

  const Block& block(const Piece& piece) const { return blocks[static_cast<std::size_t>(piece.block)]; }

  /// These return the steps of a call and the calls of a wave.
  std::span<const AnyStep> steps_of(int call) const {
    const auto at = static_cast<std::size_t>(call);
    return {steps.data() + calls[at], steps.data() + calls[at + 1]};
  }

  /// Returns what a call runs; nothing has no time.
  Running running(int call) const;

  int first_call(int wave) const { return waves[static_cast<std::size_t>(wave)]; }
  int count_waves() const { return static_cast<int>(waves.size()) - 1; }
  int count_calls() const { return static_cast<int>(calls.size()) - 1; }
};

/// These return the columns of blocks that a step reads, and those that it writes.
std::vector<Piece> reads(const AnyStep& step);
Piece writes(const AnyStep& step);  // no columns if it writes none

/// Tells whether the program only runs one cell over time T forwards, on rows that are the caller's x and y.
RNNC_API bool is_direct(const StepList& list);

/// Returns the block that is the whole of output `output` and can lie in the caller's memory if all sequences have the
/// same length; -1 if there is none, or if an output before this one is the same block.
RNNC_API int output_block(const StepList& list, std::size_t output = 0);

/// Prints a line for each step and block, under headings of waves, for people and tests. `cells` are the names of the
/// cells.
RNNC_API std::string print(const StepList& list, const std::vector<std::string>& cells);

}  // namespace rnnc::runtime
