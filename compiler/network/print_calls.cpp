// A list of calls becomes text.
#include "compiler/network/cut.hpp"
#include "ir/print.hpp"

namespace rnnc::compiler {
namespace {

std::string text_of(const Row& row) {
  std::string text;
  for (const Columns& columns : row) {
    text += (text.empty() ? "b" : ", b") + std::to_string(columns.buffer) + "[" + std::to_string(columns.begin) + ":" +
            std::to_string(columns.end) + "]";
  }
  return text.empty() ? "nothing" : text;
}

std::string over(const std::string& axis) { return axis.empty() ? "" : " over " + axis; }

std::string text_of(const TimeCall& call) {
  return std::string(ir::facts(call.over_time).name) + over(call.axis) + " of " + text_of(call.x) + " -> b" +
         std::to_string(call.y) + "\n";
}

std::string text_of(const CellCall& call) {
  std::string text = call.reverse ? "reverse " : "";
  text += call.cell.name + (call.prefix.empty() ? "" : " " + call.prefix) + over(call.axis) + " of " + text_of(call.x);
  for (const auto& [state, row] : call.initial) text += ", " + state + " from " + text_of(row);
  text += " -> b" + std::to_string(call.y);
  for (const auto& [state, buffer] : call.final_states) text += ", " + state + " -> b" + std::to_string(buffer);
  return text + "\n";
}

}  // namespace

std::string title_of(const CallOutput& output) {
  return output.name == ir::kFirstOutput ? "output" : "output " + output.name;
}

std::string print(const CallList& list) {
  std::string text, cells;
  for (std::size_t i = 0; i < list.buffers.size(); ++i) {
    const Buffer& buffer = list.buffers[i];
    if (!buffer.input.empty()) text += buffer.input + over(buffer.axis) + " -> b" + std::to_string(i) + "\n";
  }
  for (const Call& call : list.calls) {
    text += std::visit([](const auto& any) { return text_of(any); }, call);
    const auto* cell = std::get_if<CellCall>(&call);
    if (cell && cell->prefix.empty()) cells += "\n" + ir::print(cell->cell);
  }
  for (const CallOutput& output : list.outputs)
    text += title_of(output) + over(output.axis) + " is " + text_of(output.row) + "\n";
  return text + cells;
}

}  // namespace rnnc::compiler
