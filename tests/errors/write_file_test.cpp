// These tests look at what writers of files leave: what stays of the old file, what is left of a killed run, and which
// names are of the same file.
#include "import/write_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include <rnnc/tensor_files.hpp>

#include "import/real_path.hpp"
#include "tests/errors/file_bytes.hpp"

namespace rnnc {
namespace {

using files::is_same_file;
using files::real_path;
using files::write_file;
using files::write_files;
using test::bytes_of;
using test::check_error;
using test::read_text;
using test::TemporaryFolder;
using test::write_text;

const std::string kLeft = ".rnnc-new-0123456789ab";

mode_t mode_of(const std::string& path) {
  struct stat status;
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

pid_t start(const std::function<bool()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work() ? 0 : 1);
  return child;
}

int status_of(pid_t child) {
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

}  // namespace

TEST_CASE("a new file has the mode that the umask leaves, a replaced one keeps its own") {
  const TemporaryFolder folder;
  const std::string path = folder / "w";
  for (const mode_t mask : {0022u, 0027u, 0077u, 0002u}) {
    const Umask set(mask);
    REQUIRE(write_file(path, {bytes_of("new")}).ok());
    CHECK(mode_of(path) == (0666 & ~mask));
    ::unlink(path.c_str());
  }
  const Umask set(0077);
  for (const mode_t mode : {0644u, 0600u, 0666u, 0751u, 0604u}) {
    write_text(path, "old");
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    REQUIRE(write_file(path, {bytes_of("new")}).ok());
    CHECK(mode_of(path) == mode);
    CHECK(read_text(path) == "new");
  }
  CHECK(folder.names() == std::set<std::string>{"w"});
}

TEST_CASE("a replaced file keeps its owner and group where the system allows it") {
  if (::geteuid() != 0) return;
  const TemporaryFolder folder;
  const std::string path = folder / "w";
  write_text(path, "old");
  REQUIRE(::chown(path.c_str(), 12345, 23456) == 0);
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  REQUIRE(write_file(path, {bytes_of("new")}).ok());
  struct stat status;
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(status.st_uid == 12345);
  CHECK(status.st_gid == 23456);
  CHECK(mode_of(path) == 0640);
  // Another user who may write the file owns it afterwards. The group that it cannot keep loses what others lack.
  REQUIRE(::chmod(path.c_str(), 0662) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  const pid_t child = start(
      [&] { return ::setgid(54321) == 0 && ::setuid(54321) == 0 && write_file(path, {bytes_of("theirs")}).ok(); });
  CHECK(status_of(child) == 0);
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(status.st_uid == 54321);
  CHECK(status.st_gid == 54321);
  CHECK(mode_of(path) == 0622);
  CHECK(read_text(path) == "theirs");
}

TEST_CASE("a symbolic link stays, and the file that it names is written, there or not") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "far");
  std::filesystem::create_symlink("far/target", folder / "link");
  std::filesystem::create_symlink("link", folder / "link2");
  std::filesystem::create_symlink(folder / "absolute", folder / "link3");
  for (const std::string content : {"made", "replaced"}) {
    REQUIRE(write_file(folder / "link2", {bytes_of(content)}).ok());
    REQUIRE(write_file(folder / "link3", {bytes_of(content)}).ok());
    CHECK(read_text(folder / "far/target") == content);
    CHECK(read_text(folder / "absolute") == content);
  }
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(std::filesystem::is_symlink(folder / "link2"));
  CHECK(std::filesystem::is_symlink(folder / "link3"));
  CHECK(folder.names() == std::set<std::string>{"absolute", "far", "link", "link2", "link3"});
  std::filesystem::create_symlink("none/target", folder / "lost");
  check_error(write_file(folder / "lost", {}), ErrorCode::File,
              folder / "lost: cannot make the file that this link names: No such file or directory; check the path");
  std::filesystem::create_symlink("round", folder / "round");
  check_error(write_file(folder / "round", {}), ErrorCode::File,
              folder / "round: cannot write it: Too many levels of symbolic links");
  CHECK(std::filesystem::is_symlink(folder / "lost"));
}

TEST_CASE("another hard link of a replaced file keeps the old content") {
  const TemporaryFolder folder;
  write_text(folder / "w", "old");
  std::filesystem::create_hard_link(folder / "w", folder / "other");
  REQUIRE(write_file(folder / "w", {bytes_of("new")}).ok());
  CHECK(read_text(folder / "w") == "new");
  CHECK(read_text(folder / "other") == "old");
}

TEST_CASE("several files are written all or none") {
  const TemporaryFolder folder;
  write_text(folder / "a", "old");
  check_error(
      write_files({{folder / "a", {bytes_of("new")}}, {folder / "none/b", {bytes_of("new")}}}), ErrorCode::File,
      folder / "none/b: cannot create a file in \"" + folder / "none\": No such file or directory; check the path");
  check_error(write_files({{folder / "a", {bytes_of("new")}}, {"/dev/full", {bytes_of("new")}}}), ErrorCode::File,
              "/dev/full: cannot write it: No space left on device; free some space or choose another place");
  CHECK(read_text(folder / "a") == "old");
  CHECK(folder.names() == std::set<std::string>{"a"});
  REQUIRE(write_files({{folder / "a", {bytes_of("new")}}, {"/dev/null", {bytes_of("new")}}, {folder / "b", {}}}).ok());
  CHECK(read_text(folder / "a") == "new");
  CHECK(folder.names() == std::set<std::string>{"a", "b"});
}

TEST_CASE("what a killed run left is removed by the next one, and nothing else") {
  const TemporaryFolder folder;
  const std::set<std::string> others = {".rnnc-new-0123456789a",  ".rnnc-new-0123456789abc", ".rnnc-new-0123456789ag",
                                        "rnnc-new-0123456789ab",  ".rnnc-0123456789ab",      ".rnnc-new-0123456789AB",
                                        "x.rnnc-new-0123456789ab"};
  for (const std::string& name : others) write_text(folder / name, "someone's");
  std::filesystem::create_symlink(".rnnc-0123456789ab", folder / ".rnnc-new-00000000000a");
  std::filesystem::create_directory(folder / ".rnnc-new-00000000000b");
  REQUIRE(::mkfifo((folder / ".rnnc-new-00000000000c").c_str(), 0600) == 0);
  std::set<std::string> stay = others;
  stay.insert({".rnnc-new-00000000000a", ".rnnc-new-00000000000b", ".rnnc-new-00000000000c", "w"});

  write_text(folder / kLeft, "half");
  REQUIRE(::chmod((folder / kLeft).c_str(), 0400) == 0);
  write_text(folder / ".rnnc-new-ffffffffffff", "half");
  REQUIRE(write_file(folder / "w", {}).ok());
  CHECK(folder.names() == stay);

  // The lock says that a run is still at work, in this process or another one.
  write_text(folder / kLeft, "half");
  const int descriptor = ::open((folder / kLeft).c_str(), O_RDONLY);
  REQUIRE(::flock(descriptor, LOCK_EX | LOCK_NB) == 0);
  REQUIRE(write_file(folder / "w", {}).ok());
  CHECK(read_text(folder / kLeft) == "half");
  ::close(descriptor);
  REQUIRE(write_file(folder / "w", {}).ok());
  CHECK(folder.names() == stay);
}

TEST_CASE("a kill at any time leaves the old file or the new one, and its leftovers go") {
  const TemporaryFolder folder;
  const std::string path = folder / "w", a(300'000, 'a'), b(200'000, 'b');
  write_text(path, a);
  int left = 0;
  for (int i = 0; i < 60; ++i) {
    const pid_t child = start([&]() -> bool {
      for (;;) (void)write_file(path, {bytes_of(b), bytes_of("end")}).ok(), (void)write_file(path, {bytes_of(a)}).ok();
    });
    ::usleep(static_cast<useconds_t>(200 + 173 * i));
    ::kill(child, SIGKILL);
    REQUIRE(WIFSIGNALED(status_of(child)));
    const std::string now = read_text(path);
    REQUIRE((now == a || now == b + "end"));
    left += folder.names().size() > 1;
  }
  CHECK(left > 0);  // some were killed in the middle
  REQUIRE(write_file(path, {bytes_of("last")}).ok());
  CHECK(folder.names() == std::set<std::string>{"w"});
}

TEST_CASE("runs side by side neither fail nor disturb each other") {
  const TemporaryFolder folder;
  std::vector<pid_t> children;
  for (char letter = 'a'; letter < 'i'; ++letter)
    children.push_back(start([&folder, letter] {
      const std::string own = folder / std::string(1, letter), content(20'000, letter);
      for (int i = 0; i < 60; ++i)
        if (!write_file(folder / "shared", {bytes_of(content)}).ok() || !write_file(own, {bytes_of(content)}).ok())
          return false;
      return read_text(own) == content;
    }));
  for (const pid_t child : children) CHECK(status_of(child) == 0);
  const std::string shared = read_text(folder / "shared");
  CHECK(shared == std::string(20'000, shared.at(0)));
  CHECK(folder.names() == std::set<std::string>{"shared", "a", "b", "c", "d", "e", "f", "g", "h"});
}

TEST_CASE("a file is the same under every name, and a stream is not") {
  const TemporaryFolder folder;
  write_text(folder / "a", "a");
  write_text(folder / "b", "a");
  std::filesystem::create_symlink("a", folder / "soft");
  std::filesystem::create_hard_link(folder / "a", folder / "hard");
  std::filesystem::create_directory(folder / "in");
  std::filesystem::create_symlink("..", folder / "in/up");
  std::filesystem::create_symlink("in/new", folder / "dangling");
  for (const std::string name : {"a", "soft", "hard", "./a", "in/../a", "in/up/a", "in/up//in/up/soft"}) {
    CHECK(is_same_file(folder / "a", folder / name));
    CHECK(is_same_file(folder / name, folder / "a"));
    CHECK_FALSE(is_same_file(folder / name, folder / "b"));
    CHECK_FALSE(is_same_file(folder / name, folder / "new"));
  }
  // Files that are not there yet.
  CHECK(is_same_file(folder / "new", folder / "in/up/new"));
  CHECK(is_same_file(folder / "new", folder / "in/../new"));
  CHECK(is_same_file(folder / "in/new", folder / "dangling"));
  CHECK_FALSE(is_same_file(folder / "new", folder / "in/new"));
  CHECK(is_same_file(folder / "none/new", folder / "none/new"));
  CHECK(real_path(folder / "dangling") == real_path(folder / "in").value() + "/new");
  CHECK_FALSE(real_path(folder / "none/new").has_value());

  CHECK_FALSE(is_same_file("/dev/null", "/dev/null"));
  CHECK_FALSE(is_same_file("/dev/stdout", "/dev/fd/1"));
  const int one = ::open((folder / "a").c_str(), O_WRONLY);
  const std::string inherited = "/dev/fd/" + std::to_string(one);
  CHECK_FALSE(is_same_file(inherited, "/proc/self/fd/" + std::to_string(one)));
  CHECK(is_same_file(inherited, folder / "soft"));
  ::close(one);
}

}  // namespace rnnc
