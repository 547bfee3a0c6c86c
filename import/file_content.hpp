// The bytes of a file. A regular file is mapped: what a reader has copied out it gives back, so that a large model is
// in memory once and not twice.
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
  /// A pipe is read into memory. Errors: as of read_file. A program that cuts the file short meanwhile stops this one
  /// by SIGBUS.
  static Result<FileContent> open(const std::string& path, std::uint64_t max_bytes);

  /// Bytes of the caller's, which must outlive the object.
  explicit FileContent(std::span<const std::byte> bytes) : bytes_(bytes) {}

  FileContent(FileContent&& other) noexcept;
  FileContent& operator=(FileContent&&) = delete;
  ~FileContent();

  std::span<const std::byte> bytes() const { return bytes_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  /// Gives the memory of a part back. Its bytes stay what they are: they are read from the file again where they are
  /// asked for.
  void release(std::span<const std::byte> part) const noexcept;

 private:
  std::span<const std::byte> bytes_;
  std::vector<std::byte> read_;
  bool mapped_ = false;
};

}  // namespace rnnc::files
