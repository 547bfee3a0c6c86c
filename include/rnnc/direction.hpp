// A scan reads time in one of these directions, and merges two directions in one of these ways.
#pragma once

#include <cstdint>

#include <rnnc/export.hpp>

namespace RNNC_API rnnc {

enum class Direction : std::uint8_t { Forward, Reverse, Bidirectional };  // Reverse begins at each sequence's own end
enum class Merge : std::uint8_t { Concat, Sum, Mean, Mul };               // of the two directions, step by step

}  // namespace rnnc
