#include "tools/beaten_limits.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>

namespace rnnc::tools {
namespace {

// Names a figure: the index in Limits::reads, or none for the peak of multiply-adds.
using Figure = std::optional<std::size_t>;

std::set<Figure> deciding(const std::vector<Work>& works, const Limits& limits) {
  std::set<Figure> figures;
  for (const Work& work : works) {
    const Bound bound = bound_of(work, limits);
    figures.insert(bound.is_read ? Figure(bound.set) : std::nullopt);
  }
  return figures;
}

double value_of(Figure figure, const Limits& limits) {
  return figure ? limits.reads[*figure].bytes_per_second : limits.flops_per_second;
}

// A smaller set is never slower to read, so it is raised too.
void raise(Figure figure, double to, Limits& limits) {
  if (!figure) limits.flops_per_second = std::max(limits.flops_per_second, to);
  for (std::size_t i = 0; figure && i <= *figure; ++i)
    limits.reads[i].bytes_per_second = std::max(limits.reads[i].bytes_per_second, to);
}

}  // namespace

Gauge gauge_of_this_machine() {
  constexpr double kSeconds = 0.2;
  return {[] { return measure_flops(kSeconds); }, [](double bytes) { return measure_reading(bytes, kSeconds); }};
}

bool correct_limits(const std::vector<Work>& works, double seconds, const Gauge& gauge, Limits& limits) {
  // The works have to come out as no faster than the limits in spite of rounding.
  constexpr double kRounding = 1 + 1e-9;
  const auto are_beaten = [&] { return least_seconds(works, limits) > seconds; };
  if (!are_beaten()) return false;
  std::set<Figure> measured;
  // Once a figure is better, another one may decide, so the figures are asked for again.
  for (bool is_new = true; is_new && are_beaten();) {
    is_new = false;
    for (const Figure figure : deciding(works, limits)) {
      if (!measured.insert(figure).second) continue;
      raise(figure, figure ? gauge.reading(limits.reads[*figure].bytes) : gauge.flops(), limits);
      is_new = true;
    }
  }
  while (are_beaten()) {
    const double by = least_seconds(works, limits) / seconds * kRounding;
    const Limits before = limits;
    for (const Figure figure : deciding(works, before)) raise(figure, by * value_of(figure, before), limits);
  }
  return true;
}

}  // namespace rnnc::tools
