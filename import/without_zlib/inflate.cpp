#include "import/inflate.hpp"

namespace rnnc::files {

bool can_inflate() { return false; }

std::optional<std::vector<std::byte>> inflate(std::span<const std::byte>, std::size_t) { return std::nullopt; }

}  // namespace rnnc::files
