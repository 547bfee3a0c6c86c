// Whole sequences through the standard cells, ours beside oneDNN, one thread. Each pair is compared before it is timed,
// and each line says shape, threads, CPU and, for oneDNN, its version. `rnnc bench` times a single shape with more
// care.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "bench/onednn/onednn_cell.hpp"
#include "bench/standard_cell.hpp"
#include "compiler/lower.hpp"

namespace rnnc::bench {
namespace {

constexpr double kMostDifference = 1e-5;

struct Shape {
  std::string cell;
  std::int64_t steps, batch, input, hidden;

  std::string name() const {
    return cell + "/T:" + std::to_string(steps) + "/B:" + std::to_string(batch) + "/I:" + std::to_string(input) +
           "/H:" + std::to_string(hidden);
  }
};

// Both sides of a shape, with the same weights and inputs.
class Pair {
 public:
  explicit Pair(const Shape& shape)
      : shape_(shape),
        cell_(make_standard_cell(shape.cell, shape.input, shape.hidden)),
        program_(compile(cell_.model, cell_.weights, {.dims = {{"I", shape.input}, {"H", shape.hidden}}}).value()),
        state_(program_.make_state(shape.batch)),
        peer_(OnednnCell::make(shape.cell, cell_.weights, shape.steps, shape.batch, 1).value()),
        y_(peer_.output().size()) {
    std::mt19937 random(2);
    for (float& value : peer_.input()) value = std::uniform_real_distribution<float>(-1, 1)(random);
    run();
    run_peer();
    for (std::size_t i = 0; i < y_.size(); ++i)
      if (!(std::abs(y_[i] - peer_.output()[i]) <= kMostDifference))
        throw std::runtime_error(shape.name() + ": rnnc and oneDNN differ at element " + std::to_string(i));
  }

  void run() {
    (void)program_.run(
        {.x = peer_.input().data(), .y = y_.data(), .steps = shape_.steps, .batch = shape_.batch, .state = state_});
  }
  void run_peer() { peer_.run(); }

  std::string cpu() const { return program_.cpu(); }
  double flops() const {
    const auto target = compiler::resolve_target("host").value();
    const auto lowered = compiler::lower(cell_.cell, target);
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

void time_one(benchmark::State& state, const Shape& shape, bool ours) {
  Pair pair(shape);
  for (auto _ : state) ours ? pair.run() : pair.run_peer();
  using benchmark::Counter;
  const auto iterations = static_cast<double>(state.iterations());
  state.counters["FLOP/s"] = Counter(iterations * pair.flops(), Counter::kIsRate, Counter::kIs1000);
  state.counters["per_step"] =
      Counter(iterations * static_cast<double>(shape.steps), Counter::kIsRate | Counter::kInvert);
  state.SetLabel(ours ? "rnnc, 1 thread, " + pair.cpu() : "oneDNN " + OnednnCell::version() + ", 1 thread");
}

void add(const Shape& shape) {
  for (const bool ours : {true, false})
    benchmark::RegisterBenchmark((shape.name() + (ours ? "/rnnc" : "/onednn")).c_str(),
                                 [=](benchmark::State& state) { time_one(state, shape, ours); })
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
}

}  // namespace
}  // namespace rnnc::bench

int main(int argc, char** argv) {
  using namespace rnnc::bench;
  for (const std::string& cell : OnednnCell::cells())
    for (const std::int64_t size : {16, 64, 128}) add({cell, 100, 1, size, size});
  for (const char* cell : {"lstm", "gru", "rnn"}) {
    add({cell, 1, 1, 128, 128});
    add({cell, 50, 16, 256, 256});
    add({cell, 25, 1, 512, 512});
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
