// These tests hold what a caller of Program and State may rely on, and what happens to one who does not keep the
// contract.
#include <rnnc/compile.hpp>
#include <rnnc/join.hpp>
#include <rnnc/program.hpp>

#include <malloc.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <limits>
#include <set>
#include <stdexcept>
#include <thread>

#include "runtime/kernel_float_mode.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

Program gru(std::int64_t input_size, std::int64_t hidden_size, const std::string& cpu = "host") {
  const ir::Cell cell = standard("gru", input_size, hidden_size);
  return compile_cell(cell, random_weights(cell, 1), cpu);
}

}  // namespace

TEST_CASE("a program tells its shapes", "[program]") {
  const Program program = gru(3, 5);
  CHECK(program.cell() == "gru");
  CHECK(program.input_size() == 3);
  CHECK(program.output_size() == 5);
  REQUIRE(program.states().size() == 1);
  CHECK(program.states()[0].name == "h");
  CHECK(program.states()[0].shape == Shape{5});
  CHECK(program.inputs()[0].shape == Shape{3});
  CHECK(program.state_bytes(0) <= 512);
  CHECK(program.state_bytes(2) > 0);
  CHECK(program.weights_bytes() >= 4 * (3 * 5 * (3 + 5)));
}

TEST_CASE("a wrong call changes neither state nor output", "[program]") {
  const Program program = gru(3, 5);
  const Program other = gru(3, 5);
  State state = program.make_state(2);
  state.set("h", std::vector<float>(10, 0.5f)).value();
  std::vector<float> x(12, 1.0f), y(20, 7.0f);
  const std::int32_t lengths[] = {2, 3};
  const auto call = [&](const Program& p, std::span<const float> in, std::span<float> out, std::int64_t steps,
                        std::span<const std::int32_t> n) {
    return p.run(state, {.x = in, .y = out, .steps = steps, .lengths = n});
  };
  CHECK(call(other, x, y, 2, {}) == RunStatus::WrongState);
  CHECK(call(program, x, y, -1, {}) == RunStatus::NegativeSteps);
  CHECK(call(program, {}, y, 2, {}) == RunStatus::MissingPointer);
  CHECK(call(program, x, {}, 2, {}) == RunStatus::MissingPointer);
  CHECK(call(program, std::span(x).first(11), y, 2, {}) == RunStatus::ShortSpan);
  CHECK(call(program, x, std::span(y).first(19), 2, {}) == RunStatus::ShortSpan);
  CHECK(call(program, x, y, std::int64_t{1} << 62, {}) == RunStatus::ShortSpan);
  CHECK(call(program, std::span(x).first(11), y, 2, std::vector<std::int32_t>{1, 2}) == RunStatus::ShortSpan);
  CHECK(call(program, x, y, 2, std::span(lengths).first(1)) == RunStatus::ShortSpan);
  CHECK(call(program, x, y, 2, lengths) == RunStatus::BadLength);
  CHECK(program.step(state, std::span(x).first(5), y) == RunStatus::ShortSpan);
  CHECK(program.step(state, x, std::span(y).first(9)) == RunStatus::ShortSpan);
  CHECK(y == std::vector<float>(20, 7.0f));
  CHECK(state.get("h").value() == std::vector<float>(10, 0.5f));
}

TEST_CASE("what was moved from answers, and sizes that make no sense throw", "[program]") {
  Program program = gru(3, 5);
  State state = program.make_state(2);
  const State kept = std::move(state);
  std::vector<float> x(6), y(10);
  CHECK(program.step(state, x, y) == RunStatus::WrongState);
  CHECK(program.run(state, {.x = x, .y = y, .steps = 1}) == RunStatus::WrongState);
  CHECK(state.batch() == 0);
  CHECK(state.max_steps() == 0);
  CHECK(state.save().empty());
  CHECK(state.get("h").error().message == "the state was moved from");
  CHECK(state.set("h", y).error().message == "the state was moved from");
  CHECK(state.restore({}).error().message == "the state was moved from");
  state.reset();
  for (const std::int64_t size : {std::int64_t{-1}, std::int64_t{1} << 40}) {
    CHECK_THROWS_AS(program.make_state(size), std::length_error);
    CHECK_THROWS_AS(program.make_state(1, size), std::length_error);
    CHECK_THROWS_AS(program.make_state_without_workspace(size), std::length_error);
    CHECK_THROWS_AS(program.make_workspace(1, size), std::length_error);
    CHECK_THROWS_AS(program.state_bytes(size), std::length_error);
    CHECK_THROWS_AS(program.bytes_without_workspace(size), std::length_error);
    CHECK_THROWS_AS(program.workspace_bytes(1, size), std::length_error);
  }
  State mine = program.make_state(2);
  Workspace workspace = program.make_workspace(2);
  const Workspace taken = std::move(workspace);
  CHECK(program.step(mine, workspace, x, y) == RunStatus::WrongWorkspace);
  CHECK(workspace.batch() == 0);
  const Program other = std::move(program);
  CHECK(program.step(mine, x, y) == RunStatus::WrongState);
  CHECK(program.run(mine, {.x = x, .y = y, .steps = 1}) == RunStatus::WrongState);
  CHECK(program.input_size() == 0);
  CHECK(program.states().empty());
  CHECK(program.streams().error().message == "the program was moved from");
  CHECK_THROWS_AS(program.make_state(1), std::logic_error);
  CHECK(other.step(mine, x, y) == RunStatus::Ok);
}

TEST_CASE("no steps and no sequences are no-ops", "[program]") {
  const Program program = gru(3, 5);
  State state = program.make_state(2);
  state.set("h", std::vector<float>(10, 0.5f)).value();
  CHECK(program.run(state, {.steps = 0}) == RunStatus::Ok);
  CHECK(state.get("h").value() == std::vector<float>(10, 0.5f));
  State empty = program.make_state(0);
  CHECK(program.run(empty, {.steps = 4}) == RunStatus::Ok);
  CHECK(empty.get("h").value().empty());
  CHECK_THROWS_AS(program.make_state(-1), std::length_error);
  CHECK_THROWS(program.make_state(std::numeric_limits<std::int64_t>::max()));
}

TEST_CASE("states are set and read by name, and reset to zero", "[program]") {
  const Program program = gru(3, 5);
  State state = program.make_state(1);
  CHECK(state.set("c", std::vector<float>(5)).error().message == "gru has no state c; its states are: h");
  CHECK(state.set("h", std::vector<float>(4)).error().message ==
        "shape mismatch: state h of batch 1 takes 5 elements but got 4");
  CHECK(state.get("q").error().code == ErrorCode::Name);
  const std::vector<float> x(3, 1.0f);
  std::vector<float> y(5), again(5);
  REQUIRE(program.step(state, x, y) == RunStatus::Ok);
  CHECK(state.get("h").value() == y);
  state.reset();
  CHECK(state.get("h").value() == std::vector<float>(5));
  REQUIRE(program.step(state, x, again) == RunStatus::Ok);
  CHECK(again == y);
}

TEST_CASE("running allocates nothing", "[program]") {
  const std::string cpu = GENERATE("host", "portable host");
  const Program program = gru(7, 33, cpu);
  State state = program.make_state(3);
  const std::vector<float> x(7 * 3 * 20, 0.25f);
  std::vector<float> y(33 * 3 * 20);
  const std::int32_t lengths[] = {20, 3, 0};
  const long before = allocations();
  const auto in_use = mallinfo2().uordblks;
  const RunStatus whole = program.run(state, {.x = x, .y = y, .steps = 20});
  const RunStatus ragged = program.run(state, {.x = x, .y = y, .steps = 20, .lengths = lengths});
  const RunStatus step = program.step(state, x, y);
  const auto in_use_after = mallinfo2().uordblks;
  const long after = allocations();
  CHECK(in_use_after == in_use);
  CHECK(after == before);
  CHECK(whole == RunStatus::Ok);
  CHECK(ragged == RunStatus::Ok);
  CHECK(step == RunStatus::Ok);
}

TEST_CASE("a call stays within the caller's buffers", "[program]") {
  const std::string cpu = GENERATE(from_range(executors()));
  const auto check = [&](const ir::Cell& cell, const Weights& weights, std::int64_t batch) {
    const Program program = compile_cell(cell, weights, cpu);
    const Sequences sequences = random_sequences(cell, 3, batch, 4);
    const Outcome expected = run(program, sequences);
    for (const bool at_end : {false, true}) {
      const Guarded x(sequences.x, at_end), y(expected.y.size(), at_end);
      State state = program.make_state(batch);
      for (const auto& [name, values] : sequences.states) state.set(name, values).value();
      REQUIRE(program.run(state, {.x = x.span(), .y = y.span(), .steps = 3}) == RunStatus::Ok);
      CHECK(y.values() == expected.y);
    }
  };
  for (const std::int64_t size : {1, 3, 15, 16, 17, 31, 33}) {
    const ir::Cell cell = standard("lstm_peephole", size, size);
    check(cell, random_weights(cell, 1), 7);
  }
  for (std::uint64_t seed = 7000; seed < 7020; ++seed) {
    const RandomCell random = random_cell(seed);
    check(random.cell, random.weights, 2);
  }
}

#if defined(__x86_64__)
TEST_CASE("denormals are flushed inside a call and the caller's mode comes back", "[program]") {
  // Without a flush h would decay through denormals.
  const Model model = parse("cell c { input x : f32 state h : f32[4] h' = 0.5 * h + x output h' }").value();
  const Program program = compile(model, {}).value();
  State state = program.make_state(1);
  state.set("h", std::vector<float>(4, 1.0f)).value();
  const std::vector<float> x(200, 0.0f);
  std::vector<float> y(800);
  const unsigned before = _mm_getcsr();
  REQUIRE(program.run(state, {.x = x, .y = y, .steps = 200}) == RunStatus::Ok);
  CHECK((_mm_getcsr() & 0xffc0u) == (before & 0xffc0u));
  CHECK(y[125 * 4] == std::ldexp(1.0f, -126));
  CHECK(y[126 * 4] == 0.0f);
}
#endif

#if defined(__linux__)
TEST_CASE("no page is writable and executable after compiling", "[program]") {
  const Program program = gru(4, 4);
  std::ifstream maps("/proc/self/maps");
  std::string line;
  int lines = 0;
  while (std::getline(maps, line)) {
    ++lines;
    INFO(line);
    CHECK(line.find(" rwx") == std::string::npos);
  }
  CHECK(lines > 10);
}
#endif

TEST_CASE("one program serves several threads, each with its own state", "[program]") {
  const ir::Cell cell = standard("lstm", 5, 9);
  const Program program = compile_cell(cell, random_weights(cell, 1), "host");
  const Sequences sequences = random_sequences(cell, 50, 2, 3);
  const Outcome expected = run(program, sequences);
  std::atomic<int> equal = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { equal += run(program, sequences) == expected; });
  for (std::thread& thread : threads) thread.join();
  CHECK(equal == 8);
}

TEST_CASE("each status has a text of its own", "[program]") {
  std::set<std::string> texts;
  for (int status = 0; status <= static_cast<int>(RunStatus::NoStreaming); ++status)
    texts.insert(text(static_cast<RunStatus>(status)));
  CHECK(texts.size() == static_cast<std::size_t>(RunStatus::NoStreaming) + 1);
  CHECK(text(RunStatus::Ok) == std::string("ok"));
}

TEST_CASE("a program tells the name of what it runs", "[program]") {
  const Model model =
      parse("cell twice { input x : f32 output 2 * x } network n { input x : seq f32 a = twice(x) output a }").value();
  CHECK(compile(model, {}).value().name() == "n");
  CHECK(compile(model, {}, {.cell = "twice"}).value().name() == "twice");
}

TEST_CASE("a model tells the parameters that compile wants weights for", "[program]") {
  const auto text = [](const Model& model, std::string_view name = {}) {
    return join(model.parameters(name).value(),
                [](const Parameter& each) { return each.name + "[" + join(each.shape) + "]"; });
  };
  const Model cell = parse(
                         "cell c<I, H> { input x : f32[I] state h : f32[H] param W : f32[2*H, I] param s : f32 "
                         "h' = h + W[0:H] @ x output s * h' }")
                         .value();
  CHECK(text(cell) == "W[2*H, I], s[]");
  const Model network =
      parse("network n { input x : seq f32[3] param v : f32[4] a = rnn<H=4>(x) output a + v }").value();
  CHECK(text(network) == text(network, "n"));
  CHECK(text(network) == "v[4], a.W[4, 3], a.U[4, 4], a.b[4]");
  const auto error = [](const Model& model, std::string_view name) {
    return model.parameters(name).error().to_string();
  };
  CHECK(error(cell, "d").find("the model has no cell or network d; it has: c") != std::string::npos);
  const Model several = parse("cell a { input x : f32 output x } cell b { input x : f32 output x }").value();
  CHECK(error(several, "").find("choose one of: a, b") != std::string::npos);
}

}  // namespace rnnc::test
