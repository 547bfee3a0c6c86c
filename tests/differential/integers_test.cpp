// Products of integers have the same bits on every CPU, executor and number of threads, in batches and pieces, in
// objects and artifacts; and they are what the interpreter computes with integers of its own.
#include <rnnc/ahead.hpp>

#include <cmath>

#include "compiler/llvm/resolve_target.hpp"
#include "ir/parse.hpp"
#include "runtime/cpu_features.hpp"
#include "runtime/number_format.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/linked_object.hpp"
#include "tests/support/trial.hpp"

namespace rnnc::test {
namespace {

constexpr WeightFormat kIntegers[] = {WeightFormat::W16, WeightFormat::W8A16, WeightFormat::W8};

Subject subject_of(const std::string& cell, std::int64_t inputs, std::int64_t units) {
  const ir::Cell bound = standard(cell, inputs, units);
  return {bound, random_weights(bound, 4)};
}

/// The one cell of a text, with random weights.
Subject subject_of_text(const std::string& text) {
  const ir::Cell cell = ir::parse(text).value().cells.at(0);
  return {cell, random_weights(cell, 1)};
}

}  // namespace

TEST_CASE("every standard cell has the same bits on everything that runs integers", "[integers]") {
  using enum Check;
  // Each format takes each of the ways through all that runs programs for a third of the cells.
  for (std::size_t i = 0; const std::string& name : standard_cell_names()) {
    const Subject subject = subject_of(name, 6, 22);
    for (std::size_t k = 0; k < std::size(kIntegers); ++k) {
      const WeightFormat format = kIntegers[k];
      INFO(name << " as " << runtime::name(format));
      const auto check = [&](std::int64_t steps, std::int64_t batch, std::initializer_list<Check> checks) {
        INFO(steps << " steps, " << batch << " sequences");
        const Trial trial(subject, {.steps = steps, .batch = batch, .weights = format});
        for (const Check each : checks) CHECK(trial.fault(each).value_or("") == "");
      };
      check(9, 1, {Interpreter, Pieces, Executors});
      const std::size_t turn = (i + k) % std::size(kIntegers);
      if (turn == 0) check(4, 5, {Again, Threads, Levels, FloatModes});
      if (turn == 1) check(5, 2, {Artifact, Object});
      if (turn == 2) check(3, 19, {Interpreter, Alone});
    }
    ++i;
  }
}

TEST_CASE("programs that leave out zeros have the bits of those that do not, on everything", "[integers][sparse]") {
  using enum Check;
  for (std::size_t i = 0;
       const auto& [name, units] : {std::pair{"lstm", 22}, {"gru", 65}, {"rnn", 150}, {"lstm", 128}}) {
    for (const double kept : {0.0, 0.3, 1.0}) {
      Subject subject = subject_of(name, 9, units);
      leave_out_blocks(subject, 7 + i, kept);
      const WeightFormat format = kIntegers[i++ % std::size(kIntegers)];
      INFO(name << " of " << units << " as " << runtime::name(format) << ", " << kept << " kept");
      const auto check = [&](std::int64_t steps, std::int64_t batch, std::initializer_list<Check> checks) {
        INFO(steps << " steps, " << batch << " sequences");
        Setting setting{.steps = steps, .batch = batch, .weights = format};
        const NetworkOutcome dense = run(compile(subject, setting), subject.graph, random_data(subject.graph, setting));
        setting.sparse = true;
        CHECK(differ(run(compile(subject, setting), subject.graph, random_data(subject.graph, setting)), dense)
                  .value_or("") == "");
        const Trial trial(subject, setting);
        for (const Check each : checks) CHECK(trial.fault(each).value_or("") == "");
      };
      check(7, 1, {Interpreter, Pieces, Executors, Threads, Levels, Plans});
      check(3, 19, {Interpreter, Alone, Levels, Threads});
      check(4, 2, {Artifact, Object});
    }
  }
}

// rnnc makes no code in process for Alder Lake on a machine that lacks any of its instructions, of which these programs
// need none but those for products of bytes. An object does not ask.
TEST_CASE("objects of vectors of 256 bits with AVX-VNNI have the bits of this machine's code", "[integers]") {
  if (!runtime::has_feature(runtime::host_features(), "avxvnni")) {
    WARN("skipped: this machine has no AVX-VNNI");
    return;
  }
  for (const auto& [name, units] : {std::pair{"lstm", 22}, {"gru", 65}})
    for (const WeightFormat format : kIntegers)
      for (const bool sparse : {false, true}) {
        INFO(name << " as " << runtime::name(format) << (sparse ? ", sparse" : ""));
        Subject subject = subject_of(name, 9, units);
        if (sparse) leave_out_blocks(subject, 3);
        const Setting setting{.steps = 5, .batch = 3, .weights = format, .sparse = sparse};
        const Program program = compile(subject, setting);
        const Data data = random_data(subject.graph, setting);
        const ObjectFiles files =
            compile_object(model_of(subject), tensors_of(subject),
                           {.name = "m", .targets = {"alderlake"}, .weights = format, .sparse = sparse})
                .value();
        CHECK(differ(run_object({files, program.states()}, program, subject.graph, data.batch, data.states),
                     run(program, subject.graph, data))
                  .value_or("") == "");
      }
}

TEST_CASE("floats are not left out, since their products with zero count", "[integers][sparse]") {
  const Subject subject = subject_of("rnn", 3, 5);
  for (const Backend backend : {Backend::Jit, Backend::Portable, Backend::Tiered})
    for (const WeightFormat format : {WeightFormat::F32, WeightFormat::BF16}) {
      const auto program = rnnc::compile(model_of(subject), tensors_of(subject),
                                         {.backend = backend, .weights = format, .sparse = true});
      REQUIRE_FALSE(program.ok());
      CHECK(program.error().to_string() ==
            std::string("sparse programs multiply integers, and ") + runtime::name(format) +
                " weights are none; use w8, w8a16, or w16, which is nearly as exact as f32");
    }
  CHECK_FALSE(compile_artifact(model_of(subject), tensors_of(subject), {.sparse = true}).ok());
  CHECK_FALSE(compile_object(model_of(subject), tensors_of(subject), {.name = "m", .sparse = true}).ok());
}

TEST_CASE("large layers have the same bits on every level, plan and number of threads", "[integers]") {
  // Two formats of each cell: one alone, and one in a batch.
  for (std::size_t i = 0; const auto& [name, units] : {std::pair{"lstm", 300}, {"gru", 515}, {"rnn", 1030}}) {
    const Subject subject = subject_of(name, units - 7, units);
    for (const auto& [steps, batch] : {std::pair{3, 1}, {2, 17}}) {
      const WeightFormat format = kIntegers[i++ % std::size(kIntegers)];
      INFO(name << " as " << runtime::name(format) << ", " << batch << " sequences");
      const Trial trial(subject, {.steps = steps, .batch = batch, .weights = format});
      for (const Check check : {Check::Interpreter, Check::Threads, Check::Levels, Check::Plans, Check::Executors})
        CHECK(trial.fault(check).value_or("") == "");
    }
  }
}

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

Outcome run_rnn(const std::string& executor, WeightFormat format, const Weights& weights, const Sequences& sequences) {
  const Subject subject{standard("rnn", 5, 19), weights};
  return run(compile(subject, {.executor = executor, .weights = format}), sequences);
}

}  // namespace

TEST_CASE("an element that is no number makes all of its sequence NaN, and no other one", "[integers]") {
  const ir::Cell cell = standard("rnn", 5, 19);
  const Weights weights = random_weights(cell, 4);
  for (const std::string& executor : executors())
    for (const WeightFormat format : kIntegers)
      for (const float bad : {kNan, kInfinity, -kInfinity}) {
        INFO(executor << ", " << runtime::name(format) << ", " << bad);
        Sequences sequences = random_sequences(cell, 4, 3, 9);
        const Outcome good = run_rnn(executor, format, weights, sequences);
        sequences.x[(1 * 3 + 1) * 5 + 2] = bad;  // step 1 of sequence 1
        const Outcome outcome = run_rnn(executor, format, weights, sequences);
        for (std::size_t i = 0; i < outcome.y.size(); ++i) {
          const std::size_t step = i / (3 * 19), sequence = i / 19 % 3;
          // The state is NaN from then on, and the scale of a state is a constant: the mark has to pass it on.
          if (sequence == 1 && step >= 1)
            CHECK(std::isnan(outcome.y[i]));
          else
            CHECK(outcome.y[i] == good.y[i]);
        }
      }
}

TEST_CASE("rows of weights that are zero, tiny, huge or no numbers have the results that are defined", "[integers]") {
  const ir::Cell cell = standard("rnn", 5, 19);
  Weights weights = random_weights(cell, 4);
  const auto fill_row = [&](const std::string& name, std::size_t row, std::size_t columns, float value) {
    std::fill_n(weights.at(name).begin() + static_cast<std::ptrdiff_t>(row * columns), columns, value);
  };
  for (const char* name : {"W", "U"}) {
    const std::size_t columns = name[0] == 'W' ? 5 : 19;
    fill_row(name, 0, columns, 0);
    fill_row(name, 1, columns, 1e-38f);
    fill_row(name, 2, columns, 1e-42f);
  }
  fill_row("W", 3, 5, 1e38f);
  weights.at("U")[4 * 19 + 7] = kNan;
  weights.at("W")[5 * 5 + 2] = -kInfinity;
  const Sequences sequences = random_sequences(cell, 3, 2, 9);
  for (const std::string& executor : executors())
    for (const WeightFormat format : kIntegers) {
      INFO(executor << ", " << runtime::name(format));
      const Outcome outcome = run_rnn(executor, format, weights, sequences);
      for (std::size_t sequence = 0; sequence < 2; ++sequence) {
        const float* y = outcome.y.data() + sequence * 19;  // of the first step
        for (const std::size_t row : {0u, 1u, 2u}) CHECK(y[row] == std::tanh(weights.at("b")[row]));
        CHECK(std::fabs(y[3]) == 1);
        CHECK(std::isnan(y[4]));
        CHECK(std::isnan(y[5]));
        CHECK(!std::isnan(y[6]));
      }
    }
}

TEST_CASE("vectors of zeros and of tiny numbers give the start of their sums", "[integers]") {
  const ir::Cell cell = standard("rnn", 5, 19);
  const Weights weights = random_weights(cell, 4);
  for (const std::string& executor : executors())
    for (const WeightFormat format : kIntegers)
      for (const float value : {0.0f, 1e-40f, 1e-36f}) {
        INFO(executor << ", " << runtime::name(format) << ", " << value);
        Sequences sequences{1, 1, std::vector<float>(5, value), {{"h", std::vector<float>(19, value)}}};
        const Outcome outcome = run_rnn(executor, format, weights, sequences);
        for (std::size_t i = 0; i < 19; ++i) CHECK(std::fabs(outcome.y[i] - std::tanh(weights.at("b")[i])) < 1e-7f);
      }
}

TEST_CASE("a state beyond what its integers hold is refused, by set, restore and constant start values", "[integers]") {
  const Subject subject = subject_of("gru", 4, 6);
  const Program program = compile(subject, {.weights = WeightFormat::W8});
  State state = program.make_state(2);
  std::vector<float> values(12, 0.5f);
  CHECK(state.set("h", values));
  values[9] = -1.5f;
  const Result<void> refused = state.set("h", values);
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::InvalidData);
  CHECK(refused.error().message ==
        "state h has -1.5 at [1,3], which is not in -1 to 1, the range that its integers were made for; use f16, bf16 "
        "or f32 weights");
  CHECK(state.get("h").value()[9] == 0.5f);
  values[9] = kNan;
  CHECK(state.set("h", values));
  // An object, which looks at no state, says so in its header.
  const auto header_of = [&](WeightFormat format) {
    return compile_object(model_of(subject), tensors_of(subject), {.name = "m", .weights = format}).value().header;
  };
  const std::string said = "to read or to write between calls, from -1 to 1: others give NaN. */";
  CHECK(header_of(WeightFormat::W8).find(said) != std::string::npos);
  CHECK(header_of(WeightFormat::F32).find("others give NaN") == std::string::npos);
  // Another program of the same states takes the value, and its saved states are refused here.
  values[9] = 3;
  State other = compile(subject, {}).make_state(2);
  CHECK(other.set("h", values));
  CHECK(!state.restore(other.save()));
}

TEST_CASE("a product of too many columns for 32 bits is refused where it stands", "[integers]") {
  const Subject subject = subject_of_text(
      "cell wide {\n  input x : f32[32772]\n  state h : f32[2]\n  param W : f32[2, 32772]\n"
      "  h' = tanh(W @ x)\n  output h'\n}\n");
  for (const char* executor : {"host", "portable x86-64-v2"}) {
    CompileOptions options = options_for(executor);
    options.weights = WeightFormat::W8;
    const auto program = rnnc::compile(model_of(subject), tensors_of(subject), options);
    REQUIRE(!program);
    CHECK(program.error().code == ErrorCode::Limit);
    CHECK(program.error().message ==
          "a product of 32772 columns is more than weights of integers allow, which is 32768; use f16, bf16 or f32 "
          "weights");
    CHECK(program.error().place.line == 5);
  }
}

TEST_CASE("objects for CPUs whose tiles are cut in pieces have these bits", "[integers]") {
  const compiler::Target host = compiler::resolve_target("host").value();
  if (host.byte_products != compiler::ByteProducts::Unsigned || host.lanes != 16) return;
  // Tiles of five rows on a Cascade Lake are one of three and one of two, of seven one of four and one of three.
  for (const char* name : {"lstm", "gru"}) {
    const Subject subject = subject_of(name, 33, 16);
    for (const WeightFormat format : kIntegers) {
      const ObjectFiles files = compile_object(model_of(subject), tensors_of(subject),
                                               {.name = "m", .targets = {"cascadelake"}, .weights = format})
                                    .value();
      for (const std::int64_t steps : {5, 7, 11, 13}) {
        INFO(name << " as " << runtime::name(format) << ", " << steps << " steps");
        const Setting setting{.steps = steps, .weights = format};
        const Data data = random_data(subject.graph, setting);
        const Program program = compile(subject, setting);
        CHECK(differ(run_object({files, program.states()}, program, subject.graph, data.batch, data.states),
                     run(program, subject.graph, data))
                  .value_or("") == "");
      }
    }
  }
}

TEST_CASE("a value that f32 rounds out of its exact interval is no NaN", "[integers]") {
  for (const char* expression :
       {"(tanh(x) * 3.5 + 12582912) - 12582912", "(clip(x, -0.3, 0.3) + 1e6) - 1e6", "tanh(x) * 1e-36",
        "(tanh(x) * 1e-19) * 1e-19", "fill(mean(clip(x, -0.3, 0.3)), 32768)", "softmax(50 * x)", "clip(x, 2, -2)"}) {
    const Subject subject =
        subject_of_text("cell c { input x : f32[32768] state s : f32[1] param W : f32[2, 32768] s' = s output W @ (" +
                        std::string(expression) + ") }");
    for (const WeightFormat format : kIntegers) {
      INFO(expression << " as " << runtime::name(format));
      const Setting setting{.weights = format};
      const NetworkOutcome outcome = run(compile(subject, setting), subject.graph, random_data(subject.graph, setting));
      CHECK(!std::isnan(outcome.y[0]));
      CHECK(!std::isnan(outcome.y[1]));
    }
  }
}

TEST_CASE("a state that is bounded on one side is refused beyond it, and a little beyond saturates", "[integers]") {
  const Subject subject = subject_of_text(
      "cell c { input x : f32[4] state s : f32[4] param U : f32[4, 4] s' = relu(s + x) "
      "output U @ min(s, 1) }");
  for (const WeightFormat format : kIntegers) {
    const Program program = compile(subject, {.weights = format});
    State state = program.make_state(1);
    CHECK(!state.set("s", std::vector<float>{0, -5, 0, 0}));
    CHECK(state.set("s", std::vector<float>{100, 0, -1, 0}));
    CHECK(state.set("s", std::vector<float>{100, 0, -1.0009f, 0}));
    std::vector<float> x(4), y(4);
    CHECK(program.step(state, x, y) == RunStatus::Ok);
    for (const float each : y) CHECK(std::isfinite(each));
  }
}

TEST_CASE("a matrix that multiplies a parameter too is kept in both formats", "[integers]") {
  const Subject subject =
      subject_of_text("cell c { input x : f32[5] param v : f32[5] param W : f32[7, 5] output W @ v + W @ x }");
  for (const WeightFormat format : kIntegers)
    for (const std::string& executor : executors()) {
      INFO(executor << ", " << runtime::name(format));
      const Trial trial(subject, {.executor = executor, .batch = 3, .weights = format});
      for (const Check check : {Check::Interpreter, Check::Executors, Check::Levels})
        CHECK(trial.fault(check).value_or("") == "");
    }
}

}  // namespace rnnc::test
