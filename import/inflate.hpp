// Deflated bytes become the bytes that they were made of, where rnnc was built with zlib.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace rnnc::files {

/// Tells whether rnnc was built with zlib.
bool can_inflate();

/// Returns exactly `size` bytes; nothing where the stream is damaged, or gives fewer or more. Without zlib it must not
/// be called.
std::optional<std::vector<std::byte>> inflate(std::span<const std::byte> deflated, std::size_t size);

}  // namespace rnnc::files
