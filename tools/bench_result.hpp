// A contest becomes the figures of one shape, which every form of output takes from here.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

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
  double intensity = 0;    // floating point operations for each byte of recurrent weights; 0 where none are read
  std::vector<Work> work;  // of one run, of which a call has several with --sessions
  double runs = 1;
  bool knows_limit = true;  // else the fields about the limit stay null
};

/// Times the contest. The contestants take turns. The fields about the limit are 0 until `judge` is called.
BenchResult measure(const Contest& contest, const Report& report);

/// Makes the limits hold that the result has beaten, and returns whether there were any. A baseline of f32 counts like
/// the result.
bool correct_limits(const BenchResult& result, Limits& limits);

/// Fills in which part of the time the limits need.
void judge(BenchResult& result, const Limits& limits);

}  // namespace rnnc::tools
