#include "import/file_content.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "import/file_error.hpp"
#include "import/read_file.hpp"

namespace rnnc::files {

Result<FileContent> FileContent::open(const std::string& path, std::uint64_t max_bytes) {
  const Result<OpenFile> file = OpenFile::open(path, max_bytes);
  if (!file) return file.error();
  FileContent content{std::span<const std::byte>()};
  if (file->size() > 0) {
    void* at = ::mmap(nullptr, file->size(), PROT_READ, MAP_PRIVATE, file->descriptor(), 0);
    if (at != MAP_FAILED) {
      content.bytes_ = {static_cast<const std::byte*>(at), file->size()};
      content.mapped_ = true;
      return content;
    }
  }
  // The file is a pipe, or it belongs to a file system that cannot map files.
  Result<std::vector<std::byte>> read = file->read(path, max_bytes);
  if (!read) return read.error();
  content.read_ = std::move(*read);
  content.bytes_ = content.read_;
  return content;
}

FileContent::FileContent(FileContent&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})),
      read_(std::move(other.read_)),
      mapped_(std::exchange(other.mapped_, false)) {}

FileContent::~FileContent() {
  if (mapped_) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void FileContent::release(std::span<const std::byte> part) const noexcept {
  // A part that lies elsewhere, as a tensor that a reader made itself, would be zeros after this.
  const auto first = reinterpret_cast<std::uintptr_t>(bytes_.data());
  const auto at = reinterpret_cast<std::uintptr_t>(part.data());
  const bool is_inside = at >= first && at - first <= bytes_.size() && part.size() <= bytes_.size() - (at - first);
  if (!mapped_ || part.empty() || !is_inside) return;
  // Only whole pages are given back: the neighbours of the part may still need a page that they share with it, and
  // reading the page again costs time.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto offset = static_cast<std::size_t>(part.data() - bytes_.data());
  const std::size_t begin = (offset + page - 1) / page * page, end = (offset + part.size()) / page * page;
  if (begin < end) ::madvise(const_cast<std::byte*>(bytes_.data()) + begin, end - begin, MADV_DONTNEED);
}

}  // namespace rnnc::files
