// An explanation becomes text for a terminal.
#include <algorithm>
#include <functional>
#include <numeric>
#include <sstream>

#include <rnnc/join.hpp>

#include "tools/bench_table.hpp"
#include "tools/cache_levels.hpp"
#include "tools/explanation.hpp"

namespace rnnc::tools {
namespace {

constexpr std::size_t kLineColumns = 100, kLabel = 12;  // columns

// Breaks `text` at spaces into lines that begin with `indent`, but the first with `first`.
std::string wrapped(const std::string& first, const std::string& indent, const std::string& text) {
  std::string lines, line = first;
  bool is_empty = true;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!is_empty && line.size() + 1 + word.size() > kLineColumns) {
      lines += line + "\n";
      line = indent;
      is_empty = true;
    }
    line += (is_empty ? "" : " ") + word;
    is_empty = false;
  }
  return lines + line + "\n";
}

std::string labelled(const std::string& label, const std::string& text) {
  return wrapped(label + std::string(kLabel - std::min(kLabel, label.size()), ' '), std::string(kLabel, ' '), text);
}

// A terminal may know no arrows.
std::string ascii(std::string text) {
  const std::string arrow = "→";
  for (std::size_t at = text.find(arrow); at != std::string::npos; at = text.find(arrow))
    text.replace(at, arrow.size(), "->");
  return text;
}

std::string list(const std::vector<std::string>& entries) { return entries.empty() ? "none" : join(entries); }

std::string facts_text(const Explanation& explanation) {
  const ModelFacts& model = explanation.model;
  std::string text = labelled("inputs", list(model.inputs)) + labelled("outputs", list(model.outputs)) +
                     labelled("states", list(model.states));
  text += labelled("parameters", plural(model.numbers, "number") + " in " +
                                     plural(static_cast<std::int64_t>(model.parameters.size()), "tensor") + ", " +
                                     std::to_string(4 * model.numbers) + " bytes as f32");
  text +=
      labelled("products", "read " + size_text(explanation.weight_bytes) + " of weights as " + explanation.weights_as);
  return text + labelled("streams", model.why_not.empty() ? "yes: it runs step by step, and in pieces of any length"
                                                          : "no: " + model.why_not + "; " + model.what_helps);
}

const char* name_of(Box::Kind kind) {
  switch (kind) {
    case Box::Kind::Input: return "input ";
    case Box::Kind::Layer:
    case Box::Kind::Between:
    case Box::Kind::OverTime: return "";
    case Box::Kind::Output: return "output ";
  }
  return "";
}

std::string boxes_text(const std::vector<Box>& boxes) {
  std::string text = "\nwhat runs, in this order\n";
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& box = boxes[i];
    const std::string number = std::to_string(i), space(number.size() < 4 ? 4 - number.size() : 1, ' ');
    std::string line = name_of(box.kind) + box.title + ": " + join(box.lines);
    if (!box.states.empty()) line += "; keeps " + box.states;
    if (!box.sources.empty()) line += "; reads " + join(box.sources);
    text += wrapped(space + number + "  ", std::string(10, ' '), ascii(line));
  }
  return text;
}

std::string step_text(const CellFacts& cell) {
  std::string text = "a step takes " + duration(cell.predicted_seconds, "us") + " as predicted";
  if (cell.measured)
    text += ", " + duration(cell.measured->seconds, "us") + " as measured alone, and " +
            duration(cell.measured->limit_seconds, "us") + " at the limit";
  return text;
}

// A text shows the stages that take the longest, where a program has hundreds of them.
constexpr std::size_t kMostStages = 60, kShownStages = 30;

std::string plan_text(const CellFacts& cell) {
  if (cell.stages.size() <= kMostStages) return "plan " + cell.plan;
  return plural(static_cast<std::int64_t>(cell.stages.size()), "stage") + ", of which the " +
         std::to_string(kShownStages) +
         " that take the longest follow; rnnc explain --html and rnnc inspect --emit plan have all";
}

std::vector<std::size_t> shown_stages(const CellFacts& cell) {
  std::vector<std::size_t> stages(cell.stages.size());
  std::iota(stages.begin(), stages.end(), std::size_t{0});
  if (stages.size() <= kMostStages) return stages;
  std::ranges::stable_sort(stages, std::greater(), [&](std::size_t i) { return cell.stages[i].predicted_seconds; });
  stages.resize(kShownStages);
  std::ranges::sort(stages);
  return stages;
}

std::string cell_text(const CellFacts& cell) {
  std::string title = "cell " + cell.name;
  if (!cell.callers.empty()) title += " of " + cell.callers;
  std::string text = "\n" + wrapped("", "  ", title) +
                     wrapped("  ", "    ", plan_text(cell) + ", chosen by " + cell.chosen_by + "; " + step_text(cell));
  for (const std::size_t i : shown_stages(cell)) {
    const StageFacts& stage = cell.stages[i];
    const bool is_once = stage.when == "once", is_ahead = stage.when == "ahead";
    const std::string when = is_once ? "once, when weights are packed"
                             : is_ahead
                                 ? "ahead of the steps, for up to " + std::to_string(cell.chunk) + " rows at once"
                                 : stage.when;
    text += wrapped(
        "  ", "    ",
        "stage " + std::to_string(i) + ", " + when + (is_once ? "" : ": " + duration(stage.predicted_seconds, "us")));
    text += wrapped("      ", "      ", stage.does);
    if (!stage.level.empty())
      text += wrapped("      ", "      ", size_text(stage.bytes) + " of weights in " + stage.level);
    text += wrapped("      ", "      ", stage.tile);
  }
  return text;
}

std::string times_text(const Explanation& explanation) {
  std::string text =
      "\n" + wrapped("", "  ",
                     "a step of " + plural(explanation.batch, "sequence") + ", " + plural(explanation.steps, "step") +
                         " a call, on " + plural(explanation.threads, "thread"));
  const auto row = [](const char* what, const std::string& value, const std::string& note) {
    const std::string label = std::string("  ") + what + std::string(12 - std::string(what).size(), ' ');
    return wrapped(label + std::string(value.size() < 10 ? 10 - value.size() : 0, ' ') + value + "  ",
                   std::string(26, ' '), note);
  };
  text +=
      row("predicted", duration(explanation.predicted_seconds, "us"), "by the cost model for " + explanation.machine);
  if (!explanation.measured)
    return text + "  not measured: this machine does not run code for " + explanation.cpu + "\n";
  const auto& [seconds, limit] = *explanation.measured;
  const Noise& noise = explanation.noise;
  text += row("measured", duration(seconds, "us"),
              "the best of all calls" + (noise.is_noisy() ? "; the machine was noisy: " + noise.to_string() : ""));
  return text + row("limit", duration(limit, "us"),
                    "of the machine; the model reaches " + three_digits(100 * limit / seconds) + " % of it");
}

}  // namespace

std::string explain_text(const Explanation& explanation) {
  std::string text = wrapped("", "  ",
                             explanation.kind + " " + explanation.name + ", code for " + explanation.cpu +
                                 ", planned for " + explanation.machine) +
                     "\n" + facts_text(explanation) + boxes_text(explanation.boxes);
  for (const CellFacts& cell : explanation.cells) text += cell_text(cell);
  return text + times_text(explanation);
}

}  // namespace rnnc::tools
