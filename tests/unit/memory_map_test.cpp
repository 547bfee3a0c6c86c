// No page is ever writable and executable, while code is made as little as after.
#include <sys/mman.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

// Lines of the map with pages that are both. Shared memory counts as any other.
std::string writable_code() {
  std::ifstream maps("/proc/self/maps");
  std::string found;
  for (std::string line; std::getline(maps, line);) {
    const std::string permissions = line.substr(line.find(' ') + 1, 4);
    if (permissions[1] == 'w' && permissions[2] == 'x') found += line + "\n";
  }
  return found;
}

// Looks at the map again and again, on a thread of its own.
class Watch {
 public:
  Watch()
      : thread_([this] {
          while (!done_) {
            found_ += writable_code();
            ++looks_;
          }
        }) {}
  ~Watch() { finish(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  std::string finish() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    return found_;
  }
  int looks() const { return looks_; }

 private:
  std::atomic<bool> done_ = false;
  std::atomic<int> looks_ = 0;
  std::string found_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("no page is writable and executable while cells are compiled and loaded", "[memory_map]") {
  Watch watch;
  for (int hidden = 1; hidden <= 40; ++hidden) {
    const ir::Cell cell = standard(hidden % 2 == 0 ? "lstm" : "gru", 5, hidden);
    const Weights weights = random_weights(cell, 1);
    const Program program = compile_cell(cell, weights, "host");
    auto module = std::make_shared<ir::Module>();
    module->cells.push_back(cell);
    const std::vector<std::byte> artifact = compile_artifact(Model(module), tensors_of(cell, weights)).value();
    REQUIRE(parse_artifact(artifact).ok());
    CHECK(writable_code().empty());
  }
  const std::string found = watch.finish();
  CHECK(found.empty());
  CHECK(watch.looks() > 20);
}

TEST_CASE("a page that is writable and executable would be seen", "[memory_map]") {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    WARN("this system lets nobody have such a page");
    return;
  }
  Watch watch;
  while (watch.looks() < 2) std::this_thread::yield();
  CHECK_FALSE(watch.finish().empty());
  ::munmap(page, 4096);
  CHECK(writable_code().empty());
}

}  // namespace rnnc::test
