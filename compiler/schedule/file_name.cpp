#include "compiler/schedule/file_name.hpp"

#include <cstdint>
#include <cstdio>

namespace rnnc::compiler {

std::string file_name_of(std::string_view text) {
  constexpr std::uint64_t kOffset = 0xcbf29ce484222325u, kPrime = 0x100000001b3u;  // FNV-1a
  std::uint64_t value = kOffset;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * kPrime;
  char name[17];
  std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(value));
  return name;
}

}  // namespace rnnc::compiler
