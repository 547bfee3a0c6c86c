// This file knows UTF-8 and the widths of characters.
#include "ir/character.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace rnnc::ir {

std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto in = [](unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return text.empty() ? 0 : 1;
  if (in(lead, 0xc2, 0xdf)) return in(byte(1), 0x80, 0xbf) ? 2 : 0;
  const bool third = in(byte(2), 0x80, 0xbf);
  if (in(lead, 0xe0, 0xef)) {
    return third && in(byte(1), lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf) ? 3 : 0;
  }
  if (in(lead, 0xf0, 0xf4)) {
    const bool second = in(byte(1), lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf);
    return second && third && in(byte(3), 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

namespace {

struct Characters {
  char32_t first, last;
  int columns;
};

// The widths are those of Markus Kuhn's wcwidth.c, with the blocks of pictures added and rare scripts left out. The
// characters that change the direction of text can make a line read as what it is not, so they count as controls.
constexpr std::array kUnusual = {
    Characters{0x0000, 0x001f, -1},  Characters{0x007f, 0x009f, -1},  Characters{0x0300, 0x036f, 0},
    Characters{0x1100, 0x115f, 2},   Characters{0x200b, 0x200f, -1},  Characters{0x2028, 0x202e, -1},
    Characters{0x2060, 0x206f, -1},  Characters{0x20d0, 0x20ff, 0},   Characters{0x2e80, 0x303e, 2},
    Characters{0x3041, 0xa4cf, 2},   Characters{0xac00, 0xd7a3, 2},   Characters{0xf900, 0xfaff, 2},
    Characters{0xfe00, 0xfe0f, 0},   Characters{0xfe20, 0xfe2f, 0},   Characters{0xfe30, 0xfe6f, 2},
    Characters{0xfeff, 0xfeff, -1},  Characters{0xff00, 0xff60, 2},   Characters{0xffe0, 0xffe6, 2},
    Characters{0x1f300, 0x1f64f, 2}, Characters{0x1f900, 0x1f9ff, 2}, Characters{0x20000, 0x3fffd, 2},
    Characters{0xe0000, 0xe007f, -1}};

char32_t code_point(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead;
  char32_t code = lead & (0xffU >> (character.size() + 1));
  for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return code;
}

}  // namespace

int columns_of(std::string_view character) {
  const char32_t code = code_point(character);
  const auto* found = std::ranges::find_if(
      kUnusual, [code](const Characters& range) { return code >= range.first && code <= range.last; });
  return found == kUnusual.end() ? 1 : found->columns;
}

bool equal_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](unsigned char c) { return std::tolower(c); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace rnnc::ir
