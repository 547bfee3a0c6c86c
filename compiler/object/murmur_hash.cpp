#include "compiler/object/murmur_hash.hpp"

#include <bit>
#include <cstring>

namespace rnnc::compiler {
namespace {

std::uint32_t mixed(std::uint32_t word) { return std::rotl(word * 0xcc9e2d51u, 15) * 0x1b873593u; }

}  // namespace

std::uint32_t murmur_hash(std::span<const std::byte> bytes) {
  std::uint32_t hash = 0;
  for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + i, 4);
    hash = std::rotl(hash ^ mixed(word), 13) * 5 + 0xe6546b64u;
  }
  hash ^= static_cast<std::uint32_t>(bytes.size());
  hash = (hash ^ hash >> 16) * 0x85ebca6bu;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
  return hash ^ hash >> 16;
}

}  // namespace rnnc::compiler
