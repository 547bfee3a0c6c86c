// These tests compare compiled networks with the interpreter, and with themselves: the same bits whatever the
// neighbours, the lengths and the number of threads.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <rnnc/session.hpp>

#include "ir/scan.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

using ir::Network;

// Sequence b alone.
ir::NetworkBatch alone(const ir::NetworkBatch& batch, std::int64_t b) {
  ir::NetworkBatch one{1, batch.times, {}};
  for (auto& [name, time] : one.times)
    if (!time.lengths.empty()) time.lengths = {time.lengths[static_cast<std::size_t>(b)]};
  for (const auto& [name, values] : batch.inputs) {
    const std::int64_t steps = name == "x" || name == "k" ? batch.times.at("T").steps
                               : name == "y"              ? batch.times.at("S").steps
                                                          : 1;
    const std::int64_t width = std::ssize(values) / (steps * batch.sequences);
    for (std::int64_t t = 0; t < steps; ++t) {
      const auto from = values.begin() + (t * batch.sequences + b) * width;
      one.inputs[name].insert(one.inputs[name].end(), from, from + width);
    }
  }
  return one;
}

// Row b of [rows, batch, width].
std::vector<float> rows_of(const std::vector<float>& all, std::int64_t batch, std::int64_t b, std::int64_t width) {
  std::vector<float> rows;
  for (std::int64_t i = b * width; i < std::ssize(all); i += batch * width)
    rows.insert(rows.end(), all.begin() + i, all.begin() + i + width);
  return rows;
}

// Of NaN too.
std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), [](float v) { return std::bit_cast<std::uint32_t>(v); });
  return result;
}

constexpr double kMost = 2e-6;

// Small enough that rounding does not grow from step to step.
ir::NamedVectors small_weights(const Network& network, Random& random) {
  ir::NamedVectors weights = random_weights(network, random);
  for (auto& [name, values] : weights)
    for (double& value : values) value /= 4;
  return weights;
}

}  // namespace

TEST_CASE("compiled networks give the interpreter's results, of equal and of other lengths", "[network]") {
  std::uint64_t seed = 0;
  for (const std::string& statements : sample_networks()) {
    const Network whole = sample_network(statements);
    Random random(++seed);
    const ir::NamedVectors weights = small_weights(whole, random);
    for (const char* cpu : {"x86-64-v2", "x86-64-v3", "host", "portable x86-64-v2", "portable host"}) {
      const Program program = compile_network(whole, weights, options_for(cpu));
      for (const std::int64_t batch : {1, 2, 3, 9})
        for (const bool ragged : {false, true}) {
          INFO(statements << ", " << cpu << ", batch " << batch << (ragged ? ", ragged" : ""));
          const ir::NetworkBatch input = sample_batch(random, batch, ragged);
          ir::NamedVectors states;
          for (const Port& port : program.states()) {
            const std::int64_t size = port.size();
            states[port.name] = random_vector(random, batch * size);
          }
          const NetworkOutcome outcome = run_network(program, whole, input, states);
          REQUIRE(error_against_interpreter(whole, weights, input, states, outcome) <= kMost);
        }
    }
  }
}

TEST_CASE("a sequence of a batch gives the bits that it gives alone", "[network]") {
  std::uint64_t seed = 100;
  for (const std::string& statements : sample_networks()) {
    const Network whole = sample_network(statements);
    Random random(++seed);
    const Program program = compile_network(whole, small_weights(whole, random));
    const std::int64_t batch = 7;
    const ir::NetworkBatch input = sample_batch(random, batch, true);
    const NetworkOutcome together = run_network(program, whole, input);
    for (std::int64_t b = 0; b < batch; ++b) {
      INFO(statements << ", sequence " << b);
      const NetworkOutcome one = run_network(program, whole, alone(input, b));
      REQUIRE(bits(one.y) == bits(rows_of(together.y, batch, b, program.output_size())));
      for (const auto& [name, values] : one.states)
        REQUIRE(values == rows_of(together.states.at(name), batch, b, std::ssize(values)));
    }
  }
}

TEST_CASE("argmax is the first of the largest, or of NaN, whatever the size", "[network]") {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  Random random(7);
  for (const std::int64_t size : {1, 2, 7, 16, 17, 33, 100}) {
    const Network whole = network_of("network n { input x : seq f32[" + std::to_string(size) + "] output argmax(x) }");
    for (const char* cpu : {"x86-64-v2", "x86-64-v3", "host"}) {
      const Program program = compile_network(whole, {}, {.cpu = cpu});
      ir::NetworkBatch batch{1, {{"T", {40, {}}}}, {}};
      for (std::int64_t i = 0; i < 40 * size; ++i) {
        const float values[] = {-infinity, random.chance(0.1) ? nan : -infinity, 1, 1, 2};
        const bool all_low = i / size % 4 == 0;
        batch.inputs["x"].push_back(all_low ? -infinity : random.pick(values));
      }
      INFO(size << " elements, " << cpu);
      const NetworkOutcome outcome = run_network(program, whole, batch);
      REQUIRE(error_against_interpreter(whole, {}, batch, {}, outcome) == 0);
    }
  }
}

TEST_CASE("two threads give the bits of one", "[network]") {
  const Network whole = sample_network(
      "a = bidirectional lstm<H=70>(x) b = bidirectional gru<H=65>(a) param W : f32[40, 130] output W @ tanh(b)");
  Random random(3);
  const ir::NamedVectors weights = small_weights(whole, random);
  const Program one = compile_network(whole, weights), two = compile_network(whole, weights, {.threads = 2});
  for (const std::int64_t batch : {1, 2, 9})
    for (const bool ragged : {false, true}) {
      const ir::NetworkBatch input = sample_batch(random, batch, ragged);
      REQUIRE(run_network(two, whole, input) == run_network(one, whole, input));
    }
}

TEST_CASE("running a network allocates nothing", "[network]") {
  const Network whole =
      network_of("network n { input x : seq f32[5] a = bidirectional lstm<H=17>(x) b = gru<H=9>(a) output last(b) }");
  Random random(1);
  for (const int threads : {1, 2}) {
    const Program program = compile_network(whole, small_weights(whole, random), {.threads = threads});
    State state = program.make_state(3, 20);
    const std::vector<float> x(5 * 3 * 20, 0.25f);
    std::vector<float> y(9 * 3);
    const std::int32_t lengths[] = {3, 20, 0};
    const long before = allocations();
    const RunStatus whole_run = program.run(state, {.x = x, .y = y, .steps = 20});
    const RunStatus ragged = program.run(state, {.x = x, .y = y, .steps = 20, .lengths = lengths});
    const long after = allocations();
    CHECK(whole_run == RunStatus::Ok);
    CHECK(ragged == RunStatus::Ok);
    CHECK(after == before);
  }
}

TEST_CASE("a network that reads time forwards takes calls of any length, whatever its state was made for",
          "[network]") {
  std::size_t in_pieces = 0;
  std::uint64_t seed = 90;
  for (const std::string& statements : sample_networks()) {
    INFO(statements);
    const Network whole = sample_network(statements);
    Random random(++seed);
    const Program program = compile_network(whole, small_weights(whole, random));
    if (program.make_state(1, 1).max_steps() == 1 || program.output_time() == "S") continue;
    ++in_pieces;
    for (const std::int64_t batch : {1, 3})
      for (const bool ragged : {false, true}) {
        const ir::NetworkBatch input = sample_batch(random, batch, ragged);
        const NetworkOutcome expected = run_network(program, whole, input);  // T has 11 steps, S has 4
        for (const std::int64_t piece : {4, 5, 7}) {
          const NetworkOutcome outcome = run_network(program, whole, input, {}, piece);
          REQUIRE(bits(outcome.y) == bits(expected.y));
          REQUIRE(outcome.states == expected.states);
        }
      }
  }
  CHECK(in_pieces >= 5);
}

TEST_CASE("layers on two threads take calls of any length too", "[network]") {
  const Network whole = network_of(
      "network n { input x : seq f32[5] a = lstm<H=33>(x) b = gru<H=17>(a) c = rnn<H=9>(concat(a, b)) output c }");
  Random random(4);
  const ir::NamedVectors weights = small_weights(whole, random);
  const Program one = compile_network(whole, weights);
  const Program two = compile_network(whole, weights, {.threads = 2, .sharing = Sharing::Layers});
  ir::NetworkBatch input{3, {{"T", {23, {}}}}, {}};
  input.inputs["x"] = random_vector(random, 23 * 3 * 5);
  for (const std::int64_t piece : {1, 4, 10})
    CHECK(run_network(two, whole, input, {}, piece) == run_network(one, whole, input));
}

TEST_CASE("a state made for no steps has room for a piece of one", "[network]") {
  const Network whole = network_of("network n { input x : seq f32[5] a = lstm<H=33>(x) b = gru<H=70>(a) output b }");
  Random random(8);
  const Program program = compile_network(whole, small_weights(whole, random));
  CHECK(program.state_bytes(9, 0) == program.state_bytes(9, 1));
  const std::vector<float> x = random.vector(7 * 9 * 5, -1, 1);
  std::vector<float> y(7 * 9 * 70), expected(y.size());
  State none = program.make_state(9, 0), all = program.make_state(9, 7);
  REQUIRE(program.run(none, {.x = x, .y = y, .steps = 7}) == RunStatus::Ok);
  REQUIRE(program.run(all, {.x = x, .y = expected, .steps = 7}) == RunStatus::Ok);
  CHECK(y == expected);
}

TEST_CASE("what inputs begin is begun once in a call of many pieces", "[network]") {
  const Network whole = network_of(
      "network n { input x : seq f32[5] input v : f32[9] a = rnn<H=9>(x) from (h = v) output concat(a, v) }");
  Random random(6);
  const Program program = compile_network(whole, small_weights(whole, random));
  ir::NetworkBatch input{2, {{"T", {7, {7, 4}}}}, {}};
  input.inputs["x"] = random_vector(random, 7 * 2 * 5);
  input.inputs["v"] = random_vector(random, 2 * 9);
  CHECK(run_network(program, whole, input, {}, 2) == run_network(program, whole, input));
}

TEST_CASE("a wrong call of a network is told by its status", "[network]") {
  const Network whole = sample_network("e = gru<H=4>(x) d = rnn<H=4>(y) from (h = e.h + v) output d");
  Random random(1);
  const Program program = compile_network(whole, small_weights(whole, random));
  State state = program.make_state(1, 2);
  const std::vector<float> x(6 * 2), v(4), s(1), y(3 * 2);
  std::vector<float> out(8);
  const NamedInput inputs[] = {{"y", y}, {"v", v}, {"s", s}};
  const NamedInput wrong[] = {{"y", y}, {"v", v}, {"s", s}, {"q", s}};
  const NamedTime times[] = {{"S", 2}}, long_times[] = {{"S", 3}}, wrong_times[] = {{"S", 2}, {"R", 1}};
  const auto run = [&](std::int64_t steps, std::span<const NamedInput> given, std::span<const NamedTime> durations) {
    return program.run(state, {.x = x, .y = out, .steps = steps, .inputs = given, .times = durations});
  };
  CHECK(run(2, inputs, times) == RunStatus::Ok);
  CHECK(run(3, inputs, times) == RunStatus::TooManySteps);
  CHECK(run(2, inputs, long_times) == RunStatus::TooManySteps);
  CHECK(run(2, inputs, wrong_times) == RunStatus::UnknownName);
  CHECK(run(2, inputs, {}) == RunStatus::MissingInput);
  CHECK(run(2, {}, times) == RunStatus::MissingInput);
  CHECK(run(2, wrong, times) == RunStatus::UnknownName);
  const NamedInput short_inputs[] = {{"y", y}, {"v", std::span(v).first(3)}, {"s", s}};
  CHECK(run(2, short_inputs, times) == RunStatus::ShortSpan);
  CHECK(program.step(state, x, out) == RunStatus::NoStreaming);
  CHECK(program.streams().error().message ==
        "d begins with a value that inputs decide, so that the network cannot run step by step");
}

TEST_CASE("a network that reads time forwards gives step by step what one call gives", "[network]") {
  const Network whole = network_of(
      "network n { input x : seq f32[5] input k : seq f32 param W : f32[5, 5] a = lstm<H=7>(W @ x) b = gru<H=7>(a) "
      "output concat(a, tanh(b) * k) }");
  Random random(5);
  const Program program = compile_network(whole, small_weights(whole, random));
  const std::int64_t steps = 9, batch = 3;
  const std::vector<float> x = random.vector(static_cast<std::size_t>(steps * batch * 6), -1, 1);
  std::vector<float> y(static_cast<std::size_t>(steps * batch * 14)), pieces(y.size());
  State state = program.make_state(batch, steps), stream = program.make_state(batch);
  REQUIRE(program.streams());
  REQUIRE(program.run(state, {.x = x, .y = y, .steps = steps}) == RunStatus::Ok);
  for (std::int64_t t = 0; t < steps; ++t)
    REQUIRE(program.step(stream, std::span(x).subspan(t * batch * 6), std::span(pieces).subspan(t * batch * 14)) ==
            RunStatus::Ok);
  CHECK(pieces == y);
  CHECK(stream.get("b.h").value() == state.get("b.h").value());
}

TEST_CASE("a network streams unless a step reads what only the end of its sequence tells", "[network]") {
  const std::string inputs = "network n { input x : seq f32[5] a = rnn<H=5>(x) ";
  for (const char* rest :
       {"output x * last(x) }", "output concat(a, tanh(a.h)) }", "b = rnn<H=3>(a + last(x)) output last(b) }",
        "param W : f32[5, 5] output a + W @ tanh(a.h) }"}) {
    INFO(rest);
    const Network whole = network_of(inputs + rest);
    Random random(7);
    const Program program = compile_network(whole, small_weights(whole, random));
    REQUIRE_FALSE(program.streams());
    CHECK(program.streams().error().message ==
          "a step reads what only the end of its sequence tells, so that the network cannot run step by step");
  }
  for (const char* rest : {"output last(a) * 2 }", "output concat(tanh(a.h), last(x)) }"}) {
    INFO(rest);
    const Network whole = network_of(inputs + rest);
    Random random(7);
    CHECK(compile_network(whole, small_weights(whole, random)).streams());
  }
}

TEST_CASE("a network whose parameters say where states begin goes on from piece to piece", "[network]") {
  const Network whole = network_of(
      "network n { input x : seq f32[5] param h0 : f32[14] param c0 : f32[7] a = lstm<H=7>(x) "
      "from (h = tanh(h0[0:7]), c = c0 * 2) b = gru<H=14>(a) from (h = h0) output concat(a, b) }");
  Random random(6);
  const ir::NamedVectors weights = small_weights(whole, random);
  const Program program = compile_network(whole, weights);
  REQUIRE(program.streams());
  const std::int64_t steps = 9, batch = 3;
  const ir::Vector doubles = random_vector(random, steps * batch * 5);
  const std::vector<float> x(doubles.begin(), doubles.end());
  std::vector<float> y(static_cast<std::size_t>(steps * batch * 21)), pieces(y.size()), again(y.size());
  State state = program.make_state(batch, steps), stream = program.make_state(batch, 4);
  const std::vector<float> begin = state.get("b.h").value();
  for (std::size_t k = 0; k < begin.size(); ++k) REQUIRE(begin[k] == static_cast<float>(weights.at("h0")[k % 14]));
  const auto run = [&](State& with, std::vector<float>& to, std::int64_t first, std::int64_t count) {
    REQUIRE(program.run(with, {.x = std::span(x).subspan(first * batch * 5),
                               .y = std::span(to).subspan(first * batch * 21),
                               .steps = count}) == RunStatus::Ok);
  };
  run(state, y, 0, steps);
  ir::NamedVectors states;
  const ir::Vector expected = ir::interpret(whole, weights, {batch, {{"T", {steps, {}}}}, {{"x", doubles}}}, states);
  for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(std::fabs(y[i] - expected[i]) <= kMost);
  run(stream, pieces, 0, 4);
  run(stream, pieces, 4, 3);
  for (std::int64_t t = 7; t < steps; ++t) run(stream, pieces, t, 1);
  CHECK(pieces == y);
  state.reset();
  run(state, again, 0, steps);
  CHECK(again == y);
  state.reset();
  state.set("a.c", std::vector<float>(21, 0.25f)).value();
  run(state, again, 0, steps);
  CHECK(again != y);

  Sessions sessions = Sessions::make(program, 2).value();
  const std::int64_t slot = sessions.join().value();
  State alone = program.make_state(1);
  std::vector<float> row(42), own(21);
  for (int t = 0; t < 6; ++t) {
    if (t == 3) sessions.reset(slot), alone.reset();
    REQUIRE(sessions.step(std::span(x).subspan(t * 5), row) == RunStatus::Ok);
    REQUIRE(program.step(alone, std::span(x).subspan(t * 5), own) == RunStatus::Ok);
    REQUIRE(std::equal(own.begin(), own.end(), row.begin() + slot * 21));
  }
}

TEST_CASE("a plan is refused for a network of several kinds of cells", "[network]") {
  const Network whole = network_of("network n { input x : seq f32[2] a = rnn<H=3>(x) b = gru<H=3>(a) output b }");
  Random random(1);
  const TensorMap weights = tensors_of(whole, random_weights(whole, random));
  const Result<Program> refused = compile(model_of(whole), weights, {.plan = "0:1/1/0"});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "a plan is of one cell; network n has calls of several");
}

}  // namespace rnnc::test
