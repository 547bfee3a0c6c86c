#include "compiler/print_network.hpp"

#include <algorithm>

#include "compiler/network.hpp"
#include "ir/print.hpp"
#include "runtime/wavefront.hpp"

namespace rnnc::compiler {
namespace {

std::string name_of(const ir::CellCall& call) { return call.prefix.empty() ? call.cell.name : call.prefix; }

std::string text_of(const ir::Call& call) {
  const auto over = [](const std::string& axis) { return axis.empty() ? "" : " over " + axis; };
  if (const auto* time = std::get_if<ir::TimeCall>(&call))
    return std::string(ir::facts(time->over_time).name) + over(time->axis);
  const auto& cell = std::get<ir::CellCall>(call);
  return (cell.reverse ? "reverse " : "") + (cell.prefix.empty() ? "" : cell.cell.name + " ") + name_of(cell) +
         over(cell.axis);
}

std::string text_of(const runtime::Block& block, const std::vector<std::string>& times) {
  const std::string rows = block.time == runtime::kNoTime ? "B" : times[static_cast<std::size_t>(block.time)] + " * B";
  const std::string size = rows + " rows of " + std::to_string(block.width);
  switch (block.kind) {
    case runtime::Block::Kind::X: return size + ", the caller's x";
    case runtime::Block::Kind::Input: return size + ", an input of the caller's";
    case runtime::Block::Kind::Own: break;
  }
  return size + ", waves " + std::to_string(block.first_wave) + " to " + std::to_string(block.last_wave);
}

}  // namespace

std::string print_execution(const ir::CallList& list, const ir::Network& network) {
  const NetworkLayout layout = lay_out(list, network);
  const runtime::LoadedNetwork& net = layout.network;
  std::string text = "network " + network.name + "\n";
  for (std::size_t wave = 0; wave + 1 < net.waves.size(); ++wave) {
    text += "wave " + std::to_string(wave) + ":";
    for (int i = net.waves[wave]; i < net.waves[wave + 1]; ++i)
      text += (i == net.waves[wave] ? " " : ", ") + text_of(list.calls[layout.source[static_cast<std::size_t>(i)]]);
    text += "\n";
  }
  for (const runtime::Wavefront& front : runtime::find_wavefronts(net))
    text += "waves " + std::to_string(front.first_wave) + " to " + std::to_string(front.end_wave - 1) +
            " as a wavefront where several threads make that faster\n";
  constexpr std::int64_t kBatch = 1, kSteps = 100;  // an example of how blocks share memory
  const std::vector<std::int64_t> offsets = runtime::plan_memory(net, kBatch, kSteps);
  for (std::size_t i = 0; i < net.blocks.size(); ++i) {
    const runtime::Block& block = net.blocks[i];
    text += "block " + std::to_string(i) + ": " + text_of(block, net.times);
    if (block.kind == runtime::Block::Kind::Own) text += ", at " + std::to_string(offsets[i]);
    text += "\n";
  }
  return text + "memory: " + std::to_string(offsets.back()) + " floats for " + std::to_string(kSteps) +
         " steps of one sequence, where blocks lie as said\n";
}

std::vector<CalledCell> called_cells(const ir::CallList& list) {
  std::vector<CalledCell> result;
  std::vector<std::string> texts;
  for (const ir::Call& call : list.calls) {
    const auto* cell = std::get_if<ir::CellCall>(&call);
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
