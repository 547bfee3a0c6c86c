#include "compiler/inspect/print_network.hpp"

#include <algorithm>

#include "compiler/network/network.hpp"
#include "ir/print.hpp"
#include "runtime/network.hpp"
#include "runtime/wavefront.hpp"

namespace rnnc::compiler {
namespace {

std::string name_of(const CellCall& call) { return call.prefix.empty() ? call.cell.name : call.prefix; }

}  // namespace

std::string text_of(const Call& call) {
  const auto over = [](const std::string& axis) { return axis.empty() ? "" : " over " + axis; };
  if (const auto* time = std::get_if<TimeCall>(&call))
    return std::string(ir::facts(time->over_time).name) + over(time->axis);
  const auto& cell = std::get<CellCall>(call);
  return (cell.reverse ? "reverse " : "") + (cell.prefix.empty() ? "" : cell.cell.name + " ") + name_of(cell) +
         over(cell.axis);
}

std::vector<std::string> writers_of(const CallList& list) {
  std::vector<std::string> writers;
  for (const Buffer& buffer : list.buffers) writers.push_back("input " + buffer.input);
  for (std::size_t i = 0; i < list.calls.size(); ++i) {
    const std::string call = "call " + std::to_string(i);
    std::visit([&](const auto& each) { writers[each.y] = call; }, list.calls[i]);
    if (const auto* cell = std::get_if<CellCall>(&list.calls[i]))
      for (const auto& [state, buffer] : cell->final_states) writers[buffer] = call;
  }
  return writers;
}

bool is_final_state(const CallList& list, std::size_t buffer) {
  for (const Call& call : list.calls)
    if (const auto* cell = std::get_if<CellCall>(&call))
      for (const auto& [state, to] : cell->final_states)
        if (to == buffer) return true;
  return false;
}

namespace {

// Prints the columns that a call reads, a line for each range of columns.
std::string sources_of(const CallList& list, const Call& call) {
  const std::vector<std::string> writers = writers_of(list);
  std::string text;
  const auto add = [&](const Row& row, const std::string& what) {
    for (const Columns& columns : row)
      text += "|   <-- " + writers[columns.buffer] + (is_final_state(list, columns.buffer) ? ", its last state" : "") +
              ", columns " + std::to_string(columns.begin) + ":" + std::to_string(columns.end) + what + "\n";
  };
  if (const auto* time = std::get_if<TimeCall>(&call)) return add(time->x, ""), text;
  const auto& cell = std::get<CellCall>(call);
  add(cell.x, "");
  for (const auto& [state, row] : cell.initial) add(row, ", begins state " + state);
  return text;
}

std::string sinks_of(const CallList& list, std::size_t call) {
  const std::vector<std::string> writers = writers_of(list);
  std::string text;
  for (const CallOutput& output : list.outputs) {
    const bool reads = std::any_of(output.row.begin(), output.row.end(), [&](const Columns& columns) {
      return writers[columns.buffer] == "call " + std::to_string(call);
    });
    if (reads) text += "|   --> " + title_of(output) + "\n";
  }
  return text;
}

}  // namespace

std::string print_execution(const CallList& list, const ir::Network& network) {
  const NetworkLayout layout = lay_out(list, network);
  std::string text = "network " + network.name + "\n";
  for (int wave = 0; wave < layout.list.count_waves(); ++wave) {
    text += "\nwave " + std::to_string(wave) + "\n";
    for (int i = layout.list.first_call(wave); i < layout.list.first_call(wave + 1); ++i) {
      const std::size_t call = layout.source[static_cast<std::size_t>(i)];
      text += "|\n+-- call " + std::to_string(call) + ": " + text_of(list.calls[call]) + "\n" +
              sources_of(list, list.calls[call]) + sinks_of(list, call);
    }
  }
  std::vector<std::string> cells;
  for (const std::size_t call : layout.cells) cells.push_back(name_of(std::get<CellCall>(list.calls[call])));
  text += "\nsteps\n\n" + runtime::print(layout.list, cells);
  for (const runtime::Wavefront& front : runtime::find_wavefronts(layout.list))
    text += "waves " + std::to_string(front.first_wave) + " to " + std::to_string(front.end_wave - 1) +
            " as a wavefront where several threads make that faster\n";
  constexpr std::int64_t kBatch = 1, kSteps = 100;  // an example of how blocks share memory
  const std::vector<std::int64_t> offsets = runtime::plan_memory(layout.list, kBatch, kSteps);
  text +=
      "memory: " + std::to_string(offsets.back()) + " floats for " + std::to_string(kSteps) + " steps of one sequence";
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i)
    if (layout.list.blocks[i].kind == runtime::Block::Kind::Own)
      text += ", b" + std::to_string(i) + " at " + std::to_string(offsets[i]);
  return text + "\n";
}

std::vector<CalledCell> called_cells(const CallList& list) {
  std::vector<CalledCell> result;
  std::vector<std::string> texts;
  for (const Call& call : list.calls) {
    const auto* cell = std::get_if<CellCall>(&call);
    if (!cell) continue;
    const std::string text = ir::print(cell->cell);
    const auto found = std::find(texts.begin(), texts.end(), text);
    if (found == texts.end()) {
      texts.push_back(text);
      result.push_back({cell->cell, name_of(*cell)});
    } else {
      result[static_cast<std::size_t>(found - texts.begin())].callers += ", " + name_of(*cell);
    }
  }
  return result;
}

}  // namespace rnnc::compiler
