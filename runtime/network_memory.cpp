// Where the blocks of a network lie, and the states of its calls.
#include <algorithm>
#include <numeric>

#include "runtime/network.hpp"

namespace rnnc::runtime {
namespace {

constexpr std::int64_t kLine = kCacheLineFloats;  // full registers may read behind the end of a row
constexpr std::int64_t kTooMany = std::int64_t{1}
                                  << 46;  // no machine can address them; sums of many such are still numbers

std::int64_t rows_of(const Block& block, std::int64_t batch, std::int64_t max_steps) {
  return block.time == kNoTime ? batch : batch * max_steps;
}

// A block of the caller's needs room where its sequences differ in length.
std::int64_t size_of(const Block& block, std::int64_t batch, std::int64_t max_steps) {
  if (block.kind != Block::Kind::Own && block.time == kNoTime) return 0;
  const std::int64_t rows = rows_of(block, batch, max_steps);
  if (block.width > 0 && rows >= kTooMany / block.width) return kTooMany;
  return (rows * block.width + 2 * kLine - 1) / kLine * kLine;
}

std::int64_t rows_of_call(const CellCall& call, std::int64_t batch, std::int64_t max_steps) {
  if (!call.cell->description.states.empty()) return batch;
  const std::int64_t rows = call.time == kNoTime ? batch : batch * max_steps;
  return std::min(rows, std::max<std::int64_t>(1, call.cell->description.chunk_rows));
}

}  // namespace

int output_block(const LoadedNetwork& network) {
  if (network.output.size() != 1) return -1;
  const Piece& piece = network.output[0];
  const Block& block = network.blocks[static_cast<std::size_t>(piece.block)];
  const bool whole = block.time == network.output_time && block.width == piece.end - piece.begin;
  return whole && block.kind == Block::Kind::Own ? piece.block : -1;
}

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

std::vector<std::int64_t> plan_memory(const LoadedNetwork& network, std::int64_t batch, std::int64_t max_steps) {
  std::vector<std::int64_t> sizes;
  for (const Block& block : network.blocks) sizes.push_back(size_of(block, batch, max_steps));
  return place_blocks(network.blocks, sizes);
}

void add_wavefronts(LoadedNetwork& network) {
  network.wavefronts = find_wavefronts(network);
  for (const Wavefront& wavefront : network.wavefronts)
    for (Block& block : network.blocks) {
      if (block.last_wave < wavefront.first_wave || block.first_wave >= wavefront.end_wave) continue;
      block.first_wave = std::min(block.first_wave, wavefront.first_wave);
      block.last_wave = std::max(block.last_wave, wavefront.end_wave - 1);
    }
}

std::unique_ptr<NetworkState> make_network_state(const LoadedNetwork& network, std::int64_t batch,
                                                 std::int64_t max_steps, int threads) {
  auto state = std::make_unique<NetworkState>();
  state->batch = batch;
  state->max_steps = max_steps;
  for (std::size_t i = 0; i < network.times.size(); ++i) state->times.emplace_back(batch);
  for (const NetworkCall& call : network.calls) {
    CallState& memory = state->calls.emplace_back();
    const auto* cell = std::get_if<CellCall>(&call);
    if (!cell) continue;
    const Description& description = cell->cell->description;
    memory.cell = CellState(description, rows_of_call(*cell, batch, max_steps), threads);
    memory.in_place = AlignedBuffer(description.states.empty() ? 0 : batch * description.in_place_row);
  }
  state->offsets = plan_memory(network, batch, max_steps);
  state->arena = AlignedBuffer(state->offsets.back());
  state->blocks.resize(network.blocks.size());
  std::size_t calls = 0;
  for (const Wavefront& wavefront : network.wavefronts) calls = std::max(calls, wavefront.reads.size());
  state->progress = std::vector<Progress>(calls);
  start_sequences(network, *state, 0, batch);
  return state;
}

void start_sequences(const LoadedNetwork& network, NetworkState& state, std::int64_t first, std::int64_t end) noexcept {
  for (std::size_t i = 0; i < network.calls.size(); ++i) {
    const auto* call = std::get_if<CellCall>(&network.calls[i]);
    if (!call) continue;
    const Description& description = call->cell->description;
    const CellState& memory = state.calls[i].cell;
    for (const StateInfo& info : description.states)
      for (std::int64_t b = first; b < end; ++b) std::fill_n(memory.row(info, description, b), info.size, 0.0f);
    for (const StartState& start : call->starts) {
      const StateInfo& info = description.states[static_cast<std::size_t>(start.state)];
      for (std::int64_t b = first; b < end; ++b)
        std::copy_n(start.values.data(), info.size, memory.row(info, description, b));
    }
  }
}

std::int64_t network_state_bytes(const LoadedNetwork& network, std::int64_t batch, std::int64_t max_steps) {
  std::int64_t bytes = bytes_of(kRowFormat, plan_memory(network, batch, max_steps).back());
  for (const NetworkCall& call : network.calls) {
    const auto* cell = std::get_if<CellCall>(&call);
    if (!cell) continue;
    const Description& description = cell->cell->description;
    bytes += state_bytes(description, rows_of_call(*cell, batch, max_steps));
    bytes += bytes_of(kRowFormat, batch * description.in_place_row);
  }
  return bytes;
}

}  // namespace rnnc::runtime
