// A contest becomes the figures of one shape, which every form of output takes from here.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/bench_contest.hpp"
#include "tools/limits.hpp"
#include "tools/noise.hpp"
#include "tools/timing.hpp"

namespace rnnc::tools {

struct BenchResult {
  std::string shape;              // CELL:T:B:I:H:THREADS
  nlohmann::ordered_json fields;  // the object of --json; scripts rely on its names
  Times ours, baseline;           // `baseline` has no samples where there is none
  std::string baseline_title;     // "oneDNN"
  Noise noise;
  double intensity = 0;  // floating point operations for each byte of recurrent weights; 0 where none are read
};

/// Times the contest. The contestants take turns.
BenchResult measure(const Contest& contest, const Limits& limits, const Report& report);

}  // namespace rnnc::tools
