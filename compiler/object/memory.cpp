#include "compiler/object/memory.hpp"

#include <algorithm>

#include "ir/graph.hpp"
#include "runtime/network.hpp"

namespace rnnc::compiler {

using runtime::Block;
using runtime::Description;

ObjectMemory plan_object_memory(const runtime::StepList& list, const std::vector<const Description*>& cells) {
  ObjectMemory memory;
  memory.in_y = runtime::output_block(list);
  std::vector<std::int64_t> timed, once;
  for (std::size_t i = 0; i < list.blocks.size(); ++i) {
    const Block& block = list.blocks[i];
    const bool placed = block.kind == Block::Kind::Own && static_cast<int>(i) != memory.in_y;
    timed.push_back(placed && block.time != runtime::kNoTime ? block.width : 0);
    once.push_back(placed && block.time == runtime::kNoTime ? block.width : 0);
  }
  memory.columns = runtime::place_blocks(list.blocks, timed);
  const std::vector<std::int64_t> others = runtime::place_blocks(list.blocks, once);
  memory.timed_columns = memory.columns.back();
  memory.once_columns = others.back();
  memory.columns.pop_back();
  for (std::size_t i = 0; i < once.size(); ++i)
    if (once[i] > 0) memory.columns[i] = others[i];
  for (const Description* cell : cells) {
    memory.states.push_back(memory.state_row);
    memory.state_row += cell->doubled_row + cell->in_place_row;
    // A cell without states runs the rows of all steps as one step, at most a chunk of rows at a time.
    const bool is_scan = !cell->states.empty();
    if (is_scan) memory.cell_row = std::max(memory.cell_row, cell->doubled_row + cell->step_row);
    memory.chunk_row = std::max(memory.chunk_row, cell->sequence_row + (is_scan ? 0 : cell->step_row));
  }
  memory.widest_row += memory.state_row + memory.cell_row + memory.chunk_row;
  for (const Block& block : list.blocks) memory.widest_row += block.width;
  for (const runtime::Output& output : list.outputs) memory.widest_row += output.width();
  return memory;
}

std::vector<std::string> other_times(const runtime::StepList& list) {
  std::vector<std::string> times = list.times;
  std::erase(times, ir::kTime);
  return times;
}

}  // namespace rnnc::compiler
