// The code cache: what it finds is what was stored, and whatever is wrong with a file is a miss.
#include "compiler/schedule/code_cache.hpp"
#include "compiler/llvm/resolve_target.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "compiler/llvm/code_of.hpp"
#include "compiler/network/choose_cell.hpp"
#include "compiler/schedule/lower.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

namespace fs = std::filesystem;

runtime::StoredEntry stored_of(const ir::Cell& cell) {
  const compiler::Target target = compiler::resolve_target("host").value();
  return {compiler::cache_key(cell, target, {}), compiler::required_features(target),
          compiler::generate_code(cell, target, {}).value()};
}

runtime::StoredEntry entry(const std::string& name, int hidden) { return stored_of(standard(name, 8, hidden)); }

std::string only_file(const std::string& folder) {
  std::string path;
  for (const auto& each : fs::directory_iterator(folder)) path = each.path().string();
  return path;
}

}  // namespace

TEST_CASE("the cache finds what was stored, under its own key only, in private files", "[cache]") {
  const Folder folder;
  const compiler::CodeCache cache(folder / "cache");
  const runtime::StoredEntry stored = entry("rnn", 8);
  CHECK_FALSE(cache.find(stored.key));
  cache.store(stored);
  const auto found = cache.find(stored.key);
  REQUIRE(found);
  CHECK(found->code.image.bytes == stored.code.image.bytes);
  CHECK_FALSE(cache.find(stored.key + " "));
  CHECK(cache.size().files == 1);
  struct stat status;
  REQUIRE(stat((folder / "cache").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  REQUIRE(stat(only_file(folder / "cache").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a file that is damaged, cut, another's, a link, or open to others is a miss", "[cache]") {
  const Folder folder;
  const compiler::CodeCache cache(folder / "cache");
  const runtime::StoredEntry stored = entry("rnn", 8);
  cache.store(stored);
  const std::string path = only_file(folder / "cache"), name = "cache/" + fs::path(path).filename().string();
  const std::string good = folder.text(name);
  for (std::size_t i = 0; i < good.size(); i += i < 1024 ? 1 : 509) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    folder.write(name, bad);
    if (cache.find(stored.key)) FAIL("byte " << i);
    folder.write(name, good.substr(0, i));
    if (cache.find(stored.key)) FAIL("cut at " << i);
  }
  folder.write(name, good);
  REQUIRE(cache.find(stored.key));
  fs::permissions(path, fs::perms::group_write, fs::perm_options::add);
  CHECK_FALSE(cache.find(stored.key));
  fs::permissions(path, fs::perms::group_write, fs::perm_options::remove);
  if (geteuid() == 0) {
    REQUIRE(chown(path.c_str(), 12345, 12345) == 0);
    CHECK_FALSE(cache.find(stored.key));
    REQUIRE(chown(path.c_str(), 0, 0) == 0);
  }
  REQUIRE(cache.find(stored.key));
  fs::rename(path, folder / "elsewhere");
  fs::create_symlink(folder / "elsewhere", path);
  CHECK_FALSE(cache.find(stored.key));
}

TEST_CASE("prune removes the oldest entries and no file of others", "[cache]") {
  const Folder folder;
  const compiler::CodeCache cache(folder / "cache");
  const runtime::StoredEntry old = entry("rnn", 8), young = entry("gru", 8);
  cache.store(old);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::uint64_t one = cache.size().bytes;
  cache.store(young);
  folder.write("cache/plan-1.txt", "kept");
  CHECK(cache.prune(cache.size().bytes - one).files == 1);
  CHECK_FALSE(cache.find(old.key));
  CHECK(cache.find(young.key));
  CHECK(cache.prune(0).files == 1);
  CHECK(folder.text("cache/plan-1.txt") == "kept");
}

TEST_CASE("a folder that cannot be made, or is open to others, makes nothing fail", "[cache]") {
  const Folder folder;
  const runtime::StoredEntry stored = entry("rnn", 8);
  folder.write("file", "");
  for (const std::string& path : {folder / "file", folder / "file/cache", std::string()}) {
    const compiler::CodeCache cache(path);
    cache.store(stored);
    CHECK_FALSE(cache.find(stored.key));
    CHECK(cache.prune(0).files == 0);
  }
  fs::create_directory(folder / "open");
  fs::permissions(folder / "open", fs::perms::all);
  compiler::CodeCache(folder / "open").store(stored);
  CHECK(fs::is_empty(folder / "open"));
}

TEST_CASE("run keeps code and uses it again; cache shows and clears it", "[cache]") {
  const Folder folder;
  folder.write("m.rnn", "cell m<N> {\n  input x : f32[N]\n  state s : f32[N]\n  s' = s + x\n  output s'\n}\n");
  folder.write("x.npy", {1, 1, 3}, {1, 2, 3});
  const std::string run = "run m.rnn --dim N=3 --input x.npy --output ";
  REQUIRE(folder.rnnc(run + "y1.npy").code == 0);
  REQUIRE(folder.rnnc("cache stat").out.find("code kept: 1 files") != std::string::npos);
  REQUIRE(folder.rnnc(run + "y2.npy").code == 0);
  CHECK(folder.text("y1.npy") == folder.text("y2.npy"));
  CHECK(folder.rnnc("cache stat").out.find("code kept: 1 files") != std::string::npos);
  CHECK(folder.rnnc("cache clear").out.find("removed: 1 files") == 0);
  CHECK(folder.rnnc("cache prune").out.find("removed: 0 files") == 0);
}

TEST_CASE("a hit runs the code that is kept: nothing is generated", "[cache]") {
  const Folder folder;
  const auto text = [](const std::string& sign) {
    return "cell m<N> {\n  input x : f32[N]\n  state s : f32[N]\n  s' = s " + sign + " x\n  output s'\n}\n";
  };
  const auto bound = [&](const std::string& sign) {
    return compiler::bind(parse(text(sign), "m.rnn").value().module().cells[0], {{"N", 3}}, {}).value();
  };
  // Kept as the sum's code is the difference's, which nobody would generate.
  const compiler::Target target = compiler::resolve_target("host").value();
  runtime::StoredEntry planted = stored_of(bound("-"));
  planted.key = compiler::cache_key(bound("+"), target, {});
  compiler::CodeCache(folder / "cache").store(planted);
  folder.write("m.rnn", text("+"));
  folder.write("x.npy", {1, 1, 3}, {1, 2, 3});
  REQUIRE(folder.rnnc("run m.rnn --dim N=3 --input x.npy --output y.npy").code == 0);
  CHECK(folder.values("y.npy") == std::vector<float>{-1, -2, -3});
}

}  // namespace rnnc::test
