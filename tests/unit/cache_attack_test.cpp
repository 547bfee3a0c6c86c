// Much may happen to the cache of code: files damaged in any bit, cut anywhere, something else in their place, writers
// that die, many at once, no room, no permission. What is found is always what was stored, and compiling never fails
// because of the cache.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "compiler/schedule/code_cache.hpp"
#include "tests/errors/file_bytes.hpp"
#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/small_disk.hpp"

namespace rnnc::test {
namespace {

namespace fs = std::filesystem;
using compiler::CodeCache;

// As small as an entry can be, so that all of its bytes can be tried; its code is recognised by its key.
runtime::StoredEntry entry(const std::string& key, std::size_t code_bytes = 32) {
  runtime::StoredEntry artifact;
  artifact.key = key;
  artifact.features = runtime::host_features();
  artifact.code.description.cell = "c";
  artifact.code.description.cpu = "cpu";
  artifact.code.description.states.push_back({{"h", {}}, true, 0, 1});
  artifact.code.description.doubled_row = 1;
  artifact.code.description.output_size = 1;
  for (std::size_t i = 0; i < code_bytes; ++i)
    artifact.code.image.bytes.push_back(static_cast<std::byte>(key[i % key.size()]));
  return artifact;
}

bool is_right(const std::optional<runtime::StoredEntry>& found, const runtime::StoredEntry& stored) {
  return found && found->key == stored.key && found->code.image.bytes == stored.code.image.bytes;
}

std::string only_file(const TemporaryFolder& folder) {
  const fs::directory_iterator files(folder / "cache");
  return files->path().string();
}

std::size_t count_files(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

// A process that ends with 0 where `work` is true.
pid_t start(const std::function<bool()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work() ? 0 : 1);
  return child;
}

int status_of(pid_t child) {
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

// The cache of programs that this process compiles meanwhile.
class UsedCache {
 public:
  explicit UsedCache(const std::string& folder) {
    ::setenv("RNNC_CACHE", "on", 1);
    ::setenv("RNNC_CACHE_DIR", folder.c_str(), 1);
  }
  ~UsedCache() {
    ::setenv("RNNC_CACHE", "off", 1);
    ::unsetenv("RNNC_CACHE_DIR");
  }
  UsedCache(const UsedCache&) = delete;
  UsedCache& operator=(const UsedCache&) = delete;
};

// Compiles a cell with whatever cache there is, and runs it.
class Compilation {
 public:
  Compilation() : expected_(outcome(false)) {}

  bool is_right(const std::string& folder) const {
    const UsedCache used(folder);
    return outcome(true) == expected_;
  }

 private:
  Outcome outcome(bool cache) const {
    auto module = std::make_shared<ir::Module>();
    module->cells.push_back(cell_);
    const Result<Program> program = compile(Model(module), tensors_of(cell_, weights_), {.cache = cache});
    return program ? run(*program, sequences_) : Outcome{};
  }

  ir::Cell cell_ = standard("rnn", 3, 5);
  Weights weights_ = random_weights(cell_, 1);
  Sequences sequences_ = random_sequences(cell_, 4, 2, 3);
  Outcome expected_;
};

}  // namespace

TEST_CASE("every flipped bit and every cut of an entry is a miss", "[cache]") {
  const TemporaryFolder folder;
  const CodeCache cache(folder / "cache");
  const runtime::StoredEntry stored = entry("key");
  cache.store(stored);
  const std::string path = only_file(folder), good = read_text(path);
  REQUIRE(is_right(cache.find("key"), stored));
  const auto found_with = [&](const std::string& content) {
    write_text(path, content);
    return cache.find("key").has_value();
  };
  std::size_t found = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      found += found_with(bad);
    }
    found += found_with(good.substr(0, i));
  }
  CHECK(found == 0);
  CHECK_FALSE(found_with(good + '\0'));
  CHECK_FALSE(found_with(good + good));
  CHECK(found_with(good));
}

TEST_CASE("another entry, or one for another CPU, in an entry's place is a miss", "[cache]") {
  const TemporaryFolder folder;
  const CodeCache cache(folder / "cache");
  cache.store(entry("key"));
  const std::string path = only_file(folder);
  runtime::StoredEntry other = entry("key");
  other.features = ~runtime::CpuFeatures{0};
  const std::vector<std::byte> foreign = runtime::write_entry(other);
  write_text(path, {reinterpret_cast<const char*>(foreign.data()), foreign.size()});
  CHECK_FALSE(cache.find("key"));
  const std::vector<std::byte> stranger = runtime::write_entry(entry("another key"));
  write_text(path, {reinterpret_cast<const char*>(stranger.data()), stranger.size()});
  CHECK_FALSE(cache.find("key"));
}

TEST_CASE("a pipe, a folder, a socket or a link in an entry's place blocks nothing and is a miss", "[cache]") {
  const TemporaryFolder folder;
  const CodeCache cache(folder / "cache");
  const runtime::StoredEntry stored = entry("key");
  cache.store(stored);
  const std::string path = only_file(folder), elsewhere = folder / "elsewhere";
  fs::copy_file(path, elsewhere);
  const auto attack = [&](const char* what, const std::function<void()>& put) {
    INFO(what);
    fs::remove_all(path);
    put();
    CHECK_FALSE(cache.find("key"));
    cache.store(stored);
    CHECK(is_right(cache.find("key"), stored) == !fs::is_directory(path));
    CHECK(count_files(folder / "cache") == 1);
  };
  ::alarm(60);  // ends a test that waits for the pipe's other end
  attack("pipe", [&] { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); });
  attack("folder", [&] { REQUIRE(::mkdir(path.c_str(), 0700) == 0); });
  attack("link", [&] { fs::create_symlink(elsewhere, path); });
  attack("link to itself", [&] { fs::create_symlink(path, path); });
  attack("device", [&] {
    if (::mknod(path.c_str(), S_IFCHR | 0600, 0x105) != 0) fs::create_symlink("/dev/zero", path);
  });
  attack("hard link", [&] {
    if (::geteuid() != 0) return;
    fs::create_hard_link(elsewhere, path);
    REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
  });
  ::alarm(0);
}

TEST_CASE("a cache folder that is a link, or another's, is not used", "[cache]") {
  const TemporaryFolder folder;
  const runtime::StoredEntry stored = entry("key");
  CodeCache(folder / "cache").store(stored);
  fs::create_symlink(folder / "cache", folder / "link");
  CHECK_FALSE(CodeCache(folder / "link").find("key"));
  if (::geteuid() != 0) return;
  REQUIRE(::chown((folder / "cache").c_str(), 12345, 12345) == 0);
  CHECK_FALSE(CodeCache(folder / "cache").find("key"));
  CodeCache(folder / "cache").store(entry("other"));
  CHECK(count_files(folder / "cache") == 1);
}

TEST_CASE("writers that are killed leave right entries, and nothing for long", "[cache]") {
  const TemporaryFolder folder;
  const CodeCache cache(folder / "cache");
  const runtime::StoredEntry stored = entry("key", 1 << 20);
  Random random(1);
  int found = 0, left = 0;
  // How long a write takes depends on the machine: kills come later after a miss and sooner after a hit.
  double microseconds = 4000;
  for (int round = 0; round < 1000 && (round < 60 || found < 5 || left < 3); ++round) {
    cache.prune(0);
    const pid_t child = start([&]() -> bool {
      for (;;) cache.store(stored);
    });
    ::usleep(static_cast<useconds_t>(microseconds * random.uniform(0, 2)));
    ::kill(child, SIGKILL);
    REQUIRE(WIFSIGNALED(status_of(child)));
    const auto hit = cache.find("key");
    if (hit) REQUIRE(is_right(hit, stored));
    found += hit.has_value();
    microseconds = std::clamp(microseconds * (hit ? 0.8 : 1.25), 100.0, 400000.0);
    if (!fs::exists(folder / "cache")) continue;
    for (const auto& file : fs::directory_iterator(folder / "cache"))
      left += file.path().filename().string().starts_with("code-new-");
  }
  CHECK(found > 0);
  CHECK(left > 0);  // some were killed in the middle
  // The next writer takes away what processes that are gone have left, and what is older than a write can be.
  cache.store(stored);
  CHECK(count_files(folder / "cache") == 1);
  for (int i = 0; i < 3; ++i) write_text(folder / ("cache/code-new-1-" + std::to_string(i) + ".rnnc"), "half");
  for (const auto& file : fs::directory_iterator(folder / "cache"))
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  cache.store(stored);
  CHECK(is_right(cache.find("key"), stored));
  CHECK(count_files(folder / "cache") == 1);
}

TEST_CASE("32 processes that store and find at once find what was stored", "[cache]") {
  const TemporaryFolder folder;
  const CodeCache cache(folder / "cache");
  std::vector<pid_t> children;
  for (unsigned process = 0; process < 32; ++process)
    children.push_back(start([&] {
      Random random(process);
      for (int i = 0; i < 100; ++i) {
        const runtime::StoredEntry stored = entry("key " + std::to_string(random.below(4)), 20000);
        const auto found = cache.find(stored.key);
        if (found && !is_right(found, stored)) return false;
        if (random.chance(0.1)) cache.prune(0);
        cache.store(stored);
      }
      return true;
    }));
  for (const pid_t child : children) CHECK(status_of(child) == 0);
  for (const auto& file : fs::directory_iterator(folder / "cache"))
    CHECK_FALSE(file.path().filename().string().starts_with("code-new-"));
}

TEST_CASE("where there is no room nothing is kept", "[cache]") {
  const TemporaryFolder folder;
  const CodeCache cache(folder / "cache");
  const pid_t child = start([&] {
    const SmallDisk disk(1000);
    ::signal(SIGXFSZ, SIG_DFL);  // as in most programs: it would end them
    cache.store(entry("key", 5000));
    return !cache.find("key");
  });
  CHECK(status_of(child) == 0);
  CHECK(count_files(folder / "cache") == 0);
  CodeCache("/dev/full").store(entry("key"));
}

TEST_CASE("compiling gives the right code whatever the cache is", "[cache]") {
  const TemporaryFolder folder;
  const Compilation compilation;
  const std::string cache = folder / "cache";
  REQUIRE(compilation.is_right(cache));
  REQUIRE(compilation.is_right(cache));  // from the cache
  const std::string path = only_file(folder), good = read_text(path);
  Random random(2);
  for (int i = 0; i < 8; ++i) {
    std::string bad = good;
    const std::size_t at = random.below(bad.size());
    bad[at] = static_cast<char>(bad[at] ^ 4);
    write_text(path, i % 2 == 0 ? bad : bad.substr(0, at));
    REQUIRE(compilation.is_right(cache));
    CHECK(read_text(path) == good);  // mended
  }
  fs::remove(path);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(compilation.is_right(cache));
  fs::remove(path);
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  CHECK(compilation.is_right(cache));
  for (const char* other : {"/proc/rnnc", "/dev/null", "/dev/null/cache", "/nowhere/\n/cache"})
    CHECK(compilation.is_right(other));
  const std::string too_long(5000, 'x');
  CHECK(compilation.is_right(folder / too_long));
}

TEST_CASE("compiling works where the cache may not be written", "[cache]") {
  const TemporaryFolder folder;
  const Compilation compilation;
  fs::create_directory(folder / "cache");
  fs::permissions(folder.path(), fs::perms::owner_exec | fs::perms::others_exec | fs::perms::owner_read);
  fs::permissions(folder / "cache", fs::perms::owner_read | fs::perms::owner_exec);
  const pid_t child = start([&] {
    if (::geteuid() == 0 && (::chown((folder / "cache").c_str(), 12345, 12345) != 0 || ::setuid(12345) != 0))
      return false;
    return compilation.is_right(folder / "cache") && compilation.is_right(folder / "cache");
  });
  CHECK(status_of(child) == 0);
  fs::permissions(folder.path(), fs::perms::owner_all);
  fs::permissions(folder / "cache", fs::perms::owner_all);
  CHECK(count_files(folder / "cache") == 0);
}

}  // namespace rnnc::test
