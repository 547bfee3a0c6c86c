// The lock is flock's, which belongs to an open file and ends with the last process that has it open, however it ends.
#include "import/leftovers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <random>
#include <string_view>

namespace rnnc::files {
namespace {

constexpr int kNameTries = 100;
constexpr std::string_view kHex = "0123456789abcdef", kPrefix = ".rnnc-new-";
constexpr std::size_t kDigits = 12;

bool is_temporary_name(std::string_view name) {
  return name.size() == kPrefix.size() + kDigits && name.starts_with(kPrefix) &&
         name.find_first_not_of(kHex, kPrefix.size()) == std::string_view::npos;
}

bool lock(int descriptor) {
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
    if (errno != EINTR) return false;
  return true;
}

// A run that removes leftovers may have locked or removed the file before its maker locked it. A file system without
// locks has no such run.
bool is_taken(int descriptor) {
  if (!lock(descriptor)) return errno == EWOULDBLOCK;
  struct stat status;
  return ::fstat(descriptor, &status) != 0 || status.st_nlink == 0;
}

class Opened {
 public:
  // Some network file systems lock only files that are open for writing, and a leftover may be write-protected.
  Opened(int folder, const char* name) : descriptor_(open(folder, name, O_RDWR)) {
    if (descriptor_ < 0 && errno == EACCES) descriptor_ = open(folder, name, O_RDONLY);
  }
  ~Opened() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  static int open(int folder, const char* name, int how) {
    return ::openat(folder, name, how | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  }

  int descriptor_;
};

void remove_if_left(int folder, const char* name) {
  const Opened file(folder, name);
  struct stat opened, named;
  if (file.descriptor() < 0 || ::fstat(file.descriptor(), &opened) != 0) return;
  const bool is_ours = ::geteuid() == 0 || opened.st_uid == ::geteuid();
  if (!S_ISREG(opened.st_mode) || !is_ours || !lock(file.descriptor())) return;
  // Before the lock was had, the file may have been renamed to its place, and the name been given to another one.
  if (::fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) ::unlinkat(folder, name, 0);
}

}  // namespace

TemporaryFile create_temporary(const std::string& folder, mode_t mode) {
  std::random_device random;
  for (int i = 0; i < kNameTries; ++i) {
    std::string path = folder + "/" + std::string(kPrefix);
    for (std::size_t digit = 0; digit < kDigits; ++digit) path += kHex[random() % kHex.size()];
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor < 0 && errno != EEXIST) return {-1, ""};
    if (descriptor >= 0 && !is_taken(descriptor)) return {descriptor, std::move(path)};
    if (descriptor >= 0) ::close(descriptor);
  }
  errno = EEXIST;
  return {-1, ""};
}

// Directory streams of C are used, since std::filesystem ends the process where memory runs out.
void remove_leftovers(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) return;
  while (const dirent* entry = ::readdir(open.get()))
    if (is_temporary_name(entry->d_name)) remove_if_left(::dirfd(open.get()), entry->d_name);
}

}  // namespace rnnc::files
