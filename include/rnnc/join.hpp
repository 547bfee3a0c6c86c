// A range becomes the list that a message has of it: "a, b, c". The header is for our own libraries and is not
// installed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

namespace rnnc {

/// `text` gives the text of an item: a member or a function, whose result is text or a whole number.
template <class Range, class Text = std::identity>
std::string join(const Range& items, std::string_view between = ", ", const Text& text = {}) {
  std::string list;
  bool first = true;
  for (const auto& item : items) {
    if (!first) list += between;
    first = false;
    const auto& written = std::invoke(text, item);
    if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(written)>>)
      list += std::to_string(written);
    else
      list += written;
  }
  return list;
}

/// Joins with ", " between.
template <class Range, class Text>
requires(!std::is_convertible_v<Text, std::string_view>) std::string join(const Range& items, const Text& text) {
  return join(items, ", ", text);
}

}  // namespace rnnc
