#include "runtime/steps.hpp"

#include <algorithm>

namespace rnnc::runtime {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

std::string text_of(const Piece& piece) {
  return "b" + std::to_string(piece.block) + "[" + std::to_string(piece.begin) + ":" + std::to_string(piece.end) + "]";
}

std::string text_of(const std::vector<Piece>& pieces) {
  std::string text;
  for (const Piece& piece : pieces) text += (text.empty() ? "" : ", ") + text_of(piece);
  return text.empty() ? "nothing" : text;
}

// Writes steps and blocks as text, with the names of times and cells.
class Printer {
 public:
  Printer(const StepList& list, const std::vector<std::string>& cells) : list_(list), cells_(cells) {}

  std::string run() const {
    std::string text;
    for (std::size_t i = 0; i < list_.blocks.size(); ++i)
      text += "block b" + std::to_string(i) + ": " + text_of_block(list_.blocks[i]) + "\n";
    for (int wave = 0; wave < list_.count_waves(); ++wave) {
      text += "wave " + std::to_string(wave) + "\n";
      for (int call = list_.first_call(wave); call < list_.first_call(wave + 1); ++call) {
        text += "  call " + std::to_string(call) + "\n";
        for (const AnyStep& step : list_.steps_of(call)) text += "    " + text_of_step(step) + "\n";
      }
    }
    for (const Output& output : list_.outputs)
      text += "output" + (output.port.name == "y" ? "" : " " + output.port.name) + over(output.time) + ": " +
              text_of(output.from) + "\n";
    return text;
  }

 private:
  std::string cell(int i) const { return cells_[static_cast<std::size_t>(i)]; }
  std::string over(int time) const {
    return time == kNoTime ? "" : " over " + list_.times[static_cast<std::size_t>(time)];
  }

  std::string text_of_block(const Block& block) const {
    const std::string rows = block.time == kNoTime ? "B" : list_.times[static_cast<std::size_t>(block.time)] + " * B";
    const std::string size = rows + " rows of " + std::to_string(block.width);
    switch (block.kind) {
      case Block::Kind::X: return size + ", the caller's x";
      case Block::Kind::Input:
        return size + ", the caller's " + list_.inputs[static_cast<std::size_t>(block.input)].port.name;
      case Block::Kind::Own: break;
    }
    return size + ", waves " + std::to_string(block.first_wave) + " to " + std::to_string(block.last_wave);
  }

  std::string text_of_step(const AnyStep& step) const {
    return std::visit(
        Overloaded{
            [&](const Gather& s) { return "gather " + text_of(s.from) + " -> " + text_of(s.to); },
            [&](const Repeat& s) { return "repeat" + over(s.time) + " " + text_of(s.from) + " -> " + text_of(s.to); },
            [&](const Begin& s) {
              return "begin state " + std::to_string(s.state) + " of " + cell(s.cell) + " with " + text_of(s.from);
            },
            [&](const Scan& s) {
              return std::string(s.reverse ? "reverse scan " : "scan ") + cell(s.cell) + over(s.time) + " " +
                     text_of(s.x) + (s.repeats ? " at each step" : "") + " -> " + text_of(s.y);
            },
            [&](const Rows& s) {
              return "rows " + cell(s.cell) + over(s.time) + " " + text_of(s.x) + " -> " + text_of(s.y);
            },
            [&](const End& s) {
              return "end state " + std::to_string(s.state) + " of " + cell(s.cell) + " -> " + text_of(s.to);
            },
            [&](const ReduceTime& s) {
              return std::string(kNamesOverTime[static_cast<std::size_t>(s.function)]) + over(s.time) + " " +
                     text_of(s.from) + " -> " + text_of(s.to);
            }},
        step);
  }

  const StepList& list_;
  const std::vector<std::string>& cells_;
};

}  // namespace

Running StepList::running(int call) const {
  for (const AnyStep& step : steps_of(call)) {
    if (const auto* scan = std::get_if<Scan>(&step)) return {scan->cell, scan->time, scan->reverse};
    if (const auto* rows = std::get_if<Rows>(&step)) return {rows->cell, rows->time, false};
    if (const auto* over = std::get_if<ReduceTime>(&step)) return {-1, over->time, false};
  }
  return {};
}

std::vector<Piece> reads(const AnyStep& step) {
  return std::visit(
      Overloaded{[](const auto& s) { return s.from; }, [](const Scan& s) { return std::vector{s.x}; },
                 [](const Rows& s) { return std::vector{s.x}; }, [](const End&) { return std::vector<Piece>(); }},
      step);
}

Piece writes(const AnyStep& step) {
  return std::visit(Overloaded{[](const auto& s) { return s.to; }, [](const Scan& s) { return s.y; },
                               [](const Rows& s) { return s.y; }, [](const Begin&) { return Piece(); }},
                    step);
}

int output_block(const StepList& list, std::size_t output) {
  const auto block_of = [&](const Output& each) {
    if (each.from.size() != 1) return -1;
    const Piece& piece = each.from[0];
    const Block& block = list.block(piece);
    const bool whole = block.time == each.time && block.width == piece.width();
    return whole && block.kind == Block::Kind::Own ? piece.block : -1;
  };
  const int block = block_of(list.outputs[output]);
  for (std::size_t i = 0; i < output; ++i)
    if (block_of(list.outputs[i]) == block) return -1;
  return block;
}

bool is_direct(const StepList& list) {
  if (list.steps.size() != 1 || !list.inputs.empty() || list.outputs.size() != 1 || output_block(list) < 0)
    return false;
  const auto fits = [&](int time, const Piece& x, const Piece& y) {
    const Block& from = list.block(x);
    return time != kNoTime && time == list.outputs[0].time && list.times[static_cast<std::size_t>(time)] == "T" &&
           from.kind == Block::Kind::X && from.width == x.width() && y.block == output_block(list);
  };
  if (const auto* scan = std::get_if<Scan>(&list.steps[0]))
    return !scan->reverse && !scan->repeats && fits(scan->time, scan->x, scan->y);
  const auto* rows = std::get_if<Rows>(&list.steps[0]);
  return rows && fits(rows->time, rows->x, rows->y);
}

std::string print(const StepList& list, const std::vector<std::string>& cells) { return Printer(list, cells).run(); }

}  // namespace rnnc::runtime
