// This file decides the place of each block of a network in memory and makes the memory of calls and states.
#include <algorithm>
#include <map>
#include <numeric>

#include "runtime/network.hpp"

namespace rnnc::runtime {
namespace {

constexpr std::int64_t kLine = kCacheLineFloats;  // full registers may read behind the end of a row

std::int64_t rows_of(const Block& block, std::int64_t batch, std::int64_t max_steps) {
  return block.time == kNoTime ? batch : floats_of(batch, max_steps);
}

// Returns the floats of a block. A block of the caller's needs memory too if it is over a time: sequences of different
// lengths are copied into it.
std::int64_t size_of(const Block& block, std::int64_t batch, std::int64_t max_steps) {
  if (batch == 0 || (block.kind != Block::Kind::Own && block.time == kNoTime)) return 0;
  return whole_lines(floats_of(rows_of(block, batch, max_steps), block.width) + kLine);
}

// Returns the number of rows that each cell runs at a time: those of the batch for a scan, and a chunk of rows for a
// cell without states, whose rows do not depend on each other.
std::vector<std::int64_t> rows_of_cells(const LoadedNetwork& network, std::int64_t batch, std::int64_t max_steps) {
  std::vector<std::int64_t> rows(network.cells.size(), batch);
  if (network.direct) return rows;
  for (const AnyStep& step : network.list.steps)
    if (const auto* each = std::get_if<Rows>(&step)) {
      const std::int64_t all = each->time == kNoTime ? batch : floats_of(batch, max_steps);
      const std::int64_t chunk = std::max<std::int64_t>(1, network.cell(each->cell).description.chunk_rows);
      rows[static_cast<std::size_t>(each->cell)] = std::min(all, chunk);
    }
  return rows;
}

// The steps that memory is planned for.
struct PlannedSteps {
  std::int64_t of_blocks = 0;  // of a call, or of a piece of one
  std::int64_t of_cells = 0;   // of hoisted values, at most
};

// A direct scan works on the caller's memory; only sequences of different lengths are copied, one piece of time after
// another. x and y of a piece take at most half of a second cache of 1 MiB, or are one step. Calls in pieces need room
// for a piece of one step at least.
PlannedSteps planned_steps(const LoadedNetwork& network, std::int64_t batch, StepsOfCalls steps) {
  constexpr std::int64_t kPieceBytes = 512 * 1024;
  const std::int64_t most = network.list.pieces_of == kNoTime ? steps.most : std::max<std::int64_t>(1, steps.most);
  if (!network.direct) return {most, most};
  const Description& description = network.direct->description;
  const std::int64_t chunk = chunk_steps(description, batch), wanted = steps.any ? chunk : std::min(chunk, most);
  const std::int64_t step = floats_of(batch, description.input_size + description.output_size);
  return {std::clamp<std::int64_t>(kPieceBytes / std::max<std::int64_t>(1, bytes_of(kRowFormat, step)), 1, wanted),
          wanted};
}

struct Placed {
  std::int64_t end = 0;
  int last_wave = 0;
};

// The blocks that begin at one offset, by their first wave. Their waves are apart from each other.
using Column = std::map<int, Placed>;

// Returns the end of the largest block of the column that is needed in a wave of `block`; 0 if there is none.
std::int64_t end_of(const Column& column, const Block& block) {
  std::int64_t end = 0;
  for (auto other = column.upper_bound(block.last_wave); other != column.begin();) {
    --other;
    if (other->second.last_wave < block.first_wave) break;
    end = std::max(end, other->second.end);
  }
  return end;
}

}  // namespace

std::vector<std::int64_t> place_blocks(const std::vector<Block>& blocks, const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> offsets(blocks.size() + 1);
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  std::map<std::int64_t, Column> columns;  // by their offsets
  for (const std::size_t i : order) {
    if (sizes[i] == 0) break;  // those that follow have no size either, and stay at 0
    std::int64_t offset = 0;
    for (const auto& [begin, column] : columns) {
      if (begin >= offset + sizes[i]) break;
      offset = std::max(offset, end_of(column, blocks[i]));
    }
    columns[offset].emplace(blocks[i].first_wave, Placed{offset + sizes[i], blocks[i].last_wave});
    offsets[i] = offset;
    offsets.back() = std::max(offsets.back(), offset + sizes[i]);
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

std::unique_ptr<NetworkWorkspace> make_workspace(const LoadedNetwork& network, std::int64_t batch, StepsOfCalls steps,
                                                 int threads) {
  const PlannedSteps planned = planned_steps(network, batch, steps);
  auto workspace = std::make_unique<NetworkWorkspace>();
  workspace->batch = batch;
  workspace->max_steps = planned.of_blocks;
  for (std::size_t i = 0; i < network.list.times.size(); ++i) workspace->times.emplace_back(batch);
  const std::vector<std::int64_t> rows = rows_of_cells(network, batch, planned.of_blocks);
  for (std::size_t i = 0; i < network.cells.size(); ++i)
    workspace->cells.emplace_back(network.cells[i]->description, rows[i], planned.of_cells, threads);
  workspace->states.resize(network.cells.size());
  workspace->offsets = plan_memory(network.list, batch, planned.of_blocks);
  workspace->arena = AlignedBuffer(workspace->offsets.back());
  workspace->blocks.resize(network.list.blocks.size());
  std::size_t calls = 0;
  for (const Wavefront& wavefront : network.wavefronts) calls = std::max(calls, wavefront.reads.size());
  workspace->progress = std::vector<Progress>(calls);
  return workspace;
}

std::int64_t workspace_bytes(const LoadedNetwork& network, std::int64_t batch, StepsOfCalls steps) {
  const PlannedSteps planned = planned_steps(network, batch, steps);
  std::int64_t bytes = bytes_of(kRowFormat, plan_memory(network.list, batch, planned.of_blocks).back());
  const std::vector<std::int64_t> rows = rows_of_cells(network, batch, planned.of_blocks);
  for (std::size_t i = 0; i < network.cells.size(); ++i)
    bytes += workspace_bytes(network.cells[i]->description, rows[i], planned.of_cells);
  return bytes;
}

std::int64_t state_floats(const LoadedNetwork& network, std::int64_t batch) {
  std::int64_t floats = 0;
  for (const auto& cell : network.cells)
    floats += whole_lines(floats_of(batch, cell->description.doubled_row)) +
              whole_lines(floats_of(batch, cell->description.in_place_row));
  return floats;
}

}  // namespace rnnc::runtime
