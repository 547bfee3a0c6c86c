// An object file tells how much memory its code takes, which programs for microcontrollers have to know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rnnc::compiler {

struct ObjectSizes {
  std::int64_t read_only_bytes = 0;  // code and constants
  std::int64_t stack_bytes = 0;      // of all functions together, which call each other; 0 where the file does not tell
};

/// Reads the sections of an ELF file that the compiler made itself, so that it has no errors.
ObjectSizes sizes_of(std::span<const std::byte> object);

}  // namespace rnnc::compiler
