// Generated code and the portable executor stay within every buffer: the caller's, and weights, states and working
// memory, for every tail of a vector. Sanitizers do not see what generated code does; guard pages do.
#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>

#include <algorithm>
#include <functional>

#include "tests/support/catch.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/guarded_allocations.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

constexpr std::int64_t kSteps = 3;

// Calls of `program`, whose buffers are guarded like those of the caller, give what `plain` gives.
void check_calls(const Program& plain, const Program& program, const ir::Cell& cell, std::int64_t batch, bool at_end) {
  INFO(cell.name << " on " << program.cpu() << ", batch " << batch << ", at end " << at_end);
  const Sequences sequences = random_sequences(cell, kSteps, batch, 4);
  const Outcome expected = run(plain, sequences);
  const Guarded x(sequences.x, at_end), y(expected.y.size(), at_end);
  State state = program.make_state(batch);
  for (const auto& [name, values] : sequences.states) state.set(name, values).value();
  REQUIRE(program.run(state, {.x = x.span(), .y = y.span(), .steps = kSteps}) == RunStatus::Ok);
  REQUIRE(y.values() == expected.y);
  std::vector<std::int32_t> lengths(static_cast<std::size_t>(batch));
  for (std::size_t b = 0; b < lengths.size(); ++b) lengths[b] = static_cast<std::int32_t>(b % (kSteps + 1));
  REQUIRE(program.run(state, {.x = x.span(), .y = y.span(), .steps = kSteps, .lengths = lengths}) == RunStatus::Ok);
}

// `make` gives the same program each time, in guarded memory or not.
void check_cell(const ir::Cell& cell, const std::function<Program()>& make,
                std::initializer_list<std::int64_t> batches) {
  const Program plain = make();
  for (const bool at_end : {false, true}) {
    const GuardedAllocations guarded(at_end);
    const Program program = make();
    for (const std::int64_t batch : batches) check_calls(plain, program, cell, batch, at_end);
  }
}

// Compiles once and loads often.
std::function<Program()> compiled_once(const ir::Cell& cell, const Weights& weights, const std::string& executor,
                                       WeightFormat format = WeightFormat::F32) {
  CompileOptions options = options_for(executor);
  options.weights = format;
  auto module = std::make_shared<ir::Module>();
  module->cells.push_back(cell);
  const Model model(module);
  const TensorMap tensors = tensors_of(cell, weights);
  if (options.backend == Backend::Portable) return [=] { return compile(model, tensors, options).value(); };
  const std::vector<std::byte> artifact =
      compile_artifact(model, tensors, {.targets = {options.cpu}, .weights = format}).value();
  return [artifact] { return parse_artifact(artifact).value(); };
}

// What the caller gives is in vectors here; the network's own buffers are guarded.
void check_network(const ir::Network& network, const ir::NamedVectors& weights, Random& random,
                   const CompileOptions& options) {
  const auto same = [](float a, float b) { return a == b || (a != a && b != b); };
  const Program plain = compile_network(network, weights, options);
  for (const bool at_end : {false, true}) {
    const GuardedAllocations guarded(at_end);
    const Program program = compile_network(network, weights, options);
    for (const std::int64_t batch : {1, 3})
      for (const bool ragged : {false, true}) {
        const ir::NetworkBatch input = sample_batch(random, batch, ragged);
        REQUIRE(std::ranges::equal(run_network(program, network, input).y, run_network(plain, network, input).y, same));
      }
  }
}

}  // namespace

TEST_CASE("every hidden size from 1 to 70 stays within all buffers, on every CPU level", "[guard]") {
  const std::string cpu = GENERATE(from_range(executors()));
  const long before = guarded_allocations();
  for (std::int64_t size = 1; size <= 70; ++size) {
    const ir::Cell cell = standard("lstm", 1 + size % 7, size);
    check_cell(cell, compiled_once(cell, random_weights(cell, 1), cpu), {1, 2, 7});
  }
  if (guarded_allocations() == before) WARN("a sanitizer's operator new guards nothing here");
}

TEST_CASE("other cells stay within all buffers", "[guard]") {
  const std::string cpu = GENERATE(from_range(executors()));
  for (const char* name : {"gru", "gru_cho", "lstm_layer_norm", "lstm_projection", "slstm", "minlstm"})
    for (const std::int64_t size : {1, 3, 15, 17, 33}) {
      const ir::Cell cell = standard(name, size, size + size % 2);
      check_cell(cell, compiled_once(cell, random_weights(cell, 1), cpu), {1, 5, 17});
    }
  for (std::uint64_t seed = 7100; seed < 7115; ++seed) {
    const RandomCell random = random_cell(seed);
    // Here weights are packed and prepared in guarded memory too.
    check_cell(random.cell, [&] { return compile_cell(random.cell, random.weights, cpu); }, {1, 3});
  }
}

TEST_CASE("integers stay within all buffers, whose last groups of columns are not full", "[guard]") {
  const std::string cpu = GENERATE(from_range(executors()));
  for (const WeightFormat format : {WeightFormat::W16, WeightFormat::W8A16, WeightFormat::W8}) {
    for (std::int64_t size = 1; size <= 70; size += size < 20 ? 1 : 5) {
      const ir::Cell cell = standard("lstm", 1 + size % 7, size);
      check_cell(cell, compiled_once(cell, random_weights(cell, 1), cpu, format), {1, 7});
    }
    for (const char* name : {"gru_cho", "rnn_relu", "lstm_projection"})
      for (const std::int64_t size : {3, 17, 33}) {
        const ir::Cell cell = standard(name, size, size + size % 2);
        check_cell(cell, compiled_once(cell, random_weights(cell, 1), cpu, format), {1, 5});
      }
  }
}

TEST_CASE("networks stay within their weights, states and working memory", "[guard]") {
  const std::string cpu = GENERATE(from_range(executors()));
  Random random(5);
  for (const std::string& statements : sample_networks()) {
    INFO(statements);
    const ir::Network network = sample_network(statements);
    check_network(network, random_weights(network, random), random, options_for(cpu));
  }
}

TEST_CASE("a write behind a buffer of the runtime would be seen", "[guard]") {
  const long before = guarded_allocations();
  const ir::Cell cell = standard("rnn", 2, 3);
  const GuardedAllocations guarded(true);
  const Program program = compile_cell(cell, random_weights(cell, 1), "host");
  State state = program.make_state(1);
  if (guarded_allocations() == before)
    WARN("a sanitizer's operator new guards nothing here");
  else
    CHECK(guarded_allocations() >= before + 3);  // weights and states
}

}  // namespace rnnc::test
