// A caller may be in any floating-point mode: calls give the bits of the default mode and leave the mode and its flags
// as they were, and what is compiled is the same.
#include <cfenv>
#include <optional>

#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>
#include <rnnc/import.hpp>
#include <rnnc/session.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/linked_object.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {
namespace {

// Padding lanes of rsqrt, log and the division compute on zeros: they would trap.
Subject functions(std::int64_t size) {
  const std::string n = std::to_string(size);
  const std::string text =
      "cell functions { input x : f32[" + n + "] state h : f32[" + n + "] param W : f32[" + n + ", " + n +
      "] h' = tanh(W @ h + 3 * x) + 0.1 * layer_norm(x, x, x, 1e-5) output rsqrt(1 + x * x) + log(2 + x) / (1.5 + x) + "
      "sigmoid(h') * exp(x) + erf(h') + softmax(x) + sum(h) }";
  const ir::Cell cell = parse(text).value().module().cells.at(0);
  return {cell, random_weights(cell, 3)};
}

// It has everything that a network's call does beside its cells: rows, times, values without a time, a mean.
Subject network() {
  const ir::Network whole = network_of(
      "network n { input x : seq f32[5] input v : f32[4] a = bidirectional gru<H=7>(x) b = lstm<H=9>(tanh(a)) from (h "
      "= "
      "concat(v, v, first(x)[0:1])) output concat(mean(b), sum(b), max(a), last(b), 0.3 * v) }");
  Subject subject{whole, {}};
  Random random(3);
  for (const auto& [name, values] : random_weights(whole, random))
    subject.weights[name] = {values.begin(), values.end()};
  return subject;
}

std::vector<Subject> subjects() { return {functions(1), functions(5), functions(16), functions(33), network()}; }

}  // namespace

TEST_CASE("calls give the same bits in every mode of the caller and leave it as it was", "[float_mode]") {
  for (const Subject& subject : subjects())
    for (const std::string& executor : executors())
      for (const int threads : {1, 2})
        for (const bool ragged : {false, true}) {
          const Setting setting{.executor = executor, .threads = threads, .steps = 20, .batch = 4, .ragged = ragged};
          const Program program = compile(subject, setting);
          const Data data = random_data(subject.graph, setting);
          const NetworkOutcome expected = run(program, subject.graph, data);
          for (const FloatMode& mode : float_modes()) {
            INFO(subject.graph.name << " on " << executor << ", " << threads << " threads, " << to_string(mode));
            CHECK(run(program, subject.graph, data, &mode) == expected);
          }
        }
}

TEST_CASE("steps and sessions give the same bits in every mode and leave it as it was", "[float_mode]") {
  const Subject subject = functions(17);
  const Program program = compile(subject, {});
  const std::vector<float> x(3 * 17, 0.3f);
  std::vector<float> expected(x.size()), y(x.size());
  State first = program.make_state(3);
  REQUIRE(program.step(first, x, expected) == RunStatus::Ok);
  for (const FloatMode& mode : float_modes()) {
    INFO(to_string(mode));
    State state = program.make_state(3);
    Sessions sessions = Sessions::make(program, 3).value();
    for (int i = 0; i < 3; ++i) sessions.join().value();
    RunStatus status{};
    in_mode(mode, [&] { status = program.step(state, x, y); });
    CHECK(status == RunStatus::Ok);
    CHECK(y == expected);
    in_mode(mode, [&] { status = sessions.step(x, y); });
    CHECK(status == RunStatus::Ok);
    CHECK(y == expected);
  }
}

TEST_CASE("artifacts give the same bits in every mode and leave it as it was", "[float_mode]") {
  for (const Subject& subject : subjects())
    for (const std::string& level : compiler::runnable_levels()) {
      const Data data = random_data(subject.graph, {.steps = 20, .batch = 4});
      const auto file =
          compile_artifact(model_of(subject), tensors_of(subject), {.cell = subject.graph.name, .targets = {level}});
      const Program program = parse_artifact(file.value()).value();
      const NetworkOutcome expected = run(program, subject.graph, data);
      for (const FloatMode& mode : float_modes()) {
        INFO(subject.graph.name << " on " << level << ", " << to_string(mode));
        CHECK(run(program, subject.graph, data, &mode) == expected);
      }
    }
}

TEST_CASE("objects give the same bits in every mode and leave it as it was", "[float_mode]") {
  if (!has_c_compiler()) return;
  for (const Subject& subject : subjects()) {
    const bool is_network = subject.graph.kind == ir::Graph::Kind::Network;
    const ObjectFiles files =
        compile_object(model_of(subject), tensors_of(subject), {.cell = subject.graph.name, .name = "m"}).value();
    const Program program = compile(subject, {});
    const LinkedObject object(files, program.states());
    const Data data = random_data(subject.graph, {.steps = 20, .batch = 4});
    const std::vector<float> x = rows_of_x(subject.graph, data.batch, 20);
    const std::vector<float> v(4 * 4, 0.7f);
    const float* const inputs[] = {v.data()};
    const std::size_t rows = is_network ? 4 : 80;
    const auto outputs = [&](const FloatMode* mode) {
      const Guarded state = object.make_state(4), scratch = object.make_scratch(20, 4);
      std::vector<float> y(rows * static_cast<std::size_t>(program.output_size()));
      const LinkedObject::Arguments arguments{state.data(), scratch.data(), x.data(), y.data(), 20, 4, inputs};
      int status = -1;
      const auto call = [&] { status = object.run(arguments); };
      mode ? in_mode(*mode, call) : call();
      CHECK(status == 0);
      return y;
    };
    const std::vector<float> expected = outputs(nullptr);
    CHECK(expected != std::vector<float>(expected.size()));
    for (const FloatMode& mode : float_modes()) {
      INFO(subject.graph.name << ", " << to_string(mode));
      CHECK(outputs(&mode) == expected);
    }
  }
}

TEST_CASE("what is compiled in any mode is the same", "[float_mode]") {
  const std::string text =
      "cell c<H> { input x : f32[H] state h : f32[H] param W : f32[H, H] h' = tanh(0.1 * W @ x + tanh(0.3) * h) output "
      "h' / 3 + 1e-41 + sigmoid(0.7) }";
  const TensorMap weights = {
      {"W", {ElementType::F64, {17, 17}, std::vector<std::byte>(17 * 17 * sizeof(double), std::byte{0x3f})}}};
  const auto files = [&] { return compile_object(parse(text).value(), weights, {.dims = {{"H", 17}}}).value(); };
  const auto artifact = [&] { return compile_artifact(parse(text).value(), weights, {.dims = {{"H", 17}}}).value(); };
  const ObjectFiles expected = files();
  const auto expected_artifact = artifact();
  CompileOptions options{.dims = {{"H", 17}}, .cache = false};
  const std::vector<float> x(17, 0.3f);
  const auto output = [&](const Program& program) {
    State state = program.make_state(1);
    std::vector<float> y(17);
    REQUIRE(program.step(state, x, y) == RunStatus::Ok);
    return y;
  };
  for (const Backend backend : {Backend::Jit, Backend::Portable}) {
    options.backend = backend;
    const std::vector<float> y = output(compile(parse(text).value(), weights, options).value());
    for (const FloatMode& mode : float_modes()) {
      INFO(to_string(mode));
      std::optional<Result<Program>> program;
      in_mode(mode, [&] { program = compile(parse(text).value(), weights, options); });
      CHECK(output(program->value()) == y);
    }
  }
  for (const FloatMode& mode : float_modes()) {
    INFO(to_string(mode));
    ObjectFiles object;
    std::vector<std::byte> bytes;
    std::vector<float> narrowed;
    in_mode(mode, [&] { object = files(); });
    in_mode(mode, [&] { bytes = artifact(); });
    in_mode(mode, [&] { narrowed = weights.at("W").to_f32(); });
    CHECK(object.object == expected.object);
    CHECK(object.header == expected.header);
    CHECK(bytes == expected_artifact);
    CHECK(narrowed == weights.at("W").to_f32());
  }
}

TEST_CASE("a file is imported as the same model in any mode", "[float_mode]") {
  for (const char* name :
       {"audio/guitarml_lstm.json", "audio/nam_two_layers.nam", "onnx/gru_activations_differ.onnx"}) {
    const std::string path = std::string(RNNC_SOURCE_DIR) + "/tests/conformance/" + name;
    const Imported expected = import_model_file(path).value();
    for (const FloatMode& mode : float_modes()) {
      INFO(name << ", " << to_string(mode));
      std::optional<Result<Imported>> imported;
      in_mode(mode, [&] { imported = import_model_file(path); });
      CHECK(imported->value().model.text() == expected.model.text());
      for (const auto& [weight, tensor] : expected.weights)
        CHECK(imported->value().weights.at(weight).bytes == tensor.bytes);
    }
  }
}

}  // namespace rnnc::test
