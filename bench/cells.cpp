// bench_cells times whole sequences through the standard cells, ours beside oneDNN. Each pair is compared before it is
// timed, and each line says shape, threads, CPU and, for oneDNN, its version. scripts/bench times the same shapes with
// more care.
//
// bench_cells [--grid=quick|full] [--benchmark_filter=REGEX] [--benchmark_list_tests]...   (default: quick)
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "bench/grid.hpp"
#include "bench/onednn/onednn_cell.hpp"
#include "bench/standard_cell.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/lower.hpp"

namespace rnnc::bench {
namespace {

constexpr double kMostDifference = 1e-5;

// Both sides of a shape, with the same weights and inputs.
class Pair {
 public:
  explicit Pair(const Shape& shape)
      : shape_(shape),
        cell_(make_standard_cell(shape.cell, shape.input, shape.hidden)),
        program_(
            compile(cell_.model, cell_.weights,
                    {.dims = {{"I", shape.input}, {"H", shape.hidden}}, .threads = static_cast<int>(shape.threads)})
                .value()),
        state_(program_.make_state(shape.batch)),
        peer_(OnednnCell::make(shape.cell, cell_.weights, shape.steps, shape.batch, static_cast<int>(shape.threads))
                  .value()),
        y_(peer_.output().size()) {
    std::mt19937 random(2);
    for (float& value : peer_.input()) value = std::uniform_real_distribution<float>(-1, 1)(random);
    run();
    run_peer();
    for (std::size_t i = 0; i < y_.size(); ++i)
      if (!(std::abs(y_[i] - peer_.output()[i]) <= kMostDifference))
        throw std::runtime_error(shape.name() + ": rnnc and oneDNN differ at element " + std::to_string(i));
  }

  void run() { (void)program_.run(state_, {.x = peer_.input(), .y = y_, .steps = shape_.steps}); }
  void run_peer() { peer_.run(); }

  std::string cpu() const { return program_.cpu(); }
  double flops() const {
    const auto target = compiler::resolve_target("host").value();
    const auto lowered = compiler::lower(cell_.cell, target).value();
    return compiler::describe(cell_.cell, lowered, target).flops_per_step *
           static_cast<double>(shape_.steps * shape_.batch);
  }

 private:
  Shape shape_;
  StandardCell cell_;
  Program program_;
  State state_;
  OnednnCell peer_;
  std::vector<float> y_;
};

// Google Benchmark calls a benchmark several times, and ours and oneDNN's share their preparation: the last pair is
// kept.
class LastPair {
 public:
  Pair& of(const Shape& shape) {
    if (!pair_ || name_ != shape.name()) {
      pair_.reset();  // not two large ones at once
      pair_ = std::make_unique<Pair>(shape);
      name_ = shape.name();
    }
    return *pair_;
  }

 private:
  std::string name_;
  std::unique_ptr<Pair> pair_;
};

void time_one(benchmark::State& state, const Shape& shape, Pair& pair, bool ours) {
  for (auto _ : state) ours ? pair.run() : pair.run_peer();
  using benchmark::Counter;
  const auto iterations = static_cast<double>(state.iterations());
  state.counters["FLOP/s"] = Counter(iterations * pair.flops(), Counter::kIsRate, Counter::kIs1000);
  state.counters["per_step"] =
      Counter(iterations * static_cast<double>(shape.steps), Counter::kIsRate | Counter::kInvert);
  const std::string threads = shape.threads == 1 ? ", 1 thread" : ", " + std::to_string(shape.threads) + " threads";
  state.SetLabel((ours ? "rnnc, " + pair.cpu() : "oneDNN " + OnednnCell::version()) + threads);
}

void add(const Shape& shape, LastPair& last) {
  for (const bool ours : {true, false})
    benchmark::RegisterBenchmark(
        (shape.name() + (ours ? "/rnnc" : "/onednn")).c_str(),
        [shape, ours, &last](benchmark::State& state) { time_one(state, shape, last.of(shape), ours); })
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
}

}  // namespace
}  // namespace rnnc::bench

int main(int argc, char** argv) {
  using namespace rnnc::bench;
  bool full = false;
  const auto is_ours = [&](std::string_view argument) {
    full = full || argument == "--grid=full";
    return argument == "--grid=full" || argument == "--grid=quick";
  };
  argc = static_cast<int>(std::remove_if(argv + 1, argv + argc, is_ours) - argv);
  LastPair last;
  for (const Shape& shape : full ? full_grid() : quick_grid()) add(shape, last);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
