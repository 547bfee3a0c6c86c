// A file becomes bytes, within a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::files {

/// A file or pipe that is open for reading.
class OpenFile {
 public:
  /// Opens a file. Errors: File if it cannot be read; Limit if it has more than `max_bytes`.
  static Result<OpenFile> open(const std::string& path, std::uint64_t max_bytes);

  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile();

  int descriptor() const { return descriptor_; }
  std::uint64_t size() const { return size_; }  // as the file system states it; 0 for a pipe

  /// Reads all of it. Errors: as of read_file.
  Result<std::vector<std::byte>> read(const std::string& path, std::uint64_t max_bytes) const;

 private:
  OpenFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}

  int descriptor_;
  std::uint64_t size_;
};

/// Reads a whole file. Errors: File if it cannot be read; Limit if it has more than `max_bytes`, or more than fit in
/// memory.
Result<std::vector<std::byte>> read_file(const std::string& path, std::uint64_t max_bytes);

}  // namespace rnnc::files
