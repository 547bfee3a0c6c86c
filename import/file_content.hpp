// A FileContent has the bytes of a file. A regular file is mapped, and a reader gives back the parts that it has
// copied, so that a large model is in memory once and not twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::files {

class FileContent {
 public:
  /// Opens a file and maps it; a pipe is read into memory. Errors: as of read_file. If a program cuts the file short
  /// meanwhile, this one gets SIGBUS.
  static Result<FileContent> open(const std::string& path, std::uint64_t max_bytes);

  /// Takes bytes of the caller's, which must outlive the object.
  explicit FileContent(std::span<const std::byte> bytes) : bytes_(bytes) {}

  FileContent(FileContent&& other) noexcept;
  FileContent& operator=(FileContent&&) = delete;
  ~FileContent();

  std::span<const std::byte> bytes() const { return bytes_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  /// Gives the memory of a part back. Its bytes do not change: the system reads them from the file again if they are
  /// used.
  void release(std::span<const std::byte> part) const noexcept;

 private:
  std::span<const std::byte> bytes_;
  std::vector<std::byte> read_;
  bool mapped_ = false;
};

}  // namespace rnnc::files
