// A network as its executor sees it: calls of loaded cells and functions over time, in waves of calls that do not read
// each other's results, and the blocks of memory that they read and write. The compiler makes it; sizes follow from the
// batch and the number of steps when a state is made, and blocks that are never needed together share memory.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

#include "runtime/cell.hpp"
#include "runtime/functions.hpp"
#include "runtime/wavefront.hpp"

namespace rnnc::runtime {

inline constexpr int kNoTime = -1;

/// Rows of `width` floats: one for each sequence and step of a time, in the timeline's order; or, of no time, one for
/// each sequence, in the caller's.
struct Block {
  enum class Kind : std::uint8_t { Own, X, Input };  // ours; the caller's x; the caller's input `input`
  Kind kind = Kind::Own;
  int time = kNoTime;
  std::int64_t width = 0;
  int input = 0;
  int first_wave = 0, last_wave = 0;  // that need it, both included; the caller's are there from wave 0 on
};

/// Columns [begin, end) of a block. A row of no time stands for itself at each step.
struct Piece {
  int block = 0;
  std::int64_t begin = 0, end = 0;
};

struct InitialState {
  int state = 0;  // of the cell's description
  std::vector<Piece> from;
};

/// What a state is at the beginning of a sequence, where that is not zero: one row, of every sequence.
struct StartState {
  int state = 0;
  std::vector<float> values;
};

struct FinalState {
  int state = 0;
  Piece to;
};

/// A cell over a time, or over rows that do not depend on each other where it has no states.
struct CellCall {
  std::shared_ptr<const LoadedCell> cell;
  int time = kNoTime;
  bool reverse = false;
  std::vector<Piece> x;    // gathered into `gathered` where it is not one piece of the same time
  int gathered = -1;       // block
  bool repeats_x = false;  // it is of no time: one row a sequence, in the timeline's order, is read at each step
  Piece y;
  std::vector<InitialState> initial;  // at the beginning of each call
  std::vector<StartState> starts;     // at the beginning of each sequence, which may take several calls
  std::vector<FinalState> final_states;
};

/// Over each sequence's own length; of none, 0.
struct TimeCall {
  OverTime function{};
  int time = 0;
  std::vector<Piece> x;
  Piece y;
};

using NetworkCall = std::variant<CellCall, TimeCall>;

/// A state as the caller names it: `a.h`.
struct NetworkStateInfo {
  std::string name;
  int call = 0;
  int state = 0;
};

struct LoadedNetwork {
  std::vector<std::string> times;
  std::vector<Block> blocks;
  std::vector<NetworkCall> calls;  // sorted by wave
  std::vector<int> waves;          // where each begins among the calls, and the number of calls
  std::vector<NamedPort> inputs;   // by name
  std::vector<NetworkStateInfo> states;
  std::vector<Piece> output;
  int output_time = kNoTime;
  std::string no_streaming;           // why it cannot run step by step; "" where it can
  std::vector<Wavefront> wavefronts;  // of a network that runs on several threads
};

struct CallState {
  CellState cell;
  AlignedBuffer in_place;  // to sort states
};

/// Memory of one batch.
struct NetworkState {
  std::int64_t batch = 0, max_steps = 0;
  std::vector<Timeline> times;
  std::vector<CallState> calls;
  std::vector<std::int64_t> offsets;  // of blocks in `arena`
  AlignedBuffer arena;
  std::vector<Rows> blocks;        // of the call that runs
  std::vector<Progress> progress;  // as many as the calls of the longest wavefront
};

/// Lets layers run as wavefronts: the blocks that they need are all needed at the same time then.
void add_wavefronts(LoadedNetwork& network);

/// Throws std::bad_alloc.
std::unique_ptr<NetworkState> make_network_state(const LoadedNetwork& network, std::int64_t batch,
                                                 std::int64_t max_steps, int threads);

/// States of sequences [first, end), of calls in the caller's order, to those of a new sequence.
void start_sequences(const LoadedNetwork& network, NetworkState& state, std::int64_t first, std::int64_t end) noexcept;

/// The block that is the output and nothing else, which can lie in the caller's y where all sequences are as long; -1
/// where there is none.
RNNC_API int output_block(const LoadedNetwork& network);

/// Blocks of these sizes one behind the other, and behind the last one the size of all: the largest first, each at the
/// lowest place that no block needed at the same time has.
RNNC_API std::vector<std::int64_t> place_blocks(const std::vector<Block>& blocks,
                                                const std::vector<std::int64_t>& sizes);

/// Where each block lies in an arena, in floats, and behind the last one the arena's size.
RNNC_API std::vector<std::int64_t> plan_memory(const LoadedNetwork& network, std::int64_t batch,
                                               std::int64_t max_steps);

/// What a state takes, in bytes.
std::int64_t network_state_bytes(const LoadedNetwork& network, std::int64_t batch, std::int64_t max_steps);

RunStatus run_network(const LoadedNetwork& network, const Threads& threads, const RunArguments& arguments,
                      NetworkState& state) noexcept;

}  // namespace rnnc::runtime
