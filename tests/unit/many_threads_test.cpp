// Many threads run one program, and many compile at once: the thread sanitizer looks at this file (preset tsan),
// and the results are compared.
#include <rnnc/artifact.hpp>
#include <rnnc/session.hpp>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <thread>

#include "tests/errors/file_bytes.hpp"
#include "tests/fuzz/stored.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

// Runs work(i) on so many threads, which begin together, and counts those that are true.
int count_true(int threads, const std::function<bool(int)>& work) {
  std::atomic<int> waiting = threads, right = 0;
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i)
    all.emplace_back([&, i] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      right += work(i);
    });
  for (std::thread& thread : all) thread.join();
  return right;
}

}  // namespace

TEST_CASE("64 threads run one program of a cell, each with its own state", "[many_threads]") {
  const ir::Cell cell = standard("lstm", 5, 19);
  const Weights weights = random_weights(cell, 1);
  const Sequences sequences = random_sequences(cell, 30, 3, 3);
  const Outcome expected = run(compile_cell(cell, weights, "host"), sequences);
  for (const std::string& cpu : {std::string("host"), std::string("portable host")})
    for (const int threads : {1, 3}) {
      INFO(cpu << ", " << threads << " threads of its own");
      const Program program = compile_cell(cell, weights, cpu, threads);
      const Outcome alone = run(program, sequences);
      CHECK(count_true(64, [&](int) {
              for (int call = 0; call < 5; ++call)
                if (run(program, sequences) != alone) return false;
              return true;
            }) == 64);
    }
  CHECK(run(compile_cell(cell, weights, "host"), sequences) == expected);
}

TEST_CASE("64 threads run one program of a network, save, restore and step", "[many_threads]") {
  const Program program = fuzz::seed_program();
  const std::vector<float> x(2 * 8, 0.5f);
  std::vector<float> expected(2);
  {
    State state = program.make_state(2);
    for (int step = 0; step < 4; ++step) REQUIRE(program.step(state, x, expected) == RunStatus::Ok);
  }
  CHECK(count_true(64, [&](int) {
          State state = program.make_state(2);
          std::vector<float> y(2);
          for (int step = 0; step < 2; ++step)
            if (program.step(state, x, y) != RunStatus::Ok) return false;
          State other = program.make_state(2);
          if (!other.restore(state.save())) return false;
          for (int step = 0; step < 2; ++step)
            if (program.step(other, x, y) != RunStatus::Ok) return false;
          return y == expected;
        }) == 64);
}

TEST_CASE("threads that compile with one cache, load and run at once get the same bits", "[many_threads]") {
  const TemporaryFolder folder;
  ::setenv("RNNC_CACHE", "on", 1);
  ::setenv("RNNC_CACHE_DIR", (folder / "cache").c_str(), 1);
  std::vector<ir::Cell> cells;
  std::vector<Outcome> expected;
  for (const char* name : {"rnn", "gru"}) {
    cells.push_back(standard(name, 3, 7));
    expected.push_back(run(compile_cell(cells.back(), random_weights(cells.back(), 1), "host"),
                           random_sequences(cells.back(), 5, 2, 3)));
  }
  CHECK(count_true(16, [&](int i) {
          const ir::Cell& cell = cells[static_cast<std::size_t>(i % 2)];
          const Weights weights = random_weights(cell, 1);
          auto module = std::make_shared<ir::Module>();
          module->cells.push_back(cell);
          for (int call = 0; call < 3; ++call) {
            const Result<Program> program = compile(Model(module), tensors_of(cell, weights), {.cache = true});
            if (!program || run(*program, random_sequences(cell, 5, 2, 3)) != expected[static_cast<std::size_t>(i % 2)])
              return false;
          }
          return true;
        }) == 16);
  ::setenv("RNNC_CACHE", "off", 1);
  ::unsetenv("RNNC_CACHE_DIR");
}

}  // namespace rnnc::test
