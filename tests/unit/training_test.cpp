// Wrong arguments of a Training are refused before anything runs, and the rest of its contract.
#include <rnnc/training.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

constexpr std::int64_t kSteps = 100, kBatch = 2;

// h' = a * h + b * x, two outputs, and a parameter that nothing depends on.
const char* const kText =
    R"(cell slow { input x : f32[2] state h : f32[2] param a, b, unused : f32[2] h' = a * h + b * x output h' }
network n {
  input x : seq f32[2]
  s = slow(x)
  output s
  output twice = 2 * s
})";

TensorMap weights() {
  TensorMap tensors;
  tensors["s.a"] = Tensor::from_f32({2}, {0.5F, 0.25F});
  tensors["s.b"] = Tensor::from_f32({2}, {1, 2});
  tensors["s.unused"] = Tensor::from_f32({2}, {1, 1});
  return tensors;
}

Training training() {
  return Training::make(parse(kText).value(), weights(), {.batch = kBatch, .max_steps = kSteps}).value();
}

// The same with as little memory as it can do with.
Training training_in_pieces() {
  TrainingOptions options{.batch = kBatch, .max_steps = kSteps, .memory_bytes = 100};
  for (;; options.memory_bytes += 100) {
    Result<Training> made = Training::make(parse(kText).value(), weights(), options);
    if (made) return std::move(*made);
  }
}

struct Rows {
  std::vector<float> values = std::vector<float>(kSteps * kBatch * 2, 1.0F);
  operator std::span<const float>() const { return values; }
  operator std::span<float>() { return values; }
};

}  // namespace

TEST_CASE("a training refuses wrong arguments and leaves its states alone", "[training]") {
  for (const bool in_pieces : {false, true}) {
    Training made = in_pieces ? training_in_pieces() : training();
    CHECK((made.steps_kept() < kSteps) == in_pieces);
    Rows x, y, dy;
    const std::vector<float> short_rows(3);
    std::vector<float> short_y(3);
    const auto states = made.state("s.h").value();
    CHECK(made.backward({.dy = dy}) == RunStatus::NoForward);
    CHECK(made.forward({.x = x, .y = y, .steps = -1}) == RunStatus::NegativeSteps);
    CHECK(made.forward({.x = x, .y = y, .steps = kSteps + 1}) == RunStatus::TooManySteps);
    CHECK(made.forward({.x = short_rows, .y = y, .steps = kSteps}) == RunStatus::ShortSpan);
    CHECK(made.forward({.x = x, .y = short_y, .steps = kSteps}) == RunStatus::ShortSpan);
    CHECK(made.forward({.x = x, .y = {}, .steps = kSteps}) == RunStatus::MissingPointer);
    const std::int32_t lengths[] = {kSteps + 1, 1}, one_length[] = {1};
    CHECK(made.forward({.x = x, .y = y, .steps = kSteps, .lengths = lengths}) == RunStatus::BadLength);
    CHECK(made.forward({.x = x, .y = y, .steps = kSteps, .lengths = one_length}) == RunStatus::ShortSpan);
    const NamedOutput unknown[] = {{"saved_0", y}}, small[] = {{"twice", short_y}};
    CHECK(made.forward({.x = x, .y = y, .steps = kSteps, .outputs = unknown}) == RunStatus::UnknownName);
    CHECK(made.forward({.x = x, .y = y, .steps = kSteps, .outputs = small}) == RunStatus::ShortSpan);
    const NamedTime times[] = {{"S", 1}};
    CHECK(made.forward({.x = x, .y = y, .steps = kSteps, .times = times}) == RunStatus::UnknownName);
    CHECK(made.state("s.h").value() == states);

    CHECK(made.forward({.x = x, .y = y, .steps = kSteps}) == RunStatus::Ok);
    const NamedInput stranger[] = {{"energy", dy}};
    CHECK(made.backward({.dy = short_rows}) == RunStatus::ShortSpan);
    CHECK(made.backward({.dy = dy, .d_outputs = stranger}) == RunStatus::UnknownName);
    CHECK(made.backward({.dy = dy, .dx = short_y}) == RunStatus::ShortSpan);
    CHECK(made.backward({.dy = dy}) == RunStatus::Ok);
    CHECK(made.backward({.dy = dy}) == RunStatus::NoForward);
    CHECK_FALSE(made.set_state("s.g", short_rows).ok());
    CHECK_FALSE(made.set_state_gradient("s.h", short_rows).ok());
    CHECK(made.gradient("s.g").empty());
    CHECK(made.weight("a").empty());
  }
}

TEST_CASE("gradients add up until they are cleared, and are those of the equations", "[training]") {
  Training made = training();
  Rows x, y, dy, twice;
  const NamedInput d_outputs[] = {{"twice", twice}};
  // The derivative of the sum of h_t by b, of 3 (one of y, two of the other output) times both sequences.
  const auto expected = [](double a) {
    double sum = 0, by_b = 0;
    for (int t = 0; t < kSteps; ++t) sum += by_b = a * by_b + 1;
    return 3 * kBatch * sum;
  };
  for (int round = 1; round <= 2; ++round) {
    made.reset();
    REQUIRE(made.forward({.x = x, .y = y, .steps = kSteps}) == RunStatus::Ok);
    REQUIRE(made.backward({.dy = dy, .d_outputs = d_outputs}) == RunStatus::Ok);
    CHECK(made.gradient("s.b")[0] == Approx(round * expected(0.5)));
    CHECK(made.gradient("s.b")[1] == Approx(round * expected(0.25)));
  }
  made.clear_gradients();
  CHECK(made.gradient("s.b")[0] == 0);
}

TEST_CASE("a changed weight counts after update", "[training]") {
  Training made = training();
  Rows x, y;
  REQUIRE(made.forward({.x = x, .y = y, .steps = 1}) == RunStatus::Ok);
  CHECK(y.values[0] == 1);
  made.weight("s.b")[0] = 3;
  made.update().value();
  made.reset();
  REQUIRE(made.forward({.x = x, .y = y, .steps = 1}) == RunStatus::Ok);
  CHECK(y.values[0] == 3);
}

TEST_CASE("states go on from one forward pass to the next", "[training]") {
  Training made = training();
  Rows x, y;
  REQUIRE(made.forward({.x = x, .y = y, .steps = kSteps}) == RunStatus::Ok);
  const float last = y.values[(kSteps - 1) * kBatch * 2];
  REQUIRE(made.forward({.x = x, .y = y, .steps = 1}) == RunStatus::Ok);
  CHECK(y.values[0] == Approx(0.5F * last + 1));
}

TEST_CASE("a call of no steps has the gradients of states alone", "[training]") {
  Training made = training();
  Rows y, dy;
  const std::vector<float> gradient = {1, 2, 3, 4};
  made.set_state_gradient("s.h", gradient).value();
  REQUIRE(made.forward({.x = y, .y = y, .steps = 0}) == RunStatus::Ok);
  REQUIRE(made.backward({.dy = dy}) == RunStatus::Ok);
  CHECK(made.state_gradient("s.h").value() == gradient);
  CHECK(made.gradient("s.a")[0] == 0);
}

TEST_CASE("NaN behind the end of a sequence reaches no gradient, and NaN before it does", "[training]") {
  Training made = training();
  Rows x, y, dy;
  const std::int32_t lengths[] = {2, kSteps};
  x.values[(2 * kBatch + 0) * 2] = std::numeric_limits<float>::quiet_NaN();  // step 2 of sequence 0
  REQUIRE(made.forward({.x = x, .y = y, .steps = kSteps, .lengths = lengths}) == RunStatus::Ok);
  REQUIRE(made.backward({.dy = dy}) == RunStatus::Ok);
  CHECK(std::isfinite(made.gradient("s.b")[0]));
  x.values[0] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE(made.forward({.x = x, .y = y, .steps = kSteps, .lengths = lengths}) == RunStatus::Ok);
  REQUIRE(made.backward({.dy = dy}) == RunStatus::Ok);
  CHECK(std::isnan(made.gradient("s.b")[0]));
}

TEST_CASE("a training tells of parameters without a path", "[training]") {
  const std::vector<Note> notes = training().warnings();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].message.find("s.unused") != std::string::npos);
}

TEST_CASE("names of a text that trainings use themselves do no harm", "[training]") {
  const Model model =
      parse(R"(cell c { input x : f32[2] state h : f32[2] param saved0, saved1, step9, W_t : f32[2] param W : f32[2, 2]
  d_h = softmax(W @ h + saved0) * saved1 h' = tanh(d_h + step9 * x + W_t) output h' }
network n { input x : seq f32[2] is_new = c(x) output is_new output saved_0 = 2 * is_new output factor_0 = exp(is_new) output d_y = is_new })")
          .value();
  TensorMap tensors;
  const std::vector<Parameter> parameters = model.parameters("n").value();
  for (const Parameter& parameter : parameters)
    tensors[parameter.name] = parameter.shape.size() == 2 ? Tensor::from_f32({2, 2}, {0.1F, 0.2F, 0.3F, 0.4F})
                                                          : Tensor::from_f32({2}, {0.5F, 0.25F});
  Training made = Training::make(model, tensors, {.batch = 1, .max_steps = 3}).value();
  const std::vector<float> x(6, 0.5F), dy(6, 1.0F);
  std::vector<float> y(6);
  REQUIRE(made.forward({.x = x, .y = y, .steps = 3}) == RunStatus::Ok);
  REQUIRE(made.backward({.dy = dy}) == RunStatus::Ok);
  CHECK(made.gradient("is_new.step9")[0] > 0.1F);
}

TEST_CASE("what a training cannot do is said before anything runs", "[training]") {
  const Model model = parse(kText).value();
  TrainingOptions options{.batch = 1, .max_steps = 1000, .memory_bytes = 100};
  CHECK(Training::make(model, weights(), options).error().code == ErrorCode::Limit);
  options.memory_bytes = 0;
  options.compile.weights = WeightFormat::W8;
  CHECK(Training::make(model, weights(), options).error().code == ErrorCode::Unsupported);
  options.compile.weights = WeightFormat::F32;
  options.batch = -1;
  CHECK(Training::make(model, weights(), options).error().code == ErrorCode::Usage);
  for (const int bits : {31, 40, 62}) {
    TrainingOptions large{.batch = std::int64_t{1} << bits, .max_steps = std::int64_t{1} << 31};
    CHECK(Training::make(model, weights(), large).error().code == ErrorCode::Limit);
    large.memory_bytes = 1000000;
    CHECK(Training::make(model, weights(), large).error().code == ErrorCode::Limit);
  }
  options.batch = std::int64_t{1} << 40;
  CHECK(Training::make(model, weights(), options).error().code == ErrorCode::Limit);
  const Model times = parse("network n { input x : seq f32 input z : seq<S> f32 output x output other = z }").value();
  CHECK(Training::make(times, {}, {.batch = 1, .max_steps = 1}).error().code == ErrorCode::Unsupported);
  TensorMap missing = weights();
  missing.erase("s.a");
  CHECK(Training::make(model, missing, {.batch = 1, .max_steps = 1}).error().code == ErrorCode::InvalidData);
}

}  // namespace rnnc::test
