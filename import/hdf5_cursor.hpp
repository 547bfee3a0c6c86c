// A cursor reads numbers and texts of a part of an HDF5 file, and refuses to leave it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace rnnc::files {

class Hdf5Cursor {
 public:
  Hdf5Cursor(std::span<const std::byte> content, std::string_view file) : content_(content), file_(file) {}

  /// Returns a cursor over `bytes` bytes at an address of the file, or over all that follow it.
  Hdf5Cursor at(std::uint64_t address, std::uint64_t bytes) const;
  Hdf5Cursor at(std::uint64_t address) const;

  std::uint64_t number(std::size_t bytes);  // little-endian, of 1 to 8 bytes
  std::uint64_t address() { return number(8); }
  void skip(std::uint64_t bytes) { take(bytes); }
  void align(std::size_t bytes) { skip((bytes - at_ % bytes) % bytes); }  // from where the cursor began
  std::span<const std::byte> take(std::uint64_t bytes);
  std::string text(std::uint64_t bytes);  // up to its first NUL

  /// Returns what stands before a NUL, which must be within so many bytes.
  std::string text_within(std::uint64_t bytes);

  /// Takes a signature, which must be there.
  void expect(std::string_view signature, const char* what);

  std::uint64_t left() const { return part_.size() - at_; }
  std::span<const std::byte> whole() const { return content_; }
  std::string_view file() const { return file_; }
  [[noreturn]] void damaged(const char* what) const;
  [[noreturn]] void unknown(const std::string& what) const;

 private:
  std::span<const std::byte> content_;
  std::string_view file_;
  std::span<const std::byte> part_ = content_;
  std::size_t at_ = 0;
};

}  // namespace rnnc::files
