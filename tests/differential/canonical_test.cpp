// Canonical arithmetic: the same program gives the same bits whatever the batch, the neighbours, the pieces in which a
// sequence comes, and the CPU, as long as that has fused multiply-add.
#include <algorithm>

#include "compiler/llvm/resolve_target.hpp"
#include "runtime/portable.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

struct Subject {
  ir::Cell cell;
  Weights weights;
};

std::vector<Subject> subjects() {
  std::vector<Subject> result;
  for (const char* name : {"lstm", "gru", "gru_cho", "rnn", "lstm_peephole"})
    for (const auto& [input_size, hidden_size] : {std::pair{3, 17}, {33, 64}}) {
      const ir::Cell cell = standard(name, input_size, hidden_size);
      result.push_back({cell, random_weights(cell, 5)});
    }
  const ir::Cell large = standard("lstm", 7, 264);  // weights beyond L2, products in several parts
  result.push_back({large, random_weights(large, 5)});
  for (std::uint64_t seed = 9000; seed < 9015; ++seed) {
    RandomCell random = random_cell(seed);
    result.push_back({random.cell, random.weights});
  }
  return result;
}

// Sequence `b` of a batch alone.
Sequences alone(const Sequences& all, std::int64_t b) {
  Sequences one{all.steps, 1, {}, {}};
  const std::size_t row = all.x.size() / static_cast<std::size_t>(std::max<std::int64_t>(1, all.steps * all.batch));
  for (std::int64_t t = 0; t < all.steps; ++t) {
    const auto from = all.x.begin() + static_cast<std::ptrdiff_t>((t * all.batch + b) * static_cast<std::int64_t>(row));
    one.x.insert(one.x.end(), from, from + static_cast<std::ptrdiff_t>(row));
  }
  for (const auto& [name, values] : all.states) {
    const std::size_t size = values.size() / static_cast<std::size_t>(all.batch);
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(b * static_cast<std::int64_t>(size));
    one.states[name].assign(from, from + static_cast<std::ptrdiff_t>(size));
  }
  return one;
}

// Runs in pieces of the given lengths, the last as long as it must be; a length of 0 uses step().
Outcome run_pieces(const Program& program, const Sequences& all, const std::vector<std::int64_t>& pieces) {
  State state = program.make_state(all.batch);
  for (const auto& [name, values] : all.states) state.set(name, values).value();
  Outcome outcome;
  outcome.y.resize(static_cast<std::size_t>(all.steps * all.batch * program.output_size()));
  std::int64_t t = 0;
  for (std::size_t i = 0; t < all.steps; ++i) {
    const std::int64_t length = std::min(pieces[i % pieces.size()], all.steps - t);
    const auto x = std::span(all.x).subspan(static_cast<std::size_t>(t * all.batch * program.input_size()));
    const auto y = std::span(outcome.y).subspan(static_cast<std::size_t>(t * all.batch * program.output_size()));
    if (length == 0)
      REQUIRE(program.step(state, x, y) == RunStatus::Ok);
    else
      REQUIRE(program.run(state, {.x = x, .y = y, .steps = length}) == RunStatus::Ok);
    t += std::max<std::int64_t>(1, length);
  }
  for (const Port& port : program.states()) outcome.states[port.name] = state.get(port.name).value();
  return outcome;
}

}  // namespace

TEST_CASE("a sequence gives the same bits alone and in a batch", "[canonical]") {
  const std::string cpu = GENERATE("host", "portable host");
  for (const Subject& subject : subjects()) {
    INFO(subject.cell.name << " " << cpu);
    const Program program = compile_cell(subject.cell, subject.weights, cpu);
    for (const std::int64_t batch : {2, 6, 9, 13}) {
      const Sequences all = random_sequences(subject.cell, 5, batch, 7);
      const Outcome together = run(program, all);
      for (std::int64_t b = 0; b < batch; ++b) {
        const Outcome single = run(program, alone(all, b));
        Sequences outputs{all.steps, batch, together.y, together.states};
        const Sequences expected = alone(outputs, b);
        REQUIRE(single.y == expected.x);
        REQUIRE(single.states == expected.states);
      }
    }
  }
}

TEST_CASE("a sequence in pieces or by steps gives the bits of one call", "[canonical]") {
  const std::string cpu = GENERATE("host", "portable host");
  for (const Subject& subject : subjects()) {
    INFO(subject.cell.name << " " << cpu);
    const Program program = compile_cell(subject.cell, subject.weights, cpu);
    const Sequences all = random_sequences(subject.cell, 41, 3, 8);
    const Outcome whole = run(program, all);
    REQUIRE(run_pieces(program, all, {0}) == whole);
    REQUIRE(run_pieces(program, all, {1, 2, 5, 0, 7}) == whole);
    REQUIRE(run_pieces(program, all, {40}) == whole);
  }
}

TEST_CASE("a sequence longer than a chunk of time gives the bits of its steps", "[canonical]") {
  const ir::Cell cell = standard("lstm", 2, 8);
  const std::string cpu = GENERATE("host", "portable host");
  const Program program = compile_cell(cell, random_weights(cell, 5), cpu);
  for (const std::int64_t batch : {1, 5}) {
    const Sequences all = random_sequences(cell, 4500, batch, 8);
    REQUIRE(run_pieces(program, all, {0}) == run(program, all));
  }
}

TEST_CASE("the portable executor gives the same bits on every CPU with fused multiply-add", "[canonical]") {
  if (!runtime::portable_kernels("x86-64-v4")) return;
  for (const Subject& subject : subjects()) {
    INFO(subject.cell.name);
    const Sequences all = random_sequences(subject.cell, 9, 7, 6);
    REQUIRE(run(compile_cell(subject.cell, subject.weights, "portable x86-64-v3"), all) ==
            run(compile_cell(subject.cell, subject.weights, "portable x86-64-v4"), all));
  }
}

TEST_CASE("every CPU with fused multiply-add gives the same bits", "[canonical]") {
  auto levels = compiler::runnable_levels();
  std::erase_if(levels, [](const std::string& level) { return !compiler::resolve_target(level)->fma; });
  levels.push_back("host");
  for (const Subject& subject : subjects()) {
    INFO(subject.cell.name);
    const Sequences all = random_sequences(subject.cell, 9, 7, 6);
    const Outcome first = run(compile_cell(subject.cell, subject.weights, levels[0]), all);
    for (const std::string& level : levels)
      REQUIRE(run(compile_cell(subject.cell, subject.weights, level), all) == first);
  }
}

TEST_CASE("lengths within a batch give the bits of each sequence alone, and zeros behind its end", "[canonical]") {
  const ir::Cell cell = standard("gru", 3, 17);
  const std::string cpu = GENERATE("host", "portable host");
  const Program program = compile_cell(cell, random_weights(cell, 5), cpu);
  const Sequences all = random_sequences(cell, 6, 4, 7);
  const std::int32_t lengths[] = {6, 0, 3, 1};
  State state = program.make_state(4);
  state.set("h", all.states.at("h")).value();
  std::vector<float> y(6 * 4 * 17, -7.0f);
  REQUIRE(program.run(state, {.x = all.x, .y = y, .steps = 6, .lengths = lengths}) == RunStatus::Ok);
  const std::vector<float> h = state.get("h").value();
  for (std::int64_t b = 0; b < 4; ++b) {
    Sequences single = alone(all, b);
    single.steps = lengths[b];
    const Outcome expected = run(program, single);
    for (std::int64_t t = 0; t < 6; ++t)
      for (std::int64_t u = 0; u < 17; ++u)
        REQUIRE(y[(t * 4 + b) * 17 + u] == (t < lengths[b] ? expected.y[t * 17 + u] : 0.0f));
    REQUIRE(std::equal(expected.states.at("h").begin(), expected.states.at("h").end(), h.begin() + b * 17));
  }
}

TEST_CASE("threads give the bits of one, whatever they share", "[canonical]") {
  std::vector<Subject> all = subjects();
  for (std::uint64_t seed = 9100; seed < 9115; ++seed) {
    RandomCell random = random_cell(seed);
    all.push_back({random.cell, random.weights});
  }
  for (const Subject& subject : all) {
    const Program one = compile_cell(subject.cell, subject.weights, "host");
    for (const Sharing sharing : {Sharing::Batch, Sharing::Units})
      for (const int threads : {2, 3}) {
        const Program several = compile_cell(subject.cell, subject.weights, "host", threads, nullptr, sharing);
        for (const std::int64_t batch : {1, 3, 8}) {
          INFO(subject.cell.name << ", " << threads << " threads, batch " << batch << ", by "
                                 << (sharing == Sharing::Units ? "units" : "batch"));
          const Sequences sequences = random_sequences(subject.cell, 7, batch, 7);
          REQUIRE(run(several, sequences) == run(one, sequences));
        }
      }
  }
}

}  // namespace rnnc::test
