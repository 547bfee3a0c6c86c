// Networks with several outputs: each is the interpreter's, on every executor and in pieces, and a call writes those
// that its caller wants.
#include <rnnc/rnnc.hpp>

#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

constexpr const char* kEvery =
    "network n { input x : seq f32[5] input y : seq<S> f32[3] input v : f32[4] a = lstm<H=7>(x) d = rnn<H=4>(y) "
    "output probs = softmax(a) output energy = sum(a * a) output ends = a.c output y = d + v output again = softmax(a) "
    "output part = concat(a[2:4], x) output given = v }";
constexpr const char* kStreaming =
    "network n { input x : seq f32[5] a = lstm<H=7>(x) b = gru<H=9>(a) output b output ahead = a output gate = a * a "
    "output ends = a.c }";

struct Compiled {
  ir::Network network;
  ir::NamedVectors weights;
  Program program;
};

Compiled compiled(const std::string& text, const CompileOptions& options = {}) {
  ir::Network network = network_of(text);
  Random random(7);
  ir::NamedVectors weights = random_weights(network, random);
  Program program = compile_network(network, weights, options);
  return {std::move(network), std::move(weights), std::move(program)};
}

ir::NetworkBatch batch_of(std::int64_t sequences, std::vector<std::int64_t> lengths) {
  Random random(11);
  ir::NetworkBatch batch{sequences, {{"T", {6, std::move(lengths)}}, {"S", {2, {}}}}, {}};
  batch.inputs["x"] = random_vector(random, 6 * sequences * 5);
  batch.inputs["y"] = random_vector(random, 2 * sequences * 3);
  batch.inputs["v"] = random_vector(random, sequences * 4);
  return batch;
}

}  // namespace

TEST_CASE("a program names its outputs with their shapes and times", "[outputs]") {
  const std::vector<NamedPort> outputs = compiled(kEvery).program.outputs();
  std::string text;
  for (const NamedPort& output : outputs)
    text += output.port.name + " " + rnnc::to_string(output.port.shape) + " " + output.time + "\n";
  CHECK(text == "probs [7] T\nenergy [7] \nends [7] \ny [4] S\nagain [7] T\npart [7] T\ngiven [4] \n");
  const Program one = compiled("network n { input x : seq f32 output x }").program;
  REQUIRE(one.outputs().size() == 1);
  CHECK((one.outputs()[0].port.name == "y" && one.outputs()[0].time == "T" && one.outputs()[0].port.shape.empty()));
}

TEST_CASE("every output is the interpreter's, on every executor and several threads", "[outputs]") {
  for (const std::string& executor : executors())
    for (const int threads : {1, 2}) {
      INFO(executor << ", " << threads << " threads");
      CompileOptions options = options_for(executor);
      options.threads = threads;
      const Compiled all = compiled(kEvery, options);
      for (const std::vector<std::int64_t>& lengths : {std::vector<std::int64_t>(), {6, 0, 3}}) {
        const ir::NetworkBatch batch = batch_of(3, lengths);
        const NetworkOutcome outcome = run_network(all.program, all.network, batch);
        REQUIRE(outcome.outputs.size() == 6);
        CHECK(error_against_interpreter(all.network, all.weights, batch, {}, outcome) <= 5e-6);
      }
    }
}

TEST_CASE("outputs of a stream in pieces have the bits of one call", "[outputs]") {
  for (const int threads : {1, 2}) {
    const Compiled stream = compiled(kStreaming, {.threads = threads});
    REQUIRE(stream.program.streams().ok());
    ir::NetworkBatch batch = batch_of(3, {});
    batch.times.erase("S");
    CHECK(stream.program.make_state(3, 1).max_steps() > 6);
    const NetworkOutcome whole = run_network(stream.program, stream.network, batch);
    CHECK(run_network(stream.program, stream.network, batch, {}, 2) == whole);
    batch.times.at("T").lengths = {6, 0, 3};
    CHECK(run_network(stream.program, stream.network, batch, {}, 2) ==
          run_network(stream.program, stream.network, batch));
  }
}

TEST_CASE("an output that needs the end of a sequence keeps a network from running in pieces", "[outputs]") {
  const auto program_of = [](const std::string& outputs) {
    return compiled("network n { input x : seq f32[5] a = lstm<H=7>(x) output a " + outputs + "}").program;
  };
  CHECK(program_of("output e = a.h").streams().ok());
  CHECK(program_of("output e = a.h").make_state(1, 1).max_steps() > 1);
  CHECK(program_of("output e = last(a)").streams().ok());
  CHECK(program_of("output e = last(a)").make_state(1, 1).max_steps() == 1);
  CHECK_FALSE(program_of("output e = mean(a)").streams().ok());
  CHECK(program_of("output e = a * last(a)").streams().error().message ==
        "a step reads what only the end of its sequence tells, so that the network cannot run step by step");
}

TEST_CASE("a call writes the outputs that it names, in any order, and is refused before it writes any", "[outputs]") {
  const Program program = compiled(kStreaming).program;
  const std::vector<float> x(4 * 2 * 5, 0.5F);
  std::vector<float> y(4 * 2 * 9), ahead(4 * 2 * 7), gate(4 * 2 * 7), ends(2 * 7);
  const auto run = [&](State& state, std::span<const NamedOutput> outputs) {
    return program.run(state, {.x = x, .y = y, .steps = 4, .outputs = outputs});
  };
  State all = program.make_state(2, 4), some = program.make_state(2, 4);
  const NamedOutput every[] = {{"ends", ends}, {"gate", gate}, {"ahead", ahead}};
  REQUIRE(run(all, every) == RunStatus::Ok);
  const std::vector<float> expected = y, expected_ahead = ahead;
  CHECK(gate[3] == ahead[3] * ahead[3]);
  CHECK(ends == all.get("a.c").value());

  std::ranges::fill(y, -1.F), std::ranges::fill(ahead, -1.F);
  const std::vector<float> untouched = ahead;
  const NamedOutput unknown[] = {{"ahead", ahead}, {"gates", gate}}, first[] = {{"y", ahead}}, null[] = {{"ahead"}},
                    brief[] = {{"ahead", ahead}, {"gate", std::span(gate).first(4 * 2 * 7 - 1)}};
  CHECK(run(some, unknown) == RunStatus::UnknownName);
  CHECK(run(some, first) == RunStatus::UnknownName);
  CHECK(run(some, null) == RunStatus::MissingPointer);
  CHECK(run(some, brief) == RunStatus::ShortSpan);
  CHECK(ahead == untouched);
  CHECK(y[0] == -1);
  CHECK(some.get("a.h").value() == std::vector<float>(14));

  const long before = allocations();
  REQUIRE(run(some, {}) == RunStatus::Ok);
  some.reset();
  const NamedOutput one[] = {{"ahead", ahead}};
  REQUIRE(run(some, one) == RunStatus::Ok);
  CHECK(allocations() == before);
  CHECK((y == expected && ahead == expected_ahead));
}

TEST_CASE("a cell alone has no outputs to name", "[outputs]") {
  const Model lstm = standard_cell("rnn").value();
  const Program program = compile(lstm,
                                  {{"W", Tensor::from_f32({1, 1}, {1})},
                                   {"U", Tensor::from_f32({1, 1}, {1})},
                                   {"b", Tensor::from_f32({1}, {0})}},
                                  {})
                              .value();
  State state = program.make_state(1);
  std::vector<float> x(1), y(1), z(1);
  const NamedOutput outputs[] = {{"h", z}};
  CHECK(program.run(state, {.x = x, .y = y, .steps = 1, .outputs = outputs}) == RunStatus::UnknownName);
}

TEST_CASE("after no steps a vector is where the sequence begins, and a sequence is empty", "[outputs]") {
  const Program program = compiled(kStreaming).program;
  State state = program.make_state(2, 4);
  state.set("a.c", std::vector<float>(14, 3.F)).value();
  std::vector<float> ends(14), ahead(1, -1.F);
  const NamedOutput outputs[] = {{"ends", ends}, {"ahead", ahead}};
  REQUIRE(program.run(state, {.steps = 0, .outputs = outputs}) == RunStatus::Ok);
  CHECK(ends == std::vector<float>(14, 3.F));
  CHECK(ahead[0] == -1);
}

TEST_CASE("sessions give the outputs of each stream", "[outputs]") {
  const Program program = compiled(kStreaming).program;
  constexpr std::int64_t kStreams = 300;  // more than advance at the same time
  Sessions sessions = Sessions::make(program, kStreams).value();
  for (std::int64_t i = 0; i < kStreams; ++i) REQUIRE(sessions.join().value() == i);
  sessions.leave(7);
  Random random(3);
  const std::vector<float> x = random.vector(kStreams * 5, -1, 1);
  std::vector<float> y(kStreams * 9), gate(kStreams * 7), one_y(9), one_gate(7);
  const NamedOutput outputs[] = {{"gate", gate}};
  REQUIRE(sessions.step(x, y, outputs) == RunStatus::Ok);
  for (const std::size_t slot : {std::size_t{0}, std::size_t{299}}) {
    State alone = program.make_state(1);
    const NamedOutput own[] = {{"gate", one_gate}};
    const auto row = std::span(x).subspan(slot * 5, 5);
    REQUIRE(program.run(alone, {.x = row, .y = one_y, .steps = 1, .outputs = own}) == RunStatus::Ok);
    CHECK(std::equal(one_gate.begin(), one_gate.end(), gate.begin() + static_cast<std::ptrdiff_t>(slot * 7)));
    CHECK(std::equal(one_y.begin(), one_y.end(), y.begin() + static_cast<std::ptrdiff_t>(slot * 9)));
  }
  CHECK(std::all_of(gate.begin() + 49, gate.begin() + 56, [](float value) { return value == 0; }));
  const NamedOutput unknown[] = {{"gates", gate}}, brief[] = {{"gate", std::span(gate).first(7)}};
  CHECK(sessions.step(x, y, unknown) == RunStatus::UnknownName);
  CHECK(sessions.step(x, y, brief) == RunStatus::ShortSpan);
}

}  // namespace rnnc::test
