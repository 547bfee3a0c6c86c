// Weights in half precisions give the bits of the f32 program whose matrices were rounded by hand: on every executor,
// in objects and artifacts, over threads, batches and networks.
#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>
#include <rnnc/rnnc.hpp>

#include <cstring>

#include "compiler/llvm/resolve_target.hpp"
#include "runtime/half.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/linked_object.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

constexpr WeightFormat kHalves[] = {WeightFormat::F16, WeightFormat::BF16};

// The tensor with its elements rounded to the format, as f32.
Tensor rounded(const Tensor& tensor, WeightFormat format) {
  Tensor half{format == WeightFormat::F16 ? ElementType::F16 : ElementType::BF16, tensor.shape, {}};
  for (const float value : tensor.to_f32()) {
    const std::uint16_t bits = format == WeightFormat::F16 ? runtime::to_f16(value) : runtime::to_bf16(value);
    const auto* bytes = reinterpret_cast<const std::byte*>(&bits);
    half.bytes.insert(half.bytes.end(), bytes, bytes + sizeof bits);
  }
  return Tensor::from_f32(tensor.shape, half.to_f32());
}

// Rounds every matrix, which in these models products read and nothing else does.
TensorMap rounded_matrices(TensorMap weights, WeightFormat format) {
  for (auto& [name, tensor] : weights)
    if (tensor.shape.size() == 2) tensor = rounded(tensor, format);
  return weights;
}

Model model_of(const ir::Cell& cell) {
  auto module = std::make_shared<ir::Module>();
  module->cells.push_back(cell);
  return Model(std::move(module));
}

CompileOptions with(CompileOptions options, WeightFormat format) {
  options.weights = format;
  return options;
}

}  // namespace

TEST_CASE("every standard cell has the bits of rounded weights, on every executor", "[half]") {
  for (const std::string& name : standard_cell_names()) {
    const ir::Cell cell = standard(name, 6, 22);
    const TensorMap weights = tensors_of(cell, random_weights(cell, 4));
    for (const std::string& executor : executors())
      for (const WeightFormat format : kHalves) {
        INFO(name << " on " << executor << ", format " << static_cast<int>(format));
        const CompileOptions options = options_for(executor);
        const Program half = compile(model_of(cell), weights, with(options, format)).value();
        const Program plain = compile(model_of(cell), rounded_matrices(weights, format), options).value();
        for (const auto& [steps, batch] : {std::pair{9, 1}, {4, 5}, {3, 19}}) {
          const Sequences sequences = random_sequences(cell, steps, batch, 9);
          CHECK(run(half, sequences) == run(plain, sequences));
        }
      }
  }
}

TEST_CASE("large layers, whose panels are cut and fetched ahead, have these bits too, on several threads", "[half]") {
  for (const auto& [name, units] : {std::pair{"lstm", 300}, {"gru", 515}, {"rnn", 1030}}) {
    const ir::Cell cell = standard(name, units - 7, units);
    const TensorMap weights = tensors_of(cell, random_weights(cell, 4));
    for (const WeightFormat format : kHalves)
      for (const int threads : {1, 2}) {
        INFO(name << ", format " << static_cast<int>(format) << ", " << threads << " threads");
        const CompileOptions options{.threads = threads, .cache = false};
        const Program half = compile(model_of(cell), weights, with(options, format)).value();
        const Program plain = compile(model_of(cell), rounded_matrices(weights, format), options).value();
        CHECK(half.weights_bytes() * 100 < plain.weights_bytes() * 52);
        for (const auto& [steps, batch] : {std::pair{3, 1}, {2, 17}}) {
          const Sequences sequences = random_sequences(cell, steps, batch, 9);
          CHECK(run(half, sequences) == run(plain, sequences));
        }
      }
  }
}

TEST_CASE("weights of f16 that are subnormal or not finite are read as they are", "[half]") {
  const ir::Cell cell = standard("rnn", 3, 21);
  TensorMap weights = tensors_of(cell, random_weights(cell, 4));
  Tensor& matrix = weights.at("W");
  std::vector<float> values = matrix.to_f32();
  const float given[] = {0x1p-24f, -0x1.8p-20f, 0x1p-14f, 65504.0f, -0.0f, 3e-8f, 0x1.ffcp-15f};
  std::ranges::copy(given, values.begin());
  matrix = Tensor::from_f32(matrix.shape, values);
  for (const std::string& executor : executors()) {
    INFO(executor);
    const CompileOptions options = options_for(executor);
    Sequences sequences = random_sequences(cell, 2, 3, 9);
    for (float& x : sequences.x) x *= 4096;  // so that small weights count
    CHECK(run(compile(model_of(cell), weights, with(options, WeightFormat::F16)).value(), sequences) ==
          run(compile(model_of(cell), rounded_matrices(weights, WeightFormat::F16), options).value(), sequences));
    TensorMap infinite = weights;
    values[1] = std::numeric_limits<float>::infinity();
    infinite.at("W") = Tensor::from_f32(matrix.shape, values);
    const Outcome outcome = run(compile(model_of(cell), infinite, with(options, WeightFormat::F16)).value(), sequences);
    CHECK(std::fabs(outcome.y[0]) == 1);  // tanh of an infinite sum
    values[1] = 0;
  }
}

namespace {

constexpr const char* kText =
    "network n { input x : seq f32[5] param c : f32[8] param M : f32[17, 8] "
    "a = lstm<H=17>(x) from (h = M @ c) b = reverse gru<H=9>(a) d = rnn<H=20>(concat(a, b)) "
    "output d output back = b }";

ir::NetworkBatch input_of(std::vector<std::int64_t> lengths) {
  Random random(11);
  ir::NetworkBatch batch{3, {{"T", {6, std::move(lengths)}}}, {}};
  batch.inputs["x"] = random_vector(random, 6 * 3 * 5);
  return batch;
}

}  // namespace

TEST_CASE("networks with start values and several cells have these bits", "[half]") {
  const ir::Network network = network_of(kText);
  Random random(3);
  const TensorMap weights = tensors_of(network, random_weights(network, random));
  for (const WeightFormat format : kHalves)
    for (const Backend backend : {Backend::Jit, Backend::Portable, Backend::Tiered}) {
      const CompileOptions options{.backend = backend, .cache = false};
      const Program half = compile(model_of(network), weights, with(options, format)).value();
      const Program plain = compile(model_of(network), rounded_matrices(weights, format), options).value();
      for (const std::vector<std::int64_t>& lengths : {std::vector<std::int64_t>(), {6, 2, 4}})
        CHECK(run_network(half, network, input_of(lengths)) == run_network(plain, network, input_of(lengths)));
    }
}

TEST_CASE("objects with half weights have these bits, on the lowest level too", "[half]") {
  if (!has_c_compiler()) return;
  const ir::Network network = network_of(kText);
  Random random(3);
  const TensorMap weights = tensors_of(network, random_weights(network, random));
  for (const WeightFormat format : kHalves)
    for (const std::string& level : compiler::runnable_levels()) {
      INFO(level << ", format " << static_cast<int>(format));
      ObjectOptions options{.name = "m", .targets = {level}, .weights = format};
      const ObjectFiles files = compile_object(model_of(network), weights, options).value();
      const CompileOptions plainly{.cpu = level, .cache = false};
      const Program plain = compile(model_of(network), rounded_matrices(weights, format), plainly).value();
      const LinkedObject object(files, plain.states());
      CHECK(same_bits(run_object(object, plain, network, input_of({})), run_network(plain, network, input_of({}))));
    }
}

TEST_CASE("an artifact keeps half weights and their bits", "[half]") {
  const ir::Cell cell = standard("lstm", 40, 70);
  const TensorMap weights = tensors_of(cell, random_weights(cell, 4));
  const Sequences sequences = random_sequences(cell, 5, 3, 9);
  const std::vector<std::byte> whole = compile_artifact(model_of(cell), weights, {}).value();
  for (const WeightFormat format : kHalves) {
    const std::vector<std::byte> content = compile_artifact(model_of(cell), weights, {.weights = format}).value();
    CHECK(content.size() < whole.size() - 50000);
    const Program plain = compile(model_of(cell), rounded_matrices(weights, format), {.cache = false}).value();
    CHECK(run(parse_artifact(content, "m.rnnc").value(), sequences) == run(plain, sequences));
  }
}

TEST_CASE("a weight that is beyond f16 is named", "[half]") {
  const ir::Cell cell = standard("rnn", 3, 4);
  TensorMap weights = tensors_of(cell, random_weights(cell, 4));
  std::vector<float> values = weights.at("U").to_f32();
  values[6] = -65520;
  weights["U"] = Tensor::from_f32({4, 4}, values);
  for (const Backend backend : {Backend::Jit, Backend::Portable}) {
    const auto program =
        compile(model_of(cell), weights, {.backend = backend, .cache = false, .weights = WeightFormat::F16});
    REQUIRE(!program);
    CHECK(program.error().code == ErrorCode::InvalidData);
    CHECK(program.error().message == "tensor U has the weight -65520 at [1,2], which is beyond f16; use bf16 or f32");
    CHECK(compile(model_of(cell), weights, {.backend = backend, .cache = false, .weights = WeightFormat::BF16}));
  }
}

}  // namespace rnnc::test
