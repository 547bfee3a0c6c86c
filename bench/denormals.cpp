// bench_denormals compares a step whose states have decayed with one in full motion. Zero input, 10^6 steps;
// without flushing, the state of `leak` would be denormal at the end. Prints the time of the last steps, and of the
// slowest thousand on the way, over that of a normal step.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <rnnc/rnnc.hpp>

#include "bench/standard_cell.hpp"

namespace {

using namespace rnnc;

constexpr std::int64_t kPiece = 1000;
constexpr double kMost = 1.1;

// 0.9999^(10^6) is 3.7e-44: the states pass into the denormals behind step 873,000 and would be among them at the end.
constexpr const char* kLeak =
    "cell leak { input x : f32[32] state h : f32[32] param U : f32[32, 32] param W : f32[32, 32]"
    " h' = 0.9999 * h + W @ x output U @ h' }";

struct Subject {
  std::string name;
  Program program;
};

std::vector<float> noise(std::size_t count, float most) {
  std::vector<float> values(count);
  std::uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = most * (static_cast<float>(state >> 8) * 0x1p-23f - 1);
  }
  return values;
}

class Timer {
 public:
  Timer(const Program& program, std::int64_t batch)
      : program_(program),
        batch_(batch),
        state_(program.make_state(batch)),
        silence_(static_cast<std::size_t>(kPiece * batch * program.input_size())),
        noise_(noise(silence_.size(), 1)),
        y_(static_cast<std::size_t>(kPiece * batch * program.output_size())) {}

  // Seconds of each thousand steps.
  std::vector<double> pieces(std::int64_t count, bool silent) {
    for (const Port& port : program_.states()) {
      const std::size_t size = port.shape.empty() ? 1 : static_cast<std::size_t>(port.shape[0]);
      state_.set(port.name, noise(static_cast<std::size_t>(batch_) * size, 1)).value();
    }
    std::vector<double> times;
    for (std::int64_t k = 0; k < count; ++k) {
      const auto begin = std::chrono::steady_clock::now();
      const RunStatus status = program_.run(state_, {.x = silent ? silence_ : noise_, .y = y_, .steps = kPiece});
      times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
      if (status != RunStatus::Ok) std::exit(3);
    }
    return times;
  }

 private:
  const Program& program_;
  std::int64_t batch_;
  State state_;
  std::vector<float> silence_, noise_, y_;
};

double median(std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

std::vector<Subject> subjects(Backend backend) {
  const CompileOptions options = {.backend = backend, .cache = false};
  const TensorMap weights = {{"U", Tensor::from_f32({32, 32}, noise(1024, 0.2f))},
                             {"W", Tensor::from_f32({32, 32}, noise(1024, 0.2f))}};
  std::vector<Subject> result = {{"leak", compile(parse(kLeak).value(), weights, options).value()}};
  for (const char* name : {"lstm", "gru", "indrnn"}) {
    const bench::StandardCell cell = bench::make_standard_cell(name, 32, 32);
    CompileOptions sized = options;
    sized.dims = {{"I", 32}, {"H", 32}};
    result.push_back({name, compile(cell.model, cell.weights, sized).value()});
  }
  return result;
}

bool report(const Subject& subject, const char* backend, std::int64_t steps) {
  Timer timer(subject.program, 1);
  timer.pieces(20, false);
  const double normal = median(timer.pieces(200, false));
  const std::vector<double> times = timer.pieces(steps / kPiece, true);
  const std::size_t group = std::max<std::size_t>(1, times.size() / 20);
  double slowest = 0;
  for (std::size_t k = 0; k + group <= times.size(); k += group)
    slowest = std::max(slowest, median({times.begin() + static_cast<std::ptrdiff_t>(k),
                                        times.begin() + static_cast<std::ptrdiff_t>(k + group)}));
  const double last = median({times.end() - static_cast<std::ptrdiff_t>(group), times.end()});
  std::printf("%-8s %-9s normal step %7.1f ns, last %5.3fx, slowest twentieth %5.3fx of it\n", subject.name.c_str(),
              backend, normal / kPiece * 1e9, last / normal, slowest / normal);
  std::fflush(stdout);
  return last <= kMost * normal;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t steps = argc > 1 ? std::max(std::atoll(argv[1]), 20 * static_cast<long long>(kPiece)) : 1'000'000;
  bool within = true;
  for (const auto& [backend, name] : {std::pair{Backend::Jit, "jit"}, {Backend::Portable, "portable"}})
    for (const Subject& subject : subjects(backend)) within = report(subject, name, steps) && within;
  std::printf("%lld steps of silence: the last cost %s %.1fx a normal one\n", static_cast<long long>(steps),
              within ? "at most" : "MORE THAN", kMost);
  return within ? 0 : 1;
}
