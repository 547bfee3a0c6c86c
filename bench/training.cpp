// bench_training times the parts of a training of standard cells: the forward pass, both passes, and the packing of
// changed weights. bench/python/train.py has whole trainings beside PyTorch.
//
// bench_training [--benchmark_filter=REGEX] [--benchmark_list_tests]...
#include <benchmark/benchmark.h>

#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <rnnc/training.hpp>

#include "bench/standard_cell.hpp"

namespace rnnc::bench {
namespace {

constexpr std::int64_t kSteps = 100;

// A training of a cell with as many inputs as units.
class Trained {
 public:
  Trained(const std::string& cell, std::int64_t size, std::int64_t batch) : Trained(make(cell, size, batch), batch) {}

  void forward() { check(training_.forward({.x = x_, .y = y_, .steps = kSteps})); }
  void backward() { check(training_.backward({.dy = dy_, .dx = dx_})); }
  void update() { training_.update().value(); }

 private:
  static Training make(const std::string& name, std::int64_t size, std::int64_t batch) {
    const StandardCell cell = make_standard_cell(name, size, size);
    const CompileOptions compile{.dims = {{"I", size}, {"H", size}}};
    return Training::make(cell.model, cell.weights, {.compile = compile, .batch = batch, .max_steps = kSteps}).value();
  }

  Trained(Training training, std::int64_t batch) : training_(std::move(training)) {
    x_.resize(static_cast<std::size_t>(kSteps * batch * training_.inputs().at(0).size()));
    y_.resize(static_cast<std::size_t>(kSteps * batch * training_.outputs().at(0).port.size()));
    std::mt19937 random(2);
    for (float& value : x_) value = std::uniform_real_distribution<float>(-1, 1)(random);
    dx_.resize(x_.size());
    dy_.assign(y_.size(), 1);
    forward();
    backward();
  }

  static void check(RunStatus status) {
    if (status != RunStatus::Ok) throw std::runtime_error(text(status));
  }

  Training training_;
  std::vector<float> x_, y_, dx_, dy_;
};

void add(const std::string& cell, std::int64_t size, std::int64_t batch) {
  const std::string name = cell + "/" + std::to_string(size) + "/" + std::to_string(batch);
  const auto time = [&](const char* part, auto run) {
    benchmark::RegisterBenchmark((name + part).c_str(), [cell, size, batch, run](benchmark::State& state) {
      Trained trained(cell, size, batch);
      for (auto _ : state) run(trained);
    })->Unit(benchmark::kMicrosecond);
  };
  time("/forward", [](Trained& trained) { trained.forward(); });
  time("/both", [](Trained& trained) { trained.forward(), trained.backward(); });
  time("/update", [](Trained& trained) { trained.update(); });
}

}  // namespace
}  // namespace rnnc::bench

int main(int argc, char** argv) {
  for (const char* cell : {"lstm", "gru", "ligru"})
    for (const auto& [size, batch] : {std::pair(64, 1), {64, 16}, {128, 16}, {256, 64}})
      rnnc::bench::add(cell, size, batch);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
