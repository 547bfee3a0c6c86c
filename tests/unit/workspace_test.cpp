// Workspaces: states of any number share one, its size follows from the calls that it is made for, and no bit depends
// on it. What a machine does not have is refused before anything is allocated.
#include <rnnc/session.hpp>

#include "runtime/memory_limit.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {
namespace {

Program lstm(std::int64_t size, int threads = 1) {
  const ir::Cell cell = standard("lstm", size, size);
  Setting setting;
  setting.threads = threads;
  return compile(Subject{cell, random_weights(cell, 5)}, setting);
}

Program wide() {
  return compile(parse("cell a { input x : f32[4096] state h : f32[4096] h' = tanh(x + h) output h' }").value(), {})
      .value();
}

std::vector<float> noise(std::int64_t size, std::uint64_t seed) {
  return Random(seed).vector(static_cast<std::size_t>(size), -1, 1);
}

// The final states of sequences of `lengths` that run in `workspace`, or in the state's own, and y.
NetworkOutcome outcome(const Program& program, std::int64_t batch, std::int64_t steps,
                       std::span<const std::int32_t> lengths, Workspace* workspace) {
  State state = workspace ? program.make_state_without_workspace(batch) : program.make_state(batch, steps);
  for (const Port& port : program.states()) state.set(port.name, noise(batch * port.shape.at(0), 7)).value();
  const std::vector<float> x = noise(steps * batch * program.input_size(), 9);
  NetworkOutcome result;
  result.y.resize(static_cast<std::size_t>(steps * batch * program.output_size()));
  REQUIRE(program.run(state, {.x = x, .y = result.y, .steps = steps, .lengths = lengths, .workspace = workspace}) ==
          RunStatus::Ok);
  for (const Port& port : program.states()) result.states[port.name] = state.get(port.name).value();
  return result;
}

}  // namespace

TEST_CASE("a state without a workspace takes its states and little more", "[workspace]") {
  CHECK(lstm(64).bytes_without_workspace(1) <= 2 * 64 * 4 + 2 * 64 + 512);
  CHECK(lstm(16).bytes_without_workspace(1) <= 2 * 16 * 4 + 2 * 64 + 512);
  CHECK(lstm(17).bytes_without_workspace(3) <= 3 * 2 * (17 * 4 + 64) + 512);
  CHECK(wide().bytes_without_workspace(1) <= 4096 * 4 + 64 + 512);
  CHECK(10000 * lstm(64).bytes_without_workspace(1) + lstm(64).workspace_bytes(1) <= 8 << 20);
}

TEST_CASE("a workspace for one stream step by step is small, and so is a state with its own", "[workspace]") {
  CHECK(lstm(16).workspace_bytes(1) <= 8 << 10);
  CHECK(wide().workspace_bytes(1) <= 160 << 10);
  CHECK(wide().state_bytes(1) <= 1 << 20);
  CHECK(wide().state_bytes(1, 1000) <= 1 << 20);
}

TEST_CASE("states of any batch share a workspace and have the bits of one with its own", "[workspace]") {
  const std::int32_t lengths[] = {5, 0, 7, 2, 7};
  for (const int threads : {1, 2})
    for (const std::int64_t size : {5, 16, 33}) {
      const Program program = lstm(size, threads);
      Workspace small = program.make_workspace(5, 1), large = program.make_workspace(9, 100);
      for (Workspace* workspace : {&small, &large})
        for (const std::int64_t batch : {1, 2, 5})
          for (const bool ragged : {false, true}) {
            INFO(size << " units, batch " << batch << ", " << threads << " threads, ragged " << ragged);
            const auto given =
                ragged ? std::span(lengths).first(static_cast<std::size_t>(batch)) : std::span<const std::int32_t>();
            CHECK(outcome(program, batch, 7, given, workspace) == outcome(program, batch, 7, given, nullptr));
          }
    }
}

TEST_CASE("networks of all kinds run in a workspace that other states used before", "[workspace]") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Subject subject = random_network(seed);
    Setting setting;
    setting.steps = 6;
    setting.batch = 3;
    setting.seed = seed;
    setting.ragged = seed % 2 == 1;
    const Program program = compile(subject, setting);
    const Data data = random_data(subject.graph, setting);
    const NetworkOutcome expected = run(program, subject.graph, data);
    Workspace workspace = program.make_workspace(4, 8);
    Setting other = setting;
    other.seed = seed + 100;
    other.batch = 4;
    for (const Setting& each : {other, setting}) {
      const Data drawn = random_data(subject.graph, each);
      INFO("seed " << seed << ", batch " << each.batch);
      CHECK(run_network(program, subject.graph, drawn.batch, drawn.states, 0, nullptr, &workspace) ==
            run(program, subject.graph, drawn));
    }
    CHECK(run(program, subject.graph, data) == expected);
  }
}

TEST_CASE("sessions of more streams than advance at once are independent", "[workspace]") {
  const Program program = lstm(5);
  constexpr std::int64_t kStreams = 600;
  Sessions sessions = Sessions::make(program, kStreams).value();
  for (std::int64_t i = 0; i < kStreams; ++i) REQUIRE(sessions.join().value() == i);
  for (const std::int64_t slot : {3, 255, 256, 511, 599}) sessions.leave(slot);
  const std::vector<float> x = noise(3 * kStreams * 5, 1);
  std::vector<float> y(kStreams * 5), alone(5);
  std::vector<State> states;
  for (std::int64_t i = 0; i < kStreams; ++i) states.push_back(program.make_state_without_workspace(1));
  Workspace workspace = program.make_workspace(1);
  for (std::int64_t t = 0; t < 3; ++t) {
    const auto rows = std::span(x).subspan(static_cast<std::size_t>(t * kStreams * 5), kStreams * 5);
    REQUIRE(sessions.step(rows, y) == RunStatus::Ok);
    for (std::int64_t i = 0; i < kStreams; ++i) {
      const auto own = std::span(y).subspan(static_cast<std::size_t>(i * 5), 5);
      INFO("stream " << i << ", step " << t);
      if (!sessions.is_joined(i)) {
        CHECK(std::ranges::all_of(own, [](float value) { return value == 0; }));
        continue;
      }
      REQUIRE(program.step(states[static_cast<std::size_t>(i)], workspace,
                           rows.subspan(static_cast<std::size_t>(i * 5), 5), alone) == RunStatus::Ok);
      CHECK(std::ranges::equal(own, alone));
    }
  }
  const std::vector<std::byte> saved = sessions.save(300).value();
  sessions.reset(300);
  CHECK(sessions.save(300).value() != saved);
  REQUIRE(sessions.restore(300, saved));
  CHECK(sessions.save(300).value() == saved);
  CHECK(sessions.step(std::span(x).first(kStreams * 5 - 1), y) == RunStatus::ShortSpan);
}

TEST_CASE("a workspace that does not fit is told by the status", "[workspace]") {
  const Program program = lstm(5), other = lstm(5);
  State state = program.make_state_without_workspace(2), with = program.make_state(2);
  Workspace fits = program.make_workspace(2), small = program.make_workspace(1), foreign = other.make_workspace(2);
  const std::vector<float> x(10, 0.5f);
  std::vector<float> y(10, 7.0f);
  CHECK(program.step(state, x, y) == RunStatus::NoWorkspace);
  CHECK(program.run(state, {.x = x, .y = y, .steps = 1}) == RunStatus::NoWorkspace);
  CHECK(program.step(state, small, x, y) == RunStatus::WrongWorkspace);
  CHECK(program.step(state, foreign, x, y) == RunStatus::WrongWorkspace);
  CHECK(program.step(with, foreign, x, y) == RunStatus::WrongWorkspace);
  CHECK(y == std::vector<float>(10, 7.0f));
  CHECK(state.max_steps() == 0);
  CHECK(program.step(state, fits, x, y) == RunStatus::Ok);
  std::vector<float> own(10);
  CHECK(program.step(with, x, own) == RunStatus::Ok);
  CHECK(y == own);
}

TEST_CASE("more memory than the machine has is refused with a sentence", "[workspace]") {
  const Program program = wide();
  std::string text;
  try {
    (void)program.make_state(std::int64_t{1} << 31);
  } catch (const std::bad_alloc& error) {
    text = error.what();
  }
  CHECK(text.starts_with("a state of a for a batch of 2147483648 takes "));
  CHECK(text.find(" MiB, but only ") != std::string::npos);
  CHECK(text.ends_with(" of memory are left; use a smaller batch or fewer steps"));
  CHECK_THROWS_AS(program.make_state_without_workspace(std::int64_t{1} << 31), runtime::NotEnoughMemory);
  CHECK_THROWS_AS(program.make_workspace(std::int64_t{1} << 31), runtime::NotEnoughMemory);
  CHECK_NOTHROW(runtime::require_memory(std::int64_t{65} << 20, "something"));
}

}  // namespace rnnc::test
