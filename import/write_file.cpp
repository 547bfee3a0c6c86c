// Every system call that can report a full disk is checked, also close: some file systems report it only there.
#include "import/write_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <utility>

#include "import/file_error.hpp"

namespace rnnc::files {
namespace {

constexpr int kNameTries = 100;
constexpr std::string_view kHex = "0123456789abcdef";

/// An open descriptor, and the name of the file, which is removed unless the file is kept.
class Output {
 public:
  Output(int descriptor, std::string temporary) : descriptor_(descriptor), temporary_(std::move(temporary)) {}
  ~Output() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  int descriptor() const { return descriptor_; }
  bool close() { return ::close(std::exchange(descriptor_, -1)) == 0; }
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

/// Returns the descriptor behind /dev/stdout and similar paths. Opening such a path again would write a redirected file
/// from its beginning, and replacing it would separate it from the program that redirected it.
std::optional<int> inherited_descriptor(std::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    const std::string_view digits = path.substr(folder.size());
    int number = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc{} && end == digits.data() + digits.size()) return number;
  }
  return std::nullopt;
}

Result<void> write_directly(int descriptor, const std::string& path, const std::vector<Bytes>& pieces) {
  if (descriptor < 0) return system_error(path, "cannot open it to write", errno);
  Output output(descriptor, "");
  if (!write_all(output.descriptor(), pieces) || !output.close()) return system_error(path, "cannot write it", errno);
  return {};
}

/// Makes an empty file of a new name in `folder`; the umask gives its permissions. Returns -1 with errno on failure.
std::pair<int, std::string> create_temporary(const std::string& folder) {
  std::random_device random;
  for (int i = 0; i < kNameTries; ++i) {
    std::string name = folder + "/.rnnc-";
    for (int digit = 0; digit < 12; ++digit) name += kHex[random() % kHex.size()];
    const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return {descriptor, std::move(name)};
  }
  return {-1, ""};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Replaces a file. `old` is the status of the file that is there already, or nullptr.
Result<void> replace(const std::string& path, const std::string& target, const struct stat* old,
                     const std::vector<Bytes>& pieces) {
  auto [descriptor, temporary] = create_temporary(folder_of(target));
  if (descriptor < 0) return system_error(path, "cannot create a file in " + in_quotes(folder_of(target)), errno);
  Output output(descriptor, std::move(temporary));
  if (old != nullptr && ::fchmod(descriptor, old->st_mode & 07777) != 0) {
    return system_error(path, "cannot set its permissions", errno);
  }
  // A file system without fsync reports EINVAL.
  const bool written = write_all(descriptor, pieces) && (::fsync(descriptor) == 0 || errno == EINVAL);
  if (!written || !output.close()) return system_error(path, "cannot write it", errno);
  if (!output.rename_to(target)) return system_error(path, "cannot rename the new file to it", errno);
  return {};
}

}  // namespace

Result<void> write_file(const std::string& path, const std::vector<Bytes>& pieces) {
  if (const auto number = inherited_descriptor(path)) return write_directly(::dup(*number), path, pieces);
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return system_error(path, "cannot write it", errno);
    return replace(path, path, nullptr, pieces);
  }
  if (S_ISDIR(status.st_mode)) {
    return file_error(ErrorCode::File, path, "cannot write it: it is a folder; name a file in it");
  }
  if (!S_ISREG(status.st_mode)) {
    return write_directly(::open(path.c_str(), O_WRONLY | O_CLOEXEC), path, pieces);
  }
  if (::access(path.c_str(), W_OK) != 0) return system_error(path, "cannot write it", errno);
  // A symbolic link stays: the file that it names is replaced.
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  if (!real) return system_error(path, "cannot write it", errno);
  return replace(path, real.get(), &status, pieces);
}

}  // namespace rnnc::files
