// This file decides the place of each block of a network in memory and makes the states of its cells.
#include <algorithm>
#include <numeric>

#include "runtime/network.hpp"

namespace rnnc::runtime {
namespace {

constexpr std::int64_t kLine = kCacheLineFloats;  // full registers may read behind the end of a row
// No machine can address so many floats, and sums of many such numbers still fit in 64 bits.
constexpr std::int64_t kTooMany = std::int64_t{1} << 46;

std::int64_t rows_of(const Block& block, std::int64_t batch, std::int64_t max_steps) {
  return block.time == kNoTime ? batch : batch * max_steps;
}

// Returns the floats of a block. A block of the caller's needs memory too if it is over a time: sequences of different
// lengths are copied into it.
std::int64_t size_of(const Block& block, std::int64_t batch, std::int64_t max_steps) {
  if (batch == 0 || (block.kind != Block::Kind::Own && block.time == kNoTime)) return 0;
  const std::int64_t rows = rows_of(block, batch, max_steps);
  if (block.width > 0 && rows >= kTooMany / block.width) return kTooMany;
  return (rows * block.width + 2 * kLine - 1) / kLine * kLine;
}

// Returns the number of rows that each cell runs at a time: those of the batch for a scan, and a chunk of rows for a
// cell without states, whose rows do not depend on each other.
std::vector<std::int64_t> rows_of_cells(const LoadedNetwork& network, std::int64_t batch, std::int64_t max_steps) {
  std::vector<std::int64_t> rows(network.cells.size(), batch);
  if (network.direct) return rows;
  for (const AnyStep& step : network.list.steps)
    if (const auto* each = std::get_if<Rows>(&step)) {
      const std::int64_t all = each->time == kNoTime ? batch : batch * max_steps;
      const std::int64_t chunk = std::max<std::int64_t>(1, network.cell(each->cell).description.chunk_rows);
      rows[static_cast<std::size_t>(each->cell)] = std::min(all, chunk);
    }
  return rows;
}

// Returns the steps that memory is planned for. A direct scan works on the caller's memory; only sequences of different
// lengths are copied, one chunk of time after another. Calls in pieces need room for a piece of one step at least.
std::int64_t steps_of_state(const LoadedNetwork& network, std::int64_t batch, std::int64_t max_steps) {
  if (network.direct) return chunk_steps(network.direct->description, batch);
  return network.list.pieces_of == kNoTime ? max_steps : std::max<std::int64_t>(1, max_steps);
}

}  // namespace

std::vector<std::int64_t> place_blocks(const std::vector<Block>& blocks, const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> offsets(blocks.size() + 1);
  std::vector<std::size_t> order(blocks.size()), placed;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  for (const std::size_t i : order) {
    std::sort(placed.begin(), placed.end(), [&](std::size_t a, std::size_t b) { return offsets[a] < offsets[b]; });
    std::int64_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together =
          blocks[i].first_wave <= blocks[other].last_wave && blocks[other].first_wave <= blocks[i].last_wave;
      if (together && offset < offsets[other] + sizes[other] && offsets[other] < offset + sizes[i])
        offset = offsets[other] + sizes[other];
    }
    offsets[i] = offset;
    offsets.back() = std::max(offsets.back(), offset + sizes[i]);
    placed.push_back(i);
  }
  return offsets;
}

std::vector<std::int64_t> plan_memory(const StepList& list, std::int64_t batch, std::int64_t max_steps) {
  std::vector<std::int64_t> sizes;
  for (const Block& block : list.blocks) sizes.push_back(size_of(block, batch, max_steps));
  return place_blocks(list.blocks, sizes);
}

void add_wavefronts(LoadedNetwork& network) {
  network.wavefronts = find_wavefronts(network.list);
  for (const Wavefront& wavefront : network.wavefronts)
    for (Block& block : network.list.blocks) {
      if (block.last_wave < wavefront.first_wave || block.first_wave >= wavefront.end_wave) continue;
      block.first_wave = std::min(block.first_wave, wavefront.first_wave);
      block.last_wave = std::max(block.last_wave, wavefront.end_wave - 1);
    }
}

std::unique_ptr<NetworkState> make_network_state(const LoadedNetwork& network, std::int64_t batch,
                                                 std::int64_t max_steps, int threads) {
  auto state = std::make_unique<NetworkState>();
  state->batch = batch;
  state->max_steps = steps_of_state(network, batch, max_steps);
  for (std::size_t i = 0; i < network.list.times.size(); ++i) state->times.emplace_back(batch);
  const std::vector<std::int64_t> rows = rows_of_cells(network, batch, state->max_steps);
  for (std::size_t i = 0; i < network.cells.size(); ++i) {
    const Description& description = network.cells[i]->description;
    const std::int64_t to_sort = description.states.empty() ? 0 : batch * description.in_place_row;
    state->cells.push_back({CellState(description, rows[i], threads), AlignedBuffer(to_sort)});
  }
  state->offsets = plan_memory(network.list, batch, state->max_steps);
  state->arena = AlignedBuffer(state->offsets.back());
  state->blocks.resize(network.list.blocks.size());
  std::size_t calls = 0;
  for (const Wavefront& wavefront : network.wavefronts) calls = std::max(calls, wavefront.reads.size());
  state->progress = std::vector<Progress>(calls);
  start_sequences(network, *state, 0, batch);
  return state;
}

void start_sequences(const LoadedNetwork& network, NetworkState& state, std::int64_t first, std::int64_t end) noexcept {
  for (std::size_t i = 0; i < network.cells.size(); ++i) {
    const Description& description = network.cells[i]->description;
    for (const StateInfo& info : description.states)
      for (std::int64_t b = first; b < end; ++b)
        std::fill_n(state.cells[i].state.row(info, description, b), info.size, 0.0f);
  }
  for (const StartState& start : network.list.starts) {
    const Description& description = network.cell(start.cell).description;
    const StateInfo& info = description.states[static_cast<std::size_t>(start.state)];
    for (std::int64_t b = first; b < end; ++b)
      std::copy_n(start.values.data(), info.size,
                  state.cells[static_cast<std::size_t>(start.cell)].state.row(info, description, b));
  }
}

std::int64_t network_state_bytes(const LoadedNetwork& network, std::int64_t batch, std::int64_t max_steps) {
  const std::int64_t steps = steps_of_state(network, batch, max_steps);
  std::int64_t floats = plan_memory(network.list, batch, steps).back(), bytes = 0;
  const std::vector<std::int64_t> rows = rows_of_cells(network, batch, steps);
  for (std::size_t i = 0; i < network.cells.size(); ++i) {
    const Description& description = network.cells[i]->description;
    bytes += state_bytes(description, rows[i]);
    if (!description.states.empty()) floats += batch * description.in_place_row;
  }
  return bytes + bytes_of(kRowFormat, floats);
}

}  // namespace rnnc::runtime
