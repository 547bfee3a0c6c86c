// An explanation becomes one page of HTML that needs nothing else.
#include <cstdio>

#include <rnnc/join.hpp>
#include <rnnc/version.hpp>

#include "tools/bench_table.hpp"
#include "tools/cache_levels.hpp"
#include "tools/explanation.hpp"
#include "tools/html_page.hpp"
#include "tools/network_drawing.hpp"
#include "tools/svg.hpp"

namespace rnnc::tools {
namespace {

std::string time_text(double seconds) { return duration(seconds, "µs"); }

// Writes a number with a space between its thousands.
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, "\u202f");
  return text;
}

std::string tiles(const Explanation& explanation) {
  const ModelFacts& model = explanation.model;
  std::string text = "<dl class=\"tiles four\">\n" + page_tile("parameters", grouped(model.numbers)) +
                     page_tile("weights of products, " + explanation.weights_as, size_text(explanation.weight_bytes)) +
                     page_tile("state of a sequence", grouped(model.state_floats) + " floats") +
                     page_tile("runs step by step", model.why_not.empty() ? "yes" : "no") +
                     page_tile("a step, predicted", time_text(explanation.predicted_seconds));
  if (!explanation.measured) return text + "</dl>\n";
  const auto& [seconds, limit] = *explanation.measured;
  char part[32];
  std::snprintf(part, sizeof part, "%.0f %%", 100 * limit / seconds);
  return text + page_tile("a step, measured", time_text(seconds)) +
         page_tile("a step, limit of the machine", time_text(limit)) + page_tile("of the machine’s limit", part) +
         "</dl>\n";
}

std::string drawing(const Explanation& explanation) {
  const Drawing drawn = draw(explanation.boxes, "What runs in " + explanation.name);
  // A wide drawing scrolls in its frame before its text becomes too small to read.
  char style[96];
  std::snprintf(style, sizeof style, "width:%.0fpx;min-width:%.0fpx", drawn.width, 0.8 * drawn.width);
  return "<h2 id=\"network\">What runs</h2>\n<figure class=\"card\">\n<div class=\"scroll\" tabindex=\"0\" "
         "role=\"region\" "
         "aria-label=\"Drawing\"><div class=\"drawn\" style=\"" +
         std::string(style) + "\">" + drawn.svg +
         "</div></div>\n<figcaption>Values flow from the top to the bottom; a box reads those whose arrows end in it. "
         "An "
         "arrow from a layer to itself is its state, which goes from each step to the next.</figcaption>\n</figure>\n";
}

std::string named_list(const std::string& title, const std::vector<std::string>& entries) {
  std::string text = "<dt>" + title + "</dt>\n";
  if (entries.empty()) text += "<dd>none</dd>\n";
  for (const std::string& entry : entries) text += "<dd>" + escaped(entry) + "</dd>\n";
  return text;
}

std::string interface_text(const ModelFacts& model) {
  const std::string streams = model.why_not.empty() ? "yes: it runs step by step, and in pieces of any length"
                                                    : "no: " + model.why_not + "; " + model.what_helps;
  return "<h2 id=\"interface\">What it takes, gives and keeps</h2>\n<div class=\"card\">\n<dl class=\"facts\">\n" +
         named_list("inputs", model.inputs) + named_list("outputs", model.outputs) +
         named_list("states", model.states) + named_list("streams", {streams}) + "</dl>\n<details><summary>" +
         plural(static_cast<std::int64_t>(model.parameters.size()), "parameter") +
         "</summary>\n<ul class=\"names\">\n<li>" + join(model.parameters, "</li>\n<li>", escaped) +
         "</li>\n</ul></details>\n</div>\n";
}

std::string data_cell(const std::string& title, const std::string& text, bool words = false) {
  return "<td role=\"cell\" data-title=\"" + title + "\"" + (words ? " class=\"words\"" : "") + "><span>" +
         escaped(text) + "</span></td>";
}

// Writes multiplication as on paper.
std::string with_signs(std::string text) {
  for (std::size_t at = text.find(" x "); at != std::string::npos; at = text.find(" x ")) text.replace(at, 3, " × ");
  return text;
}

std::string stage_row(const StageFacts& stage, std::size_t number, std::int64_t chunk) {
  const std::string when = stage.when != "ahead" ? stage.when : "ahead, " + std::to_string(chunk) + " rows";
  return "<tr role=\"row\">" + data_cell("stage", "stage " + std::to_string(number)) + data_cell("when", when) +
         data_cell("does", stage.does, true) + data_cell("tile", with_signs(stage.tile), true) +
         data_cell("weights", stage.bytes > 0 ? size_text(stage.bytes) : "none") +
         data_cell("in", stage.level.empty() ? "–" : stage.level) +
         data_cell("predicted", stage.predicted_seconds > 0 ? time_text(stage.predicted_seconds) : "–") + "</tr>\n";
}

std::string measured_text(const CellFacts& cell) {
  if (!cell.measured) return "";
  return ", " + time_text(cell.measured->seconds) + " as measured alone, and " +
         time_text(cell.measured->limit_seconds) + " at the limit";
}

std::string cell_card(const CellFacts& cell) {
  std::string text = "<div class=\"card cell\">\n<h3>" + escaped(cell.name) +
                     (cell.callers.empty() ? "" : " of " + escaped(cell.callers)) + "</h3>\n<p>plan <code>" +
                     escaped(cell.plan) + "</code>, chosen by " + escaped(cell.chosen_by) + "; a step takes " +
                     time_text(cell.predicted_seconds) + " as predicted" + measured_text(cell) +
                     (cell.calls > 1 ? "; called " + std::to_string(cell.calls) + " times in the model" : "") +
                     "</p>\n<table role=\"table\">\n<thead role=\"rowgroup\"><tr role=\"row\">";
  for (const std::string title : {"stage", "when", "does", "tile", "weights", "in", "predicted"}) {
    const std::string words = title == "does" || title == "tile" ? " class=\"words\"" : "";
    text += "<th scope=\"col\" role=\"columnheader\"" + words + ">" + title + "</th>";
  }
  text += "</tr></thead>\n<tbody role=\"rowgroup\">\n";
  for (std::size_t i = 0; i < cell.stages.size(); ++i) text += stage_row(cell.stages[i], i, cell.chunk);
  return text + "</tbody>\n</table>\n</div>\n";
}

std::string warning(const Explanation& explanation) {
  if (!explanation.measured)
    return "<p class=\"warning\" role=\"note\">Nothing is measured: this machine does not run code for " +
           escaped(explanation.cpu) + ".</p>\n";
  const Noise& noise = explanation.noise;
  if (!noise.is_noisy()) return "";
  return "<p class=\"warning\" role=\"note\">The machine was noisy, so that the measured time is too long: " +
         escaped(noise.to_string()) + ".</p>\n";
}

std::string setting(const Explanation& explanation) {
  return plural(explanation.steps, "step") + " of " + plural(explanation.batch, "sequence") + " on " +
         plural(explanation.threads, "thread") + ", code for " + explanation.cpu + ", planned for " +
         explanation.machine + ", " + explanation.weights_as + ", " + today() + ", rnnc " + kVersion;
}

constexpr const char* kWordsOfPage = R"html(<h2 id="about">What the words mean</h2>
<p>A stage computes products and the functions behind them for one block of units after the other, while their sums are still in
registers. It runs once, when weights are packed; or ahead, for the rows of many steps; or in each step, which waits for the step
before. A function such as sigmoid_tanh is a product of the two with one division. A tile is what is computed at once: so many units of so many rows. Weights are said to be in the smallest cache that holds
those of all stages that run together.</p>
<p>Predictions are those of the cost model, which chooses the plan. The measured time is the best of all calls. The limit is the
longer of all multiply-adds at their peak and of reading the recurrent weights once a step, both measured on this machine.</p>
)html";

}  // namespace

std::string explain_page(const Explanation& explanation, const std::string& command) {
  std::string text = page_head("rnnc explain " + explanation.name) + "<body>\n<main>\n<h1>" +
                     escaped(explanation.name) + "</h1>\n<p class=\"setting\">" + escaped(setting(explanation)) +
                     "</p>\n<p class=\"setting\"><code>" + escaped(command) + "</code></p>\n" + warning(explanation) +
                     tiles(explanation) + drawing(explanation) + interface_text(explanation.model) +
                     "<h2 id=\"cells\">How it is computed</h2>\n";
  for (const CellFacts& cell : explanation.cells) text += cell_card(cell);
  return text + kWordsOfPage + "</main>\n</body>\n</html>\n";
}

}  // namespace rnnc::tools
