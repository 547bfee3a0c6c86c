// bench_onnxruntime [ROUNDS]: times our operator and ONNX Runtime's own LSTM, in turns, each as the one node of a
// session with one thread, and prints the best time of a call in microseconds. Both compute the same from the same
// weights, which is checked.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <rnnc/rnnc.hpp>

#include "tests/extensions/onnx_lstm.hpp"
#include "tests/extensions/onnxruntime_session.hpp"
#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"

namespace {

using namespace rnnc;
namespace onnx = rnnc::test::onnx;

struct Sizes {
  std::int64_t steps, batch, input, hidden;
};

constexpr Sizes kShapes[] = {{1, 1, 16, 16},    {1, 1, 64, 64},      {1, 1, 128, 128},
                             {100, 1, 16, 16},  {100, 1, 64, 64},    {100, 1, 128, 128},
                             {100, 16, 64, 64}, {100, 16, 128, 128}, {100, 16, 256, 256}};

std::string ours(const test::Weights& weights, const ir::Cell& cell) {
  return test::recurrent_node({"x"}, {"y"}, test::model_attributes("lstm", cell, weights));
}

std::string theirs(const test::Weights& weights, const Sizes& shape) {
  return onnx::node("LSTM", {"x", "w", "r", "b"}, {"y"}, onnx::integer("hidden_size", shape.hidden)) +
         test::onnx_lstm_weights(weights, shape.input, shape.hidden);
}

class Contestant {
 public:
  Contestant(Ort::Env& env, const std::string& node, const Sizes& shape, const std::vector<std::int64_t>& y_shape)
      : x_shape_{shape.steps, shape.batch, shape.input},
        x_(test::Random(1).vector(static_cast<std::size_t>(shape.steps * shape.batch * shape.input), -1, 1)),
        y_(static_cast<std::size_t>(shape.steps * shape.batch * shape.hidden)) {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    options.RegisterCustomOpsLibrary(RNNC_ONNXRUNTIME_EXTENSION);
    const std::string model = test::model_with_ours(node + onnx::input("x", x_shape_) + onnx::output("y"));
    session_ = Ort::Session(env, model.data(), model.size(), options);
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    in_ = Ort::Value::CreateTensor<float>(memory, x_.data(), x_.size(), x_shape_.data(), x_shape_.size());
    out_ = Ort::Value::CreateTensor<float>(memory, y_.data(), y_.size(), y_shape.data(), y_shape.size());
  }

  void run() {
    const char *const x = "x", *const y = "y";
    session_.Run(Ort::RunOptions(nullptr), &x, &in_, 1, &y, &out_, 1);
  }

  /// Keeps the best time of one of so many calls.
  void race(int calls) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) run();
    best = std::min(
        best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / calls);
  }

  const std::vector<float>& y() const { return y_; }
  double best = std::numeric_limits<double>::infinity();

 private:
  std::vector<std::int64_t> x_shape_;
  std::vector<float> x_, y_;
  Ort::Session session_{nullptr};
  Ort::Value in_{nullptr}, out_{nullptr};
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
  Ort::Env env(ORT_LOGGING_LEVEL_FATAL);
  std::printf("ONNX Runtime %s, LSTM, f32, one thread: us of a call\n", Ort::GetVersionString().c_str());
  std::printf("   T   B    I    H  Recurrent       LSTM  LSTM / Recurrent\n");
  for (const Sizes& shape : kShapes) {
    const ir::Cell cell = test::standard("lstm", shape.input, shape.hidden);
    const test::Weights weights = test::random_weights(cell, 1);
    Contestant rnnc(env, ours(weights, cell), shape, {shape.steps, shape.batch, shape.hidden});
    Contestant ort(env, theirs(weights, shape), shape, {shape.steps, 1, shape.batch, shape.hidden});
    rnnc.run();
    ort.run();
    for (std::size_t i = 0; i < rnnc.y().size(); ++i)
      if (!(std::fabs(rnnc.y()[i] - ort.y()[i]) < 1e-5F)) return std::puts("the results differ"), 1;
    const int calls = shape.steps * shape.batch == 1 ? 100 : 1;
    for (int round = 0; round < rounds; ++round) {
      rnnc.race(calls);
      ort.race(calls);
    }
    std::printf("%4d %3d %4d %4d %10.1f %10.1f %17.2f\n", static_cast<int>(shape.steps), static_cast<int>(shape.batch),
                static_cast<int>(shape.input), static_cast<int>(shape.hidden), rnnc.best, ort.best,
                ort.best / rnnc.best);
  }
}
