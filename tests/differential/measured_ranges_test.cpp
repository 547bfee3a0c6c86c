// Vectors in ranges that were measured have the same bits on everything that runs integers; beyond its range, a vector
// makes its products NaN.
#include <cmath>

#include "ir/parse.hpp"
#include "ir/scan.hpp"
#include "runtime/number_format.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/trial.hpp"

namespace rnnc::test {
namespace {

constexpr WeightFormat kIntegers[] = {WeightFormat::W16, WeightFormat::W8A16, WeightFormat::W8};

// An unbounded state, one that is proved, products of a function of a state, of slices and of joined vectors.
constexpr const char* kCell =
    "cell c { input x : f32[6] state h : f32[19] state g : f32[5] param W : f32[19, 25] param U : f32[5, 19] "
    "param V : f32[5, 3] param A : f32[7, 19] "
    "h' = relu(W @ concat(x, h)) g' = tanh(U @ relu(h' - 0.1) + V @ x[0:3]) output A @ (h' * 0.5) }";

// Scans of one cell, of both directions and of an input that is the same at each step, and expressions between them.
constexpr const char* kNetwork =
    "cell c { input x : f32[4] input k : f32[3] state h : f32[9] param W : f32[9, 4] param U : f32[9, 9] "
    "param K : f32[9, 3] h' = relu(W @ x + U @ h + K @ k) output h' }\n"
    "cell d { input x : f32[18] state s : f32[5] param W : f32[5, 18] s' = 0.5 * s + W @ x output relu(s') }\n"
    "network n { input x : seq f32[4] input k : f32[3] param P : f32[6, 5] param Q : f32[3, 9] "
    "a = bidirectional c(x, k) b = d(a) last = mean(b) output P @ relu(b) output other = Q @ a.fwd.h }\n";

Subject subject_of(const std::string& text) {
  const ir::Module module = ir::parse(text).value();
  Subject subject{module.networks.empty() ? ir::Graph(module.cells[0]) : ir::Graph(module.networks[0]), {}};
  Random random(3);
  for (const ir::Weight& weight : ir::weights_of(subject.graph)) {
    const float most = 1 / std::sqrt(static_cast<float>(weight.type.dims.back().value()));
    subject.weights[weight.name] = random.vector(static_cast<std::size_t>(elements(weight.type)), -most, most);
  }
  return subject;
}

}  // namespace

TEST_CASE("vectors in measured ranges have the same bits on everything that runs integers", "[integers][calibrate]") {
  using enum Check;
  for (const char* text : {kCell, kNetwork}) {
    const Subject subject = subject_of(text);
    const Ranges ranges = ranges_of(subject, 6);
    CHECK(ranges.bounds.size() >= 4);
    for (const WeightFormat format : kIntegers) {
      INFO(text << " as " << runtime::name(format));
      const auto check = [&](std::int64_t steps, std::int64_t batch, std::initializer_list<Check> checks) {
        INFO(steps << " steps, " << batch << " sequences");
        const Setting setting{.steps = steps, .batch = batch, .weights = format, .ranges = ranges};
        const Trial trial(subject, setting);
        for (const Check each : checks) CHECK(trial.fault(each).value_or("") == "");
        Setting dynamic = setting;
        dynamic.ranges = {};
        const Data data = random_data(subject.graph, setting);
        const NetworkOutcome outcome = run(compile(subject, setting), subject.graph, data);
        for (const float each : outcome.y) CHECK(std::isfinite(each));
        // The scales of steps are others, and so are the integers.
        CHECK(differ(outcome, run(compile(subject, dynamic), subject.graph, data)).has_value());
      };
      check(7, 1, {Interpreter, Pieces, Executors, Levels});
      check(3, 19, {Interpreter, Alone, Threads, Executors, Again});
      check(5, 2, {Artifact, Object, FloatModes});
    }
  }
}

TEST_CASE("a value beyond its measured range makes its products NaN, and no other sequence", "[integers][calibrate]") {
  const Subject subject = subject_of("cell c { input x : f32[4] param W : f32[3, 4] output W @ x }");
  Ranges ranges = ranges_of(subject, 2);
  for (const WeightFormat format : kIntegers)
    for (const std::string& executor : executors()) {
      INFO(executor << " as " << runtime::name(format));
      const Setting setting{.executor = executor, .steps = 1, .batch = 2, .weights = format, .ranges = ranges};
      const Program program = compile(subject, setting);
      const auto y_of = [&](float element) {
        State state = program.make_state(2);
        const std::vector<float> x = {0.5f, element, -1, 0, 0.5f, 1, -1, 0};
        std::vector<float> y(6);
        REQUIRE(program.step(state, x, y) == RunStatus::Ok);
        return y;
      };
      for (const float inside : {2.0f, -2.0f, 1.5f, 2.0001f})  // a little beyond saturates
        for (const float each : y_of(inside)) CHECK(std::isfinite(each));
      CHECK(y_of(2) == y_of(2.0001f));
      for (const float outside : {2.1f, -2.1f, 1e30f, std::numeric_limits<float>::infinity()}) {
        const std::vector<float> y = y_of(outside), others = y_of(1);
        for (std::size_t i = 0; i < 3; ++i) CHECK(std::isnan(y[i]));
        for (std::size_t i = 3; i < 6; ++i) CHECK(y[i] == others[i]);
      }
    }
}

TEST_CASE("a state that begins beyond its measured range is refused", "[integers][calibrate]") {
  const Subject subject = subject_of(kCell);
  const Program program = compile(subject, {.weights = WeightFormat::W8, .ranges = ranges_of(subject, 6)});
  State state = program.make_state(1);
  std::vector<float> h(19, 5.9f);
  CHECK(state.set("h", h));
  h[3] = -6.1f;
  const Result<void> refused = state.set("h", h);
  REQUIRE(!refused);
  CHECK(refused.error().message.find("state h has -6.1 at [0,3], which is not in -6 to 6") == 0);
}

TEST_CASE("ranges change no bit of weights that are no integers", "[integers][calibrate]") {
  const Subject subject = subject_of(kCell);
  const Ranges ranges = ranges_of(subject, 0.01f);
  for (const WeightFormat format : {WeightFormat::F32, WeightFormat::F16, WeightFormat::BF16}) {
    const Setting plain{.steps = 4, .batch = 2, .weights = format};
    Setting with = plain;
    with.ranges = ranges;
    const Data data = random_data(subject.graph, plain);
    CHECK(differ(run(compile(subject, plain), subject.graph, data), run(compile(subject, with), subject.graph, data))
              .value_or("") == "");
  }
}

}  // namespace rnnc::test
