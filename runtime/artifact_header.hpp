// The header of an artifact says that the file is one, which version of rnnc made it, and how to check that the content
// is whole.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::runtime {

inline constexpr std::size_t kArtifactHeaderBytes = 48;

/// Writes the header of the content in `bytes` into the first kArtifactHeaderBytes bytes, which are reserved for it.
void put_header(std::vector<std::byte>& bytes);

/// Checks a header and the content behind it. Errors: InvalidData if `content` is no artifact or is damaged;
/// Unsupported if another version of rnnc made it. `file` is the name in messages.
Result<void> check_header(std::span<const std::byte> content, std::string_view file);

}  // namespace rnnc::runtime
