// A program as it is run: its steps, the cells that they run with their code and weights, and the memory of a batch.
// Sizes follow from the batch and the number of steps when a state is made; blocks that are never needed together share
// memory.
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
  std::vector<Wavefront> wavefronts = {};  // of a program that runs on several threads
  const LoadedCell* direct = nullptr;      // the only cell, where is_direct says that there is nothing else to do

  const LoadedCell& cell(int i) const { return *cells[static_cast<std::size_t>(i)]; }
};

struct CellMemory {
  CellState state;
  AlignedBuffer in_place;  // to sort states
};

/// Memory of one batch.
struct NetworkState {
  std::int64_t batch = 0;
  std::int64_t max_steps = 0;  // of a call, or of a piece of it where the program takes pieces
  std::vector<Timeline> times;
  std::vector<CellMemory> cells;
  std::vector<std::int64_t> offsets;  // of blocks in `arena`
  AlignedBuffer arena;
  std::vector<RowView> blocks;     // of the call that runs
  std::vector<Progress> progress;  // as many as the calls of the longest wavefront
};

/// Lets layers run as wavefronts: the blocks that they need are all needed at the same time then.
void add_wavefronts(LoadedNetwork& network);

/// Throws std::bad_alloc.
std::unique_ptr<NetworkState> make_network_state(const LoadedNetwork& network, std::int64_t batch,
                                                 std::int64_t max_steps, int threads);

/// States of sequences [first, end), in the caller's order, to those of a new sequence.
void start_sequences(const LoadedNetwork& network, NetworkState& state, std::int64_t first, std::int64_t end) noexcept;

/// Places for blocks of these sizes, and behind the last one the size of all: the largest block first, each at the
/// lowest place that no block needed at the same time has.
RNNC_API std::vector<std::int64_t> place_blocks(const std::vector<Block>& blocks,
                                                const std::vector<std::int64_t>& sizes);

/// The place of each block in an arena, in floats, and behind the last one the arena's size.
RNNC_API std::vector<std::int64_t> plan_memory(const StepList& list, std::int64_t batch, std::int64_t max_steps);

/// The bytes that a state takes.
std::int64_t network_state_bytes(const LoadedNetwork& network, std::int64_t batch, std::int64_t max_steps);

RunStatus run_network(const LoadedNetwork& network, const Threads& threads, const RunArguments& arguments,
                      NetworkState& state) noexcept;

}  // namespace rnnc::runtime
