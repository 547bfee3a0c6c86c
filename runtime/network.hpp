// A loaded network is a program in memory: its steps, its cells with code and weights, and the memory of calls. The
// sizes follow from the batch and the number of steps when a workspace is made; blocks that are never needed in the
// same wave share memory.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

#include "runtime/cell.hpp"
#include "runtime/state_places.hpp"
#include "runtime/steps.hpp"
#include "runtime/wavefront.hpp"

namespace rnnc::runtime {

struct LoadedNetwork {
  StepList list;
  std::vector<std::shared_ptr<const LoadedCell>> cells;
  std::vector<Wavefront> wavefronts = {};  // of a program that runs on several threads; otherwise empty
  const LoadedCell* direct = nullptr;      // the only cell if is_direct(list), otherwise null
  StatePlaces places = {};

  const LoadedCell& cell(int i) const { return *cells[static_cast<std::size_t>(i)]; }
};

/// The memory of a call of at most `batch` sequences and `max_steps` steps. One workspace serves any number of states.
struct NetworkWorkspace {
  std::int64_t batch = 0;
  std::int64_t max_steps = 0;  // of a call, or of one piece of time if the program runs in pieces
  std::vector<Timeline> times;
  std::vector<CellWorkspace> cells;
  std::vector<CellRows> states;       // of each cell, in the call that runs
  std::vector<std::int64_t> offsets;  // of the blocks in `arena`
  AlignedBuffer arena;
  std::vector<RowView> blocks;     // the rows of each block in the call that runs
  std::vector<Progress> progress;  // as many as the calls of the longest wavefront
};

/// Finds the layers that may run as wavefronts. The blocks of a wavefront then count as needed at the same time.
void add_wavefronts(LoadedNetwork& network);

/// The number of steps that a workspace is made for. If calls are longer, `any` makes memory for as many steps as are
/// fast where a call can be cut; the program then takes calls of any length.
struct StepsOfCalls {
  std::int64_t most = 1;
  bool any = false;
};

/// Makes the memory of calls. Throws std::bad_alloc.
std::unique_ptr<NetworkWorkspace> make_workspace(const LoadedNetwork& network, std::int64_t batch, StepsOfCalls steps,
                                                 int threads);

/// Returns the size of a workspace's rows in bytes; the lists beside them are smaller than the rows.
std::int64_t workspace_bytes(const LoadedNetwork& network, std::int64_t batch, StepsOfCalls steps);

/// Returns the number of floats that the states of `batch` sequences take: of one cell after the other, each array on a
/// cache line.
std::int64_t state_floats(const LoadedNetwork& network, std::int64_t batch);

/// Returns an offset for each block of these sizes, and behind the last one the size of all. Blocks are placed largest
/// first, each at the lowest offset that no block of the same waves has.
RNNC_API std::vector<std::int64_t> place_blocks(const std::vector<Block>& blocks,
                                                const std::vector<std::int64_t>& sizes);

/// Returns the offset of each block in an arena, in floats, and behind the last one the size of the arena.
RNNC_API std::vector<std::int64_t> plan_memory(const StepList& list, std::int64_t batch, std::int64_t max_steps);

/// Checks that a span of a call has the elements that the call reads or writes.
inline RunStatus check_span(std::span<const float> span, std::int64_t elements) noexcept {
  if (elements > 0 && !span.data()) return RunStatus::MissingPointer;
  return std::ssize(span) < elements ? RunStatus::ShortSpan : RunStatus::Ok;
}

/// Runs a call on `batch` sequences, whose states workspace.states names. The workspace fits the program and the batch.
RunStatus run_network(const LoadedNetwork& network, const Threads& threads, const RunArguments& arguments,
                      std::int64_t batch, NetworkWorkspace& workspace) noexcept;

}  // namespace rnnc::runtime
