// Every system call that can report a full disk is checked, also close: some file systems report it only there.
#include "import/write_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/leftovers.hpp"
#include "import/real_path.hpp"

namespace rnnc::files {
namespace {

constexpr mode_t kPermissions = 07777, kPrivate = 0600, kNew = 0666;

/// An open descriptor, and the name of the file, which is removed unless the file is kept.
class Output {
 public:
  explicit Output(int descriptor, std::string temporary = "")
      : descriptor_(descriptor), temporary_(std::move(temporary)) {}
  Output(Output&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), temporary_(std::exchange(other.temporary_, "")) {}
  Output& operator=(Output&&) = delete;
  ~Output() {
    // The file goes first, so that no other run finds it without its lock.
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }
  // Closes a copy: the descriptor itself holds the lock until the file has its name.
  bool flush() const {
    const int copy = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
    return copy >= 0 && ::close(copy) == 0;
  }
  bool rename_to(const std::string& target) {
    if (::rename(temporary_.c_str(), target.c_str()) != 0) return false;
    temporary_.clear();
    return true;
  }

 private:
  int descriptor_;
  std::string temporary_;
};

bool write_all(int descriptor, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_all(int descriptor, const std::vector<Bytes>& pieces) {
  for (const Bytes piece : pieces) {
    if (!write_all(descriptor, piece)) return false;
  }
  return true;
}

/// Holds where the bytes of a path go: to an inherited descriptor, since opening its path again would write a
/// redirected file from its beginning; to a device or pipe; or to the regular file `real`, which may be there already.
struct Target {
  std::string path;
  std::optional<int> inherited = {};
  std::string real = "";
  std::optional<struct stat> old = {};

  bool is_file() const { return !real.empty(); }
};

std::string cannot_create(const std::string& path) { return "cannot create a file in " + in_quotes(folder_of(path)); }

Result<Target> target_of(const std::string& path) {
  if (const auto number = inherited_descriptor(path)) return Target{path, number};
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return system_error(path, "cannot write it", errno);
    std::optional<std::string> real = real_path(path);
    if (real) return Target{path, {}, std::move(*real)};
    const bool is_link = ::lstat(path.c_str(), &status) == 0;
    return system_error(path, is_link ? "cannot make the file that this link names" : cannot_create(path), ENOENT);
  }
  if (S_ISDIR(status.st_mode)) {
    return file_error(ErrorCode::File, path, "cannot write it: it is a folder; name a file in it");
  }
  if (!S_ISREG(status.st_mode)) return Target{path};
  if (::access(path.c_str(), W_OK) != 0) return system_error(path, "cannot write it", errno);
  std::optional<std::string> real = real_path(path);
  if (!real) return system_error(path, "cannot write it", errno);
  return Target{path, {}, std::move(*real), status};
}

Result<void> write_directly(const Target& target, const std::vector<Bytes>& pieces) {
  const int descriptor =
      target.inherited ? ::dup(*target.inherited) : ::open(target.path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error(target.path, "cannot open it to write", errno);
  const Output output(descriptor);
  if (!write_all(descriptor, pieces) || !output.flush()) return system_error(target.path, "cannot write it", errno);
  return {};
}

/// Gives a new file the owner, group and mode of the old one. A group that cannot be kept leaves the new file's group
/// no more rights than all others have.
bool hand_on(const struct stat& old, int descriptor) {
  struct stat made;
  if (::fstat(descriptor, &made) != 0) return false;
  mode_t mode = old.st_mode & kPermissions;
  const bool keeps_owner = made.st_uid == old.st_uid || ::fchown(descriptor, old.st_uid, static_cast<gid_t>(-1)) == 0;
  const bool keeps_group = made.st_gid == old.st_gid || ::fchown(descriptor, static_cast<uid_t>(-1), old.st_gid) == 0;
  if (!keeps_owner) mode &= ~mode_t{S_ISUID};
  if (!keeps_group) mode = (mode & ~mode_t{S_ISGID | S_IRWXG}) | (mode & S_IRWXO) << 3;
  return ::fchmod(descriptor, mode) == 0;
}

/// Writes the bytes under a temporary name beside the target.
Result<Output> stage(const Target& target, const std::vector<Bytes>& pieces) {
  const std::string folder = folder_of(target.real);
  remove_leftovers(folder);
  // The new content may be private, so that nobody else reads it until it has the mode of the old file.
  TemporaryFile made = create_temporary(folder, target.old ? kPrivate : kNew);
  if (made.descriptor < 0) return system_error(target.path, cannot_create(target.path), errno);
  Output output(made.descriptor, std::move(made.path));
  // A file system without fsync reports EINVAL.
  const int descriptor = output.descriptor();
  const bool written = write_all(descriptor, pieces) && (::fsync(descriptor) == 0 || errno == EINVAL);
  if (!written || !output.flush()) return system_error(target.path, "cannot write it", errno);
  if (target.old && !hand_on(*target.old, descriptor))
    return system_error(target.path, "cannot set its permissions", errno);
  return output;
}

Result<void> rename_all(const std::vector<const Target*>& targets, std::vector<Output>& staged) {
  for (std::size_t i = 0; i < staged.size(); ++i) {
    if (staged[i].rename_to(targets[i]->real)) continue;
    Error error = system_error(targets[i]->path, "cannot rename the new file to it", errno);
    std::vector<std::string> done;
    for (std::size_t k = 0; k < i; ++k) done.push_back(targets[k]->path);
    if (!done.empty()) error.message += "; already written: " + join(done);
    return error;
  }
  return {};
}

}  // namespace

Result<void> write_files(const std::vector<NewFile>& files) {
  std::vector<Target> targets;
  for (const NewFile& file : files) {
    Result<Target> target = target_of(file.path);
    if (!target) return target.error();
    targets.push_back(std::move(*target));
  }
  std::vector<const Target*> renamed;
  std::vector<Output> staged;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!targets[i].is_file()) continue;
    Result<Output> output = stage(targets[i], files[i].pieces);
    if (!output) return output.error();
    renamed.push_back(&targets[i]);
    staged.push_back(std::move(*output));
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (targets[i].is_file()) continue;
    if (const auto written = write_directly(targets[i], files[i].pieces); !written) return written;
  }
  return rename_all(renamed, staged);
}

Result<void> write_file(const std::string& path, const std::vector<Bytes>& pieces) {
  return write_files({{path, pieces}});
}

}  // namespace rnnc::files
