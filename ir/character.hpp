// UTF-8 text is read one character at a time: its length in bytes, the columns that it takes on a terminal, its case.
#pragma once

#include <cstddef>
#include <string_view>

namespace rnnc::ir {

/// Returns the number of bytes of the character at the beginning of `text`, or 0 if there is no valid one (RFC 3629: no
/// overlong forms, no surrogates, nothing past U+10FFFF).
std::size_t character_length(std::string_view text);

/// Returns the columns that a valid character takes: 2 for the wide ones of East Asia and for pictures, 0 for marks
/// that combine with the character before them, and -1 for one that must not reach a terminal, since it controls it.
int columns_of(std::string_view character);

/// Tells whether a name may begin with the character.
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// Tells whether two ASCII names differ in the case of letters alone, if at all.
bool equal_but_for_case(std::string_view a, std::string_view b);

}  // namespace rnnc::ir
