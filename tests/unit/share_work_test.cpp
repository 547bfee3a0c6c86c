// These tests hold what share_work promises: each piece is worked on once, by as many threads as are asked for, and an
// exception comes out when all threads have ended.
#include "compiler/network/share_work.hpp"

#include <atomic>
#include <cfenv>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"

namespace rnnc::test {

TEST_CASE("each piece of work is done once, on no more threads than are asked for") {
  for (const std::size_t count : {0u, 1u, 2u, 7u, 300u})
    for (const int threads : {0, 1, 2, 5}) {
      std::vector<std::atomic<int>> done(count);
      std::mutex guard;
      std::set<std::thread::id> seen;
      compiler::share_work(count, threads, [&](std::size_t i) {
        ++done[i];
        const std::lock_guard lock(guard);
        seen.insert(std::this_thread::get_id());
      });
      for (const std::atomic<int>& each : done) REQUIRE(each == 1);
      if (threads > 0) CHECK(seen.size() <= static_cast<std::size_t>(threads));
    }
}

TEST_CASE("what work throws comes out, and no further piece is begun by threads that see it") {
  for (const int threads : {1, 3}) {
    std::atomic<int> begun = 0;
    const auto work = [&](std::size_t i) {
      ++begun;
      if (i == 0) throw std::runtime_error("piece 0");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    CHECK_THROWS_AS(compiler::share_work(1000, threads, work), std::runtime_error);
    CHECK(begun < 1000);
  }
}

TEST_CASE("work runs in the default floating-point environment, and the caller's is as before") {
  const int before = std::fegetround();
  std::fesetround(FE_UPWARD);
  std::atomic<int> wrong = 0;
  compiler::share_work(8, 4, [&](std::size_t) { wrong += std::fegetround() == FE_TONEAREST ? 0 : 1; });
  const int after = std::fegetround();
  std::fesetround(before);
  CHECK(after == FE_UPWARD);
  CHECK(wrong == 0);
}

}  // namespace rnnc::test
