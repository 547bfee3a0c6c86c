// Bytes become a number of 32 bits. It tells files of different models apart, and is no protection against an attacker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rnnc::compiler {

/// Computes MurmurHash3 of 32 bits with the seed 0. The number of bytes is a multiple of 4.
std::uint32_t murmur_hash(std::span<const std::byte> bytes);

}  // namespace rnnc::compiler
