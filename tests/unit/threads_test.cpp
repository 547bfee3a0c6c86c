// Calls that several threads share have the same bits, whoever helps.
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <rnnc/compile.hpp>

#include "runtime/thread_pool.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fresh_threads.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

struct Counts {
  std::atomic<int> calls[8] = {};
};

constexpr double kPatient = 1000;  // seconds that sharing is said to save: every thread is waited for

void count(void* context, int part) noexcept { ++static_cast<Counts*>(context)->calls[part]; }

}  // namespace

TEST_CASE("a pool runs every part once, call after call", "[threads]") {
  runtime::ThreadPool pool(3);
  Counts counts;
  for (int call = 0; call < 2000; ++call) REQUIRE(pool.try_run(count, &counts, 1 + call % 4, kPatient));
  CHECK(counts.calls[0] == 2000);
  CHECK(counts.calls[1] == 1500);
  CHECK(counts.calls[2] == 1000);
  CHECK(counts.calls[3] == 500);
  CHECK(counts.calls[4] == 0);
}

TEST_CASE("a pool wakes again after its threads went to sleep", "[threads]") {
  runtime::ThreadPool pool(2);
  Counts counts;
  for (int call = 0; call < 3; ++call) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    REQUIRE(pool.try_run(count, &counts, 3, kPatient));
  }
  CHECK(counts.calls[2] == 3);
}

TEST_CASE("a pool in use refuses a second call", "[threads]") {
  runtime::ThreadPool pool(1);
  struct Nested {
    runtime::ThreadPool& pool;
    std::atomic<int> refused{0};
  } nested{pool, {}};
  const auto job = [](void* context, int) noexcept {
    auto& me = *static_cast<Nested*>(context);
    Counts counts;
    me.refused += !me.pool.try_run(count, &counts, 1, kPatient);
  };
  REQUIRE(pool.try_run(job, &nested, 2, kPatient));
  CHECK(nested.refused == 2);
}

TEST_CASE("a call that saves nothing does not wait for threads that sleep", "[threads]") {
  runtime::ThreadPool pool(1);
  int refused = 0;
  for (int call = 0; call < 20; ++call) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    Counts counts;
    const bool ran = pool.try_run(count, &counts, 2, 0);
    refused += !ran;
    CHECK(counts.calls[0] == (ran ? 1 : 0));
    CHECK(counts.calls[1] == (ran ? 1 : 0));
  }
  CHECK(refused > 0);
  Counts counts;
  REQUIRE(pool.try_run(count, &counts, 2, kPatient));
  CHECK(counts.calls[1] == 1);
}

TEST_CASE("threads may be the caller's", "[threads]") {
  const ir::Cell cell = standard("lstm", 40, 333);
  const Weights weights = random_weights(cell, 1);
  const Program one = compile_cell(cell, weights, "host");
  const auto executor = std::make_shared<FreshThreads>(3);
  const Program several = compile_cell(cell, weights, "host", 3, executor);
  for (const std::int64_t batch : {1, 1, 1, 7, 7, 7}) {
    const Sequences sequences = random_sequences(cell, 60, batch, 3);
    REQUIRE(run(several, sequences) == run(one, sequences));
  }
  CHECK(executor->calls == 6);
}

TEST_CASE("several threads give the bits of one", "[threads]") {
  for (const char* name : {"lstm", "gru", "gru_cho", "rnn", "lstm_peephole"}) {
    const ir::Cell cell = standard(name, 40, 171);  // work enough for every thread to be asked
    const Weights weights = random_weights(cell, 1);
    const Program one = compile_cell(cell, weights, "host");
    for (const int threads : {2, 3, 5}) {
      const Program several = compile_cell(cell, weights, "host", threads);
      for (const std::int64_t batch : {1, 2, 7, 16}) {
        INFO(name << ", " << threads << " threads, batch " << batch);
        const Sequences sequences = random_sequences(cell, 60, batch, 3);
        REQUIRE(run(several, sequences) == run(one, sequences));
      }
    }
  }
}

TEST_CASE("lengths are kept by several threads", "[threads]") {
  const ir::Cell cell = standard("gru", 40, 100);
  const Weights weights = random_weights(cell, 1);
  const Sequences sequences = random_sequences(cell, 51, 6, 3);
  const std::vector<std::int32_t> lengths = {51, 0, 7, 50, 33, 1};
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 3}) {
    const Program program = compile_cell(cell, weights, "host", threads);
    State state = program.make_state(6);
    std::vector<float> y(51 * 6 * 100);
    REQUIRE(program.run(state, {.x = sequences.x, .y = y, .steps = 51, .lengths = lengths}) == RunStatus::Ok);
    const std::vector<float> h = state.get("h").value();
    y.insert(y.end(), h.begin(), h.end());
    results.push_back(std::move(y));
  }
  CHECK(results[0] == results[1]);
}

TEST_CASE("two callers of one program with threads do not disturb each other", "[threads]") {
  const ir::Cell cell = standard("lstm", 40, 100);
  const Program program = compile_cell(cell, random_weights(cell, 1), "host", 3);
  const Sequences sequences = random_sequences(cell, 60, 6, 3);
  const Outcome expected = run(program, sequences);
  std::atomic<int> equal = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      for (int call = 0; call < 10; ++call) equal += run(program, sequences) == expected;
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(equal == 40);
}

TEST_CASE("a call that threads share allocates nothing", "[threads]") {
  const ir::Cell cell = standard("lstm", 40, 100);
  const Program program = compile_cell(cell, random_weights(cell, 1), "host", 2);
  State state = program.make_state(6);
  const std::vector<float> x(60 * 6 * 40, 0.5f);
  std::vector<float> y(60 * 6 * 100);
  const long before = allocations();
  const RunStatus status = program.run(state, {.x = x, .y = y, .steps = 60});
  const long after = allocations();
  CHECK(status == RunStatus::Ok);
  CHECK(after == before);
}

TEST_CASE("a number of threads that cannot be meant is refused", "[threads]") {
  const Model model = parse("cell c { input x : f32 state h : f32 h' = 0.5 * h + x output h' }").value();
  for (const int threads : {0, -1, 1025})
    CHECK(compile(model, {}, {.threads = threads}).error().message ==
          "threads = " + std::to_string(threads) + " is not between 1 and 1024");
}

}  // namespace rnnc::test
