// The size of a file is known before memory is allocated for it, except for a pipe, which is read piece by piece up to
// the limit.
#include "import/read_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "import/file_error.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kPipeChunkBytes = std::size_t{1} << 20;

Error too_big(const std::string& path, const std::string& size, std::uint64_t max_bytes) {
  return file_error(ErrorCode::Limit, path,
                    "the file has " + size + " bytes, more than the limit of " + std::to_string(max_bytes) +
                        "; raise the limit or split the file");
}

/// Reads until `content` is full or the file ends; returns the number of bytes read, or -1 with errno set.
ssize_t read_some(int descriptor, std::byte* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(descriptor, to + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

/// `expected` is the size that the file system states, 0 for a pipe. A file may grow while it is read, so the end that
/// is found counts.
Result<std::vector<std::byte>> read_open(int descriptor, const std::string& path, std::size_t expected,
                                         std::uint64_t max_bytes) {
  std::vector<std::byte> content;
  std::size_t done = 0;
  while (true) {
    // One byte more than expected is asked for, so that the end shows without a second allocation.
    const std::size_t chunk = done == 0 && expected > 0 ? expected + 1 : std::max(kPipeChunkBytes, done / 2);
    content.resize(done + chunk);
    const ssize_t got = read_some(descriptor, content.data() + done, chunk);
    if (got < 0) return system_error(path, "cannot read it", errno);
    done += static_cast<std::size_t>(got);
    if (done > max_bytes) return too_big(path, "at least " + std::to_string(done), max_bytes);
    if (static_cast<std::size_t>(got) < chunk) break;
  }
  content.resize(done);
  return content;
}

}  // namespace

OpenFile::OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<OpenFile> OpenFile::open(const std::string& path, std::uint64_t max_bytes) {
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC), 0);
  if (file.descriptor_ < 0) return system_error(path, "cannot open it", errno);
  struct stat status;
  if (::fstat(file.descriptor_, &status) != 0) return system_error(path, "cannot read it", errno);
  if (S_ISDIR(status.st_mode)) {
    return file_error(ErrorCode::File, path, "cannot read it: it is a folder; name a file in it");
  }
  if (S_ISREG(status.st_mode)) file.size_ = static_cast<std::uint64_t>(status.st_size);
  if (file.size_ > max_bytes) return too_big(path, std::to_string(file.size_), max_bytes);
  return file;
}

Result<std::vector<std::byte>> OpenFile::read(const std::string& path, std::uint64_t max_bytes) const try {
  return read_open(descriptor_, path, size_, max_bytes);
} catch (const std::bad_alloc&) {
  return out_of_memory(path);
}

Result<std::vector<std::byte>> read_file(const std::string& path, std::uint64_t max_bytes) {
  const Result<OpenFile> file = OpenFile::open(path, max_bytes);
  if (!file) return file.error();
  return file->read(path, max_bytes);
}

}  // namespace rnnc::files
