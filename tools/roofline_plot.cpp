#include "tools/roofline_plot.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "tools/cache_levels.hpp"
#include "tools/svg.hpp"

namespace rnnc::tools {
namespace {

constexpr double kLeft = 50, kTop = 22, kRight = 18, kBottom = 50;
// Marks have numbers in them if there are at most so many shapes.
constexpr std::size_t kMostNumbered = 24;
constexpr double kCharacter = 7;  // about the pixels of a character in a label
constexpr double kNumberedRadius = 9, kPlainRadius = 4.6;

struct Mark {
  std::size_t number = 0;
  bool is_baseline = false;
  double intensity = 0, gflops = 0;
  double limit = 0;  // the GFLOP/s a core that the limits allow at this intensity
  std::string tip;
  Point at;
};

std::vector<Mark> marks_of(const std::vector<BenchResult>& results, const Limits& limits) {
  std::vector<Mark> marks;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const BenchResult& result = results[i];
    if (result.intensity <= 0) continue;
    const double flops = result.fields.at("gflops").get<double>() * result.ours.min();
    const double threads = result.fields.at("threads").get<double>();
    const double limit = flops / (result.runs * least_seconds(result.work, limits)) / threads;
    for (const Times* times : {&result.ours, &result.baseline}) {
      if (times->samples == 0) continue;
      const bool is_baseline = times == &result.baseline;
      const double gflops = flops / times->min() / threads;
      if (gflops <= 0) continue;
      const std::string tip = (is_baseline ? result.baseline_title : std::string("rnnc")) + " at " + result.shape +
                              ": " + short_number(gflops) + " GFLOP/s a core, " +
                              short_number(std::round(100 * gflops / limit)) + " % of its limit";
      marks.push_back({i + 1, is_baseline, result.intensity, gflops, limit, tip, {}});
    }
  }
  return marks;
}

struct Scales {
  LogScale x, y;
};

// The scale begins two octaves left of the first mark, so that the names of the slopes have room.
Scales scales_of(const std::vector<Mark>& marks, double peak, double width, double height) {
  const auto [left, right] = std::ranges::minmax(marks, {}, &Mark::intensity);
  const double low = std::ranges::min(marks, {}, &Mark::gflops).gflops;
  const double high =
      std::max(std::ranges::max(marks, {}, &Mark::gflops).gflops, std::ranges::max(marks, {}, &Mark::limit).limit);
  return {{left.intensity / 4, right.intensity * 1.7, kLeft, width - kRight},
          {low / 1.5, std::max(peak, high) * 1.5, height - kBottom, kTop}};
}

std::string axes(const Scales& scales, double width, double height) {
  const double bottom = height - kBottom, right = width - kRight;
  std::string parts;
  for (const double value : scales.x.powers_of_two(42)) {
    parts += svg_line({scales.x(value), kTop}, {scales.x(value), bottom}, "grid");
    parts += svg_text({scales.x(value), bottom + 17}, short_number(value), "faint", "middle");
  }
  for (const double value : scales.y.ticks(17)) {
    parts += svg_line({kLeft, scales.y(value)}, {right, scales.y(value)}, "grid");
    parts += svg_text({kLeft - 7, scales.y(value) + 4}, short_number(value), "faint", "end");
  }
  parts += svg_line({kLeft, bottom}, {right, bottom}, "axis") + svg_line({kLeft, kTop}, {kLeft, bottom}, "axis");
  parts += svg_text({(kLeft + right) / 2, bottom + 38}, "FLOP for each byte of recurrent weights", "text", "middle");
  return parts + svg_text({2, 13}, "GFLOP/s a core", "text", "start");
}

// A speed of reading.
struct Slope {
  std::string name;  // the level of memory and the size of the set
  double bytes_per_second = 0;
};

// Returns the speeds at which the results' weights are read: each is of the smallest measured set that holds a core's
// share. Speeds that would look like one line are one.
std::vector<Slope> speeds_of(const std::vector<BenchResult>& results, const Limits& limits) {
  constexpr double kAlike = 1.04;
  std::set<std::size_t> sets;
  for (const BenchResult& result : results)
    for (const Work& work : result.work)
      if (work.recurrent_bytes > 0) sets.insert(bound_of(work, limits).set);
  std::vector<Slope> speeds;
  for (const std::size_t set : sets) {
    const auto& [bytes, speed] = limits.reads[set];
    if (!speeds.empty() && speeds.back().bytes_per_second < kAlike * speed) continue;
    const std::string level = level_of(bytes);
    speeds.push_back({(level.empty() ? "" : level + " at ") + size_text(bytes), speed});
  }
  return speeds;
}

// Draws the peak as a level line, and a slope for each speed of reading, named where there is room.
std::string roofs(const std::vector<Slope>& levels, double peak, const Scales& scales) {
  double fastest = 0;
  for (const Slope& level : levels) fastest = std::max(fastest, level.bytes_per_second * 1e-9);
  const auto& [xs, ys] = scales;
  const double ridge = std::clamp(peak / fastest, xs.low(), xs.high());
  std::string parts = svg_line({xs(ridge), ys(peak)}, {xs(xs.high()), ys(peak)}, "roof");
  parts += svg_text({xs(xs.high()) - 2, ys(peak) - 7}, "multiply-adds, " + short_number(std::round(peak)) + " GFLOP/s",
                    "text halo", "end");
  const double angle = std::atan2(ys(10) - ys(1), xs(10) - xs(1));
  double above = 0;  // the speed of the line before, which is faster
  bool was_tight = false;
  for (const Slope& level : levels) {
    const double speed = level.bytes_per_second * 1e-9;
    const double begin = std::max(xs.low(), ys.low() / speed), end = std::min(peak / speed, xs.high());
    if (begin >= end) continue;
    const Point from{xs(begin), ys(begin * speed)};
    const Point to{xs(end), ys(end * speed)};
    parts += svg_line(from, to, "read");
    // The label stands above its line, or below it where the line above is too near.
    const bool is_tight = above > 0 && (ys(begin * speed) - ys(begin * above)) * std::cos(angle) < 24;
    const double aside = is_tight ? 14 : -6, along = 8;
    const Point label{from.x + along * std::cos(angle) - aside * std::sin(angle),
                      from.y + along * std::sin(angle) + aside * std::cos(angle)};
    const std::string whole = level.name + ", " + short_number(std::round(speed)) + " GB/s";
    const bool fits = along + kCharacter * static_cast<double>(whole.size()) < std::hypot(to.x - from.x, to.y - from.y);
    if (!is_tight || !was_tight)
      parts += svg_text(label, fits ? whole : level.name, "faint halo", "start", angle * 180 / std::numbers::pi);
    above = speed;
    was_tight = is_tight && !was_tight;
  }
  return parts;
}

// Draws the limit of a mark as a short line, and a thin one from the mark to it.
std::string limit_of(const Mark& mark, const Scales& scales, double radius) {
  const double y = scales.y(mark.limit);
  const Point foot{mark.at.x, mark.at.y - radius}, top{mark.at.x, y};
  return (foot.y > y ? svg_line(foot, top, "to-limit") : "") +
         svg_line({mark.at.x - radius, y}, {mark.at.x + radius, y}, "limit");
}

// Moves marks sideways that would hide one before them, as far as there is room.
void set_side_by_side(std::vector<Mark>& marks, double space, double left, double right) {
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const auto is_free = [&](Point at) {
      return at.x >= left && at.x <= right &&
             std::all_of(marks.begin(), marks.begin() + static_cast<std::ptrdiff_t>(i),
                         [&](const Mark& other) { return std::hypot(other.at.x - at.x, other.at.y - at.y) >= space; });
    };
    const Point wanted = marks[i].at;
    for (int n = 0; n * space < right - left && !is_free(marks[i].at); ++n)
      for (const int sign : {1, -1}) {
        marks[i].at.x = wanted.x + sign * n * space;
        if (is_free(marks[i].at)) break;
      }
    if (!is_free(marks[i].at)) marks[i].at = wanted;
  }
}

}  // namespace

std::string roofline_plot(const std::vector<BenchResult>& results, const Limits& limits, double width, double height) {
  std::vector<Mark> marks = marks_of(results, limits);
  if (marks.empty()) return "";
  const double peak = limits.flops_per_second * 1e-9;
  const Scales scales = scales_of(marks, peak, width, height);
  const bool numbered = results.size() <= kMostNumbered;
  const double radius = numbered ? kNumberedRadius : kPlainRadius;
  for (Mark& mark : marks) mark.at = {scales.x(mark.intensity), scales.y(mark.gflops)};
  set_side_by_side(marks, 2 * radius + 1, kLeft + radius, width - kRight - radius);
  std::string content = axes(scales, width, height) + roofs(speeds_of(results, limits), peak, scales);
  for (const Mark& mark : marks) content += limit_of(mark, scales, radius);
  for (const Mark& mark : marks) {
    const std::string side = mark.is_baseline ? "theirs" : "ours";
    content += svg_circle(mark.at, radius, "mark " + side, mark.tip);
    if (numbered)
      content += svg_text({mark.at.x, mark.at.y + 4}, std::to_string(mark.number), "number " + side, "middle");
  }
  return svg_figure(width, height, "Roofline: operations a second over operations for each byte of weights", content);
}

}  // namespace rnnc::tools
