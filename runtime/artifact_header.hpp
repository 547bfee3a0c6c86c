// The header of an artifact: what it is, which version of rnnc made it, and whether what follows is whole.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::runtime {

inline constexpr std::size_t kArtifactHeaderBytes = 48;

/// Writes the header of what follows it in `bytes` into the room that is kept for it.
void put_header(std::vector<std::byte>& bytes);

/// Errors: InvalidData where `content` is no artifact or is damaged; Unsupported where another version of rnnc made it.
/// `file` is its name in messages.
Result<void> check_header(std::span<const std::byte> content, std::string_view file);

}  // namespace rnnc::runtime
