#include "tools/latency_plot.hpp"

#include <algorithm>

#include "tools/svg.hpp"

namespace rnnc::tools {
namespace {

constexpr double kWidth = 320, kHeight = 190, kLeft = 50, kTop = 10, kRight = 18, kBottom = 40;
constexpr double kUp = kHeight - kBottom;

double height_of(double percent) { return kUp - (kUp - kTop) * percent / 100; }

std::string axes(const LogScale& xs) {
  std::string parts;
  for (const int percent : {0, 25, 50, 75, 100}) {
    const double y = height_of(percent);
    parts += svg_line({kLeft, y}, {kWidth - kRight, y}, percent == 0 ? "axis" : "grid");
    parts += svg_text({kLeft - 6, y + 4}, std::to_string(percent) + " %", "faint", "end");
  }
  for (const double value : xs.ticks(40)) {
    parts += svg_line({xs(value), kTop}, {xs(value), kUp}, "grid");
    parts += svg_text({xs(value), kUp + 16}, short_number(value), "faint", "middle");
  }
  return parts + svg_text({(kLeft + kWidth - kRight) / 2, kHeight - 6}, "µs a call", "text", "middle");
}

// Draws a distribution in steps, since it rises at a time and not on the way to it.
std::string curve(const Times& times, const LogScale& xs, const std::string& side) {
  std::vector<Point> points;
  for (std::size_t p = 0; p < times.percentiles.size(); ++p) {
    const double x = xs(std::min(times.percentiles[p] * 1e6, xs.high())), y = height_of(static_cast<double>(p));
    if (!points.empty()) points.push_back({x, points.back().y});
    points.push_back({x, y});
  }
  std::string parts = svg_path(points, "curve " + side);
  for (const auto& [name, percent] : {std::pair("median", std::size_t{50}), {"99th percentile", std::size_t{99}}}) {
    const double us = times.percentiles[percent] * 1e6;
    parts += svg_circle({xs(us), height_of(static_cast<double>(percent))}, 4, "mark " + side,
                        std::string(name) + " " + short_number(us) + " µs");
  }
  return parts;
}

}  // namespace

std::string latency_plot(const BenchResult& result) {
  double least = result.ours.min(), most = result.ours.p99();
  if (result.baseline.samples > 0) {
    least = std::min(least, result.baseline.min());
    most = std::max(most, result.baseline.p99());
  }
  // A little room on both sides makes a line even of equal times. The last hundredth may go on far to the right, so
  // that its end is cut off.
  const LogScale xs(least * 1e6 / 1.05, most * 1e6 * 1.15, kLeft, kWidth - kRight);
  std::string content = axes(xs);
  if (result.baseline.samples > 0) content += curve(result.baseline, xs, "theirs");
  content += curve(result.ours, xs, "ours");
  return svg_figure(kWidth, kHeight, "Distribution of times at " + result.shape, content);
}

}  // namespace rnnc::tools
