// A loaded network is a program in memory: its steps, its cells with code and weights, and the memory of a batch. The
// sizes follow from the batch and the number of steps when a state is made; blocks that are never needed in the same
// wave share memory.
#pragma once

#include <memory>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

#include "runtime/cell.hpp"
#include "runtime/steps.hpp"
#include "runtime/wavefront.hpp"

namespace rnnc::runtime {

struct LoadedNetwork {
  StepList list;
  std::vector<std::shared_ptr<const LoadedCell>> cells;
  std::vector<Wavefront> wavefronts = {};  // of a program that runs on several threads; otherwise empty
  const LoadedCell* direct = nullptr;      // the only cell if is_direct(list), otherwise null

  const LoadedCell& cell(int i) const { return *cells[static_cast<std::size_t>(i)]; }
};

struct CellMemory {
  CellState state;
  AlignedBuffer in_place;  // spare rows to sort states
};

/// The memory of one batch.
struct NetworkState {
  std::int64_t batch = 0;
  std::int64_t max_steps = 0;  // of a call, or of one piece of time if the program runs in pieces
  std::vector<Timeline> times;
  std::vector<CellMemory> cells;
  std::vector<std::int64_t> offsets;  // of the blocks in `arena`
  AlignedBuffer arena;
  std::vector<RowView> blocks;     // the rows of each block in the call that runs
  std::vector<Progress> progress;  // as many as the calls of the longest wavefront
};

/// Finds the layers that may run as wavefronts. The blocks of a wavefront then count as needed at the same time.
void add_wavefronts(LoadedNetwork& network);

/// Makes the state of a batch. Throws std::bad_alloc.
std::unique_ptr<NetworkState> make_network_state(const LoadedNetwork& network, std::int64_t batch,
                                                 std::int64_t max_steps, int threads);

/// Sets the states of sequences [first, end), in the caller's order, to those of a new sequence.
void start_sequences(const LoadedNetwork& network, NetworkState& state, std::int64_t first, std::int64_t end) noexcept;

/// Returns an offset for each block of these sizes, and behind the last one the size of all. Blocks are placed largest
/// first, each at the lowest offset that no block of the same waves has.
RNNC_API std::vector<std::int64_t> place_blocks(const std::vector<Block>& blocks,
                                                const std::vector<std::int64_t>& sizes);

/// Returns the offset of each block in an arena, in floats, and behind the last one the size of the arena.
RNNC_API std::vector<std::int64_t> plan_memory(const StepList& list, std::int64_t batch, std::int64_t max_steps);

/// Returns the size of a state in bytes.
std::int64_t network_state_bytes(const LoadedNetwork& network, std::int64_t batch, std::int64_t max_steps);

RunStatus run_network(const LoadedNetwork& network, const Threads& threads, const RunArguments& arguments,
                      NetworkState& state) noexcept;

}  // namespace rnnc::runtime
