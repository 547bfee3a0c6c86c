// A zip file becomes the list of its entries, and an entry its bytes. Entries are those of the directory at the end of
// the file; they are stored or deflated. What is encrypted, in several parts or larger than 4 GiB is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/tensor_files.hpp>

namespace rnnc::files {

struct ZipEntry {
  std::string name;
  std::span<const std::byte> packed;  // in the file
  std::uint64_t size = 0;             // unpacked; at most what deflate can make of `packed`
  std::uint32_t checksum = 0;         // CRC-32 of what is unpacked
  bool deflated = false;
};

/// Lists the entries. Throws Refusal: InvalidData, also for two entries of one name; Limit where they are larger in all
/// than a file may be; Unsupported.
std::vector<ZipEntry> list_zip(std::span<const std::byte> content, std::string_view file, const FileLimits& limits);

/// Returns the bytes of an entry. Throws Refusal: InvalidData for damage; Unsupported for a deflated entry without
/// zlib.
std::vector<std::byte> unpack(const ZipEntry& entry, std::string_view file);

}  // namespace rnnc::files
