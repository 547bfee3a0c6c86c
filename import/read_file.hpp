// A whole file as bytes, within a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::files {

/// Errors: File where it cannot be read; Limit where it has more than `max_bytes`, or more than fit in memory.
Result<std::vector<std::byte>> read_file(const std::string& path, std::uint64_t max_bytes);

}  // namespace rnnc::files
