#include "tools/bench_page.hpp"

#include <algorithm>
#include <cmath>

#include <rnnc/version.hpp>

#include "tools/bench_table.hpp"
#include "tools/html_page.hpp"
#include "tools/latency_plot.hpp"
#include "tools/roofline_plot.hpp"
#include "tools/svg.hpp"

namespace rnnc::tools {
namespace {

using Results = std::vector<BenchResult>;

bool has_baseline(const Results& results) { return results.front().fields.contains("baseline"); }

// Draws the figure in two sizes, of which the style sheet shows one: the text of one figure would be unreadable when it
// shrinks to a telephone.
std::string roofline(const Results& results, const Limits& limits) {
  const std::string wide = roofline_plot(results, limits, 920, 460), narrow = roofline_plot(results, limits, 320, 360);
  if (wide.empty()) return "";
  const std::string theirs =
      has_baseline(results) ? "<li><span class=\"theirs\"></span>" + escaped(results.front().baseline_title) + "</li>"
                            : "";
  return "<h2 id=\"roofline\">Roofline</h2>\n<figure class=\"card\">\n<ul class=\"key\"><li><span></span>rnnc</li>" +
         theirs + "</ul>\n<div class=\"wide\">" + wide + "</div>\n<div class=\"narrow\">" + narrow +
         "</div>\n<figcaption>A point is a shape, by its number in the table. The short line above it is its limit, "
         "and "
         "the distance between them is what the machine would still allow. Limits lie on the roof of their shape: the "
         "level line, which is the peak of multiply-adds, or the slope of the set of weights that just holds its own. "
         "A limit is beside its roof where formats of integers compute faster than f32, where a network has several "
         "cells, and where points that would hide each other stand side by side.</figcaption>\n</figure>\n";
}

std::string two_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string tiles(const Results& results) {
  double least = 1e300, most = 0, logarithms = 0;
  int wins = 0;
  for (const BenchResult& result : results) {
    const double fraction = result.fields.at("limit_fraction").get<double>();
    least = std::min(least, fraction);
    most = std::max(most, fraction);
    if (!has_baseline(results)) continue;
    logarithms += std::log(result.fields.at("ratio").get<double>());
    wins += !is_loss(result.fields.at("ratio").get<double>());
  }
  const std::string count = std::to_string(results.size());
  const std::string from = std::to_string(std::lround(100 * least)), to = std::to_string(std::lround(100 * most));
  std::string text = "<dl class=\"tiles\">\n" + page_tile("shapes", count) +
                     page_tile("of the machine’s limit", from == to ? from + " %" : from + "–" + to + " %");
  if (has_baseline(results))
    text +=
        page_tile(escaped(results.front().baseline_title) + " / rnnc, geometric mean",
                  two_digits(std::exp(logarithms / static_cast<double>(results.size())))) +
        page_tile("not slower than " + escaped(results.front().baseline_title), std::to_string(wins) + " of " + count);
  return text + "</dl>\n";
}

// Roles say that the elements are a table, even where the style sheet lays them out as something else.
std::string table_row(const BenchResult& result, std::size_t number) {
  const auto ratio = result.fields.find("ratio");
  const bool loses = ratio != result.fields.end() && is_loss(ratio->get<double>());
  const std::vector<NamedText> row = row_of(result, "µs");
  std::string text = "<tr role=\"row\">";
  for (const NamedText& cell : row) {
    const bool is_first = &cell == row.data();
    const std::string judged = cell.title != result.baseline_title + "/rnnc" ? ""
                               : loses                                       ? " class=\"loss\""
                                                                             : " class=\"win\"";
    text += "<td role=\"cell\" data-title=\"" + escaped(cell.title) + "\"><span" + judged + ">";
    if (is_first) text += "<span class=\"number-of-shape\">" + std::to_string(number) + "</span>";
    text += escaped(cell.text) + "</span></td>";
  }
  return text + "</tr>\n";
}

std::string table(const Results& results) {
  std::string text =
      "<h2 id=\"table\">Table</h2>\n<div class=\"card\">\n<table role=\"table\">\n<caption>Shapes are "
      "CELL:T:B:I:H:THREADS; ~ marks times that a noisy machine made too long.</caption>\n"
      "<thead role=\"rowgroup\"><tr role=\"row\">";
  for (const NamedText& cell : row_of(results.front(), "µs"))
    text += "<th scope=\"col\" role=\"columnheader\">" + escaped(cell.title) + "</th>";
  text += "</tr></thead>\n<tbody role=\"rowgroup\">\n";
  for (std::size_t i = 0; i < results.size(); ++i) text += table_row(results[i], i + 1);
  return text + "</tbody>\n</table>\n</div>\n";
}

std::string times_text(const std::string& name, const Times& times) {
  return "<p>" + name + ": median " + three_digits(times.median() * 1e6) + ", p99 " + three_digits(times.p99() * 1e6) +
         ", most " + three_digits(times.percentiles.back() * 1e6) + " µs</p>\n";
}

std::string distributions(const Results& results) {
  const std::string theirs = has_baseline(results) ? "; dashes are " + escaped(results.front().baseline_title) : "";
  std::string text = "<h2 id=\"latency\">Latency</h2>\n<p class=\"about\">The part of calls that took at most so long" +
                     theirs + ". Dots are the median and the 99th percentile.</p>\n<div class=\"cards\">\n";
  for (const BenchResult& result : results) {
    text += "<figure class=\"card\">\n<h3>" + escaped(result.shape) + "</h3>\n" + latency_plot(result) +
            times_text("rnnc", result.ours);
    if (result.baseline.samples > 0) text += times_text(escaped(result.baseline_title), result.baseline);
    text += "</figure>\n";
  }
  return text + "</div>\n";
}

// Says at which shapes the machine was noisy and why, of many shapes at the first few.
std::string warning(const Results& results) {
  constexpr std::ptrdiff_t kMostTold = 3;
  std::string text;
  const auto is_noisy = [](const BenchResult& result) { return result.noise.is_noisy(); };
  const std::ptrdiff_t noisy = std::ranges::count_if(results, is_noisy);
  if (noisy == 0) return "";
  std::ptrdiff_t told = 0;
  for (const BenchResult& result : results)
    if (is_noisy(result) && told++ < kMostTold)
      text += "<li>" + escaped(result.shape) + ": " + escaped(result.noise.to_string()) + "</li>\n";
  if (noisy > kMostTold) text += "<li>and " + std::to_string(noisy - kMostTold) + " more, marked ~ in the table</li>\n";
  return "<div class=\"warning\" role=\"note\">The machine was noisy, so that times are too long and not alike for "
         "all:\n"
         "<ul>\n" +
         text + "</ul></div>\n";
}

constexpr const char* kFiguresOfPage = R"html(<h2 id="about">What the figures mean</h2>
<p>A time is of a whole call: all steps of all sequences, weights packed beforehand. Contestants take turns, so that a slow
spell of the machine hits all alike; short calls are timed several at once, 10 µs or more together.</p>
<p>The limit is the longer of all multiply-adds at their peak and of reading the recurrent weights once a step from where they
fit, both measured on this machine, on as many cores as there are threads. A limit that a shape beats is measured anew and
raised, so that no shape has more than 100 %. GFLOP/s and throughput are of the best time; the
error is the largest difference from the interpreter, which computes in double precision.</p>
)html";

}  // namespace

std::string bench_page(Results results, const Limits& limits, const std::string& command) {
  for (BenchResult& result : results) judge(result, limits);  // a later shape may have raised them
  return page_head("rnnc bench") + "<body>\n<main>\n<h1>rnnc bench</h1>\n<p class=\"setting\">" +
         escaped(setting_of(results.front())) + ", " + today() + ", rnnc " + kVersion +
         "</p>\n<p class=\"setting\"><code>" + escaped(command) + "</code></p>\n" + warning(results) + tiles(results) +
         roofline(results, limits) + table(results) + distributions(results) + kFiguresOfPage +
         "</main>\n</body>\n</html>\n";
}

}  // namespace rnnc::tools
