#include "tools/bench_machine.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/llvm/code_of.hpp"
#include "tools/exit_code.hpp"
#include "tools/limits.hpp"
#include "tools/measure_core.hpp"
#include "tools/predictions.hpp"

namespace rnnc::tools {
namespace {

using Json = nlohmann::ordered_json;
using compiler::MemoryLevel;

// The figures that `bench --machine` tells.
struct MeasuredMachine {
  Limits limits;
  CoreFigures figures;
  std::string path;  // of the file where the limits are kept; "" where they are not
  std::optional<Predictions> predictions;

  const compiler::MeasuredCore& core() const { return figures.core; }
};

template <class... Values>
std::string formatted(const char* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

// Returns the speed at which a loop that only loads reads the level: the best of its sets that are clearly larger than
// the level before, of `before` bytes, and clearly smaller than itself.
double alone(const Limits& limits, const MemoryLevel& level, double before) {
  constexpr double kMost = 0.75, kLeast = 1.5;
  double speed = 0;
  for (const ReadSpeed& read : limits.reads)
    if (read.bytes > kLeast * before && read.bytes < kMost * level.bytes)
      speed = std::max(speed, read.bytes_per_second);
  return speed;
}

struct NamedLevel {
  std::string name;
  MemoryLevel level;
  double alone = 0;
};

// A level that is there has a name; those behind memory are not.
std::vector<NamedLevel> named_levels(const Limits& limits) {
  std::vector<NamedLevel> levels;
  double before = 0;
  for (const MemoryLevel& level : limits.core->machine.memory) {
    const bool is_last = level.bytes == compiler::kBeyond;
    const std::string name = is_last ? "memory" : "L" + std::to_string(levels.size() + 1);
    levels.push_back({name, level, alone(limits, level, before)});
    before = level.bytes;
    if (is_last) break;
  }
  return levels;
}

std::string row_of(const MeasuredMachine& measured) {
  if (measured.limits.target.empty()) return "";
  compiler::Machine machine = measured.core().machine;
  machine.name = measured.limits.target.c_str();
  return compiler::row_of(machine, measured.limits.target, measured.core().clock);
}

std::string size_text(double bytes) {
  if (bytes == compiler::kBeyond) return "";
  return bytes < 1 << 20 ? formatted("%.0f KiB", bytes / (1 << 10)) : formatted("%.1f MiB", bytes / (1 << 20));
}

void print_machine(const MeasuredMachine& measured) {
  const compiler::MeasuredCore& core = measured.core();
  const auto cycles = std::lround(core.machine.latency * core.clock);
  std::cout << measured.limits.cpu << (measured.limits.target.empty() ? "" : ", " + measured.limits.target) << "\n"
            << formatted("%-10s %6.0f GFLOP/s  %d multiply-add%s of %d bits a cycle at %.2f GHz; a loop reached %.0f\n",
                         "peak", core.machine.flops_per_second * 1e-9, measured.figures.pipes,
                         measured.figures.pipes == 1 ? "" : "s", 32 * core.lanes, core.clock * 1e-9,
                         measured.figures.peak_flops * 1e-9)
            << formatted("%-10s %6.2f ns       %ld cycles from one multiply-add of a chain to the next\n", "latency",
                         core.machine.latency * 1e9, cycles)
            << formatted("%-10s %6.2f G/s      vectors that a step loads from L1\n", "loads",
                         core.machine.vector_loads_per_second * 1e-9);
  if (core.flag_seconds > 0)
    std::cout << formatted("%-10s %6.0f ns       from a store on one CPU until another sees it\n", "flag",
                           core.flag_seconds * 1e9);
  else
    std::cout << formatted("%-10s not measured: this process has one CPU\n", "flag");
  std::cout << formatted("\n%-10s %10s %14s %14s\n", "level", "up to", "in a step GB/s", "alone GB/s");
  for (const auto& [name, level, alone] : named_levels(measured.limits))
    std::cout << formatted("%-10s %10s %14.0f %14.0f\n", name.c_str(), size_text(level.bytes).c_str(),
                           level.bytes_per_second * 1e-9, alone * 1e-9);
  if (const std::string row = row_of(measured); !row.empty())
    std::cout << "\nthe rows for compiler/schedule/machine.cpp:\n" << row;
}

void print_predictions(const Predictions& predictions) {
  std::cout << "\na step of plans for the machine: " << predictions.machine << "\n"
            << formatted("%-24s %12s %12s %10s\n", "shape", "predicted us", "measured us", "ratio");
  for (const Prediction& one : predictions.shapes)
    std::cout << formatted("%-24s %12.3f %12.3f %10.2f\n", one.shape.c_str(), one.predicted_seconds * 1e6,
                           one.measured_seconds * 1e6, one.ratio());
}

void print_table(const MeasuredMachine& measured) {
  print_machine(measured);
  std::cout << "\n"
            << (measured.path.empty()      ? "nothing is kept: the cache is off"
                : measured.core().is_noisy ? "kept in " + measured.path + ", but too noisy for plans"
                                           : "kept in " + measured.path + "; plans for this machine follow from it")
            << "\n";
  if (measured.predictions) print_predictions(*measured.predictions);
  std::cout << std::flush;
}

Json to_json(const MeasuredMachine& measured) {
  const compiler::MeasuredCore& core = measured.core();
  Json levels = Json::array(), shapes = Json::array();
  for (const auto& [name, level, alone] : named_levels(measured.limits))
    levels.push_back({{"name", name},
                      {"bytes", level.bytes == compiler::kBeyond ? Json() : Json(level.bytes)},
                      {"gbytes_per_second", level.bytes_per_second * 1e-9},
                      {"gbytes_per_second_alone", alone * 1e-9}});
  const Noise& noise = measured.figures.noise;
  Json fields = {{"cpu", measured.limits.cpu},
                 {"isa", measured.limits.target},
                 {"lanes", core.lanes},
                 {"clock_ghz", core.clock * 1e-9},
                 {"peak_gflops", core.machine.flops_per_second * 1e-9},
                 {"loop_gflops", measured.figures.peak_flops * 1e-9},
                 {"multiply_adds_per_cycle", measured.figures.pipes},
                 {"latency_ns", core.machine.latency * 1e9},
                 {"vector_loads_per_second", core.machine.vector_loads_per_second},
                 {"levels", levels},
                 {"flag_ns", core.flag_seconds > 0 ? Json(core.flag_seconds * 1e9) : Json()},
                 {"noisy", core.is_noisy},
                 {"noise", {{"round_spread", noise.round_spread}, {"median_over_min", noise.median_over_min}}},
                 {"row", row_of(measured)},
                 {"file", measured.path}};
  if (!measured.predictions) return fields;
  for (const Prediction& one : measured.predictions->shapes)
    shapes.push_back({{"shape", one.shape},
                      {"predicted_us", one.predicted_seconds * 1e6},
                      {"measured_us", one.measured_seconds * 1e6},
                      {"ratio", one.ratio()}});
  fields["predictions"] = {{"machine", measured.predictions->machine}, {"shapes", shapes}};
  return fields;
}

}  // namespace

Result<int> bench_machine(bool json) {
  constexpr double kLimits = 0.1, kCore = 0.5;  // parts of the time
  Progress progress("bench --machine");
  const Report report = progress.report();
  MeasuredMachine measured;
  measured.figures = measure_core(part_of(report, 0, kCore - kLimits));
  report(kCore - kLimits, "reading");
  measured.limits = measure_limits();
  measured.limits.core = measured.core();
  if (!compiler::parse_limits(compiler::text_of(measured.limits), measured.limits.cpu, measured.limits.target))
    return Error{
        ErrorCode::Unsupported,
        {},
        "what was measured makes no sense, as on a machine that has other work; nothing is kept; measure again "
        "when nothing else runs"};
  measured.path = keep_limits(measured.limits);
  if (compiler::can_generate_code()) {
    Result<Predictions> predictions = check_predictions(part_of(report, kCore, 1));
    if (!predictions) return predictions.error();
    measured.predictions = std::move(*predictions);
  }
  progress.clear();
  if (json)
    std::cout << to_json(measured).dump() << std::endl;
  else
    print_table(measured);
  if (measured.core().is_noisy)
    std::cerr << "rnnc: warning: the machine is noisy: " << measured.figures.noise.to_string()
              << "; plans keep to the table of families; measure again when nothing else runs\n";
  return kOk;
}

}  // namespace rnnc::tools
