#include "tools/measure_core.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "runtime/aligned_buffer.hpp"
#include "tools/best_rate.hpp"
#include "tools/flag_time.hpp"
#include "tools/limit_kernels.hpp"

namespace rnnc::tools {
namespace {

using compiler::ReadSpeed;

constexpr int kRounds = 3, kRoundsOfSets = 16;
constexpr std::int64_t kOperations = 1 << 13;  // of each call whose time is taken: some microseconds
constexpr std::int64_t kLargestStepSet = std::int64_t{128} << 20;
constexpr int kSetsInOctave = 4;
constexpr double kSecondsPerSet = 0.006;

// A figure that is printed, kept and compared as text has three digits: more are noise.
double three_digits_of(double value) {
  if (value == 0 || value == compiler::kBeyond) return value;
  const double scale = std::pow(10, 2 - std::floor(std::log10(value)));
  return std::round(value * scale) / scale;
}

// Returns sizes from 16 KiB on, four in each power of two, so that caches of 48 KiB and of 1.25 MiB are among them.
std::vector<std::int64_t> set_sizes() {
  std::vector<std::int64_t> sizes;
  for (std::int64_t octave = compiler::kSmallestSet; octave < kLargestStepSet; octave *= 2)
    for (int part = 0; part < kSetsInOctave; ++part) sizes.push_back(octave / kSetsInOctave * (kSetsInOctave + part));
  sizes.push_back(kLargestStepSet);
  return sizes;
}

// A loop that only loads reads L2 faster than a step does, whose loads of the row and whose multiply-adds share the way
// with it: on a Zen 5, 220 GB/s where a step has 163. Plans follow from what a step has, so the sets are read by the
// loop of a step. Each is timed again in every round, since a slow spell may be longer than one set takes: 48 KiB,
// which fill L1, were read at 210 GB/s in one second and at 393 GB/s in the next.
std::vector<ReadSpeed> step_speeds(const LimitKernels& kernels, const Report& report) {
  const std::vector<std::int64_t> sizes = set_sizes();
  const runtime::AlignedBuffer set(kLargestStepSet / 4);
  const std::int64_t column = std::int64_t{4} * kernels.lanes * kColumnVectors;
  std::vector<ReadSpeed> speeds;
  for (const std::int64_t bytes : sizes) speeds.push_back({static_cast<double>(bytes), 0});
  volatile float sink = 0;
  for (int round = 0; round < kRoundsOfSets; ++round)
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto done = static_cast<double>(i) / static_cast<double>(sizes.size());
      report((round + done) / kRoundsOfSets, "reading, round " + std::to_string(round + 1));
      const std::int64_t columns = sizes[i] / column;
      const auto step = [&](std::int64_t n) { sink = kernels.step(set.data(), columns, n); };
      const double rate = best_rate(static_cast<double>(columns * column), kSecondsPerSet, step);
      speeds[i].bytes_per_second = std::max(speeds[i].bytes_per_second, rate);
    }
  return speeds;
}

void round_figures(compiler::MeasuredCore& core) {
  compiler::Machine& machine = core.machine;
  for (double* figure :
       {&core.clock, &core.flag_seconds, &machine.flops_per_second, &machine.latency, &machine.vector_loads_per_second})
    *figure = three_digits_of(*figure);
  for (compiler::MemoryLevel& level : machine.memory) {
    level.bytes = three_digits_of(level.bytes);
    level.bytes_per_second = three_digits_of(level.bytes_per_second);
  }
}

// Takes the figures that need no memory, and tells by them whether the machine was quiet.
void measure_pipes(const LimitKernels& kernels, const Report& report, CoreFigures& figures) {
  volatile float sink = 0;
  volatile std::int64_t count = 0;
  const std::vector<Contestant> calls = {{[&] { sink = kernels.multiply_add(kOperations); }, {}},
                                         {[&] { sink = kernels.chain(kOperations); }, {}},
                                         {[&] { count = count_cycles(kOperations); }, {}}};
  const std::vector<Times> times = time_in_turns(calls, kRounds, report);
  const auto operations = static_cast<double>(kOperations);
  const double vector_flops = 2.0 * kernels.lanes;
  figures.noise = noise_of(times);
  // A sample is short enough to lie between two preemptions, so that these do no harm.
  figures.noise.preemptions_per_second = 0;
  figures.core.is_noisy = figures.noise.is_noisy();
  figures.peak_flops = operations * kernels.flops / times[0].min();
  // The clock is that of vector code: a chain's multiply-add takes a whole number of cycles, and where wide vectors
  // slow the clock down, additions tell how many.
  const double seconds = times[1].min() / operations;
  const double cycles = std::max(1.0, std::round(seconds * operations / times[2].min()));
  figures.core.clock = cycles / seconds;
  figures.pipes = std::max(1, static_cast<int>(std::lround(figures.peak_flops / vector_flops / figures.core.clock)));
  figures.core.lanes = kernels.lanes;
  figures.core.machine.latency = seconds;
  // A loop falls short of its pipes by noise. With the noise, a plan would keep fewer multiply-adds in flight than the
  // pipes ask for.
  figures.core.machine.flops_per_second =
      std::max(vector_flops * figures.pipes * figures.core.clock, figures.peak_flops);
}

}  // namespace

CoreFigures measure_core(const Report& report) {
  constexpr double kFlag = 0.05, kPipes = 0.2;  // parts of the time
  const LimitKernels kernels = limit_kernels();
  CoreFigures figures;
  compiler::MeasuredCore& core = figures.core;
  report(0, "passing a flag");
  core.flag_seconds = flag_seconds();
  stay_on_this_cpu();
  measure_pipes(kernels, part_of(report, kFlag, kFlag + kPipes), figures);
  const std::vector<ReadSpeed> speeds = step_speeds(kernels, part_of(report, kFlag + kPipes, 1));
  core.machine.memory = compiler::levels_of(speeds);
  // A column's vectors and its element of the row are loaded at the speed of L1.
  core.machine.vector_loads_per_second =
      core.machine.memory[0].bytes_per_second / (4 * kernels.lanes) * (kColumnVectors + 1) / kColumnVectors;
  core.machine.name = compiler::kMeasuredHere;
  round_figures(core);
  return figures;
}

}  // namespace rnnc::tools
