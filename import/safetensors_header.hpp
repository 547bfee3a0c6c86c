// The JSON header of a safetensors file becomes a list of entries, before any entry is compared with the data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>

namespace rnnc::files {

inline constexpr std::string_view kMetadataName = "__metadata__";

struct HeaderEntry {
  std::string name;
  ElementType type = ElementType::F32;
  Shape shape;
  std::uint64_t begin = 0;  // in bytes from the end of the header
  std::uint64_t end = 0;
};

/// Returns the entries in the order of the header. Every entry has all three fields, and its rank and dims are within
/// the limits; nothing else about it is checked. Errors: InvalidData, Limit.
Result<std::vector<HeaderEntry>> parse_safetensors_header(std::string_view json, std::string_view file,
                                                          const FileLimits& limits);

}  // namespace rnnc::files
