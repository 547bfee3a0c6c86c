// This file draws the line of an error: a tab becomes spaces, a long line is cut around the column, and a character
// that a terminal cannot or must not show becomes the replacement character.
#include "ir/source_text.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "ir/character.hpp"

namespace rnnc::ir {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view kCut = "...";
constexpr int kTab = 4;
constexpr int kWidest = 96;  // columns of a line that are shown; with its number they fit a terminal of 110

// A character of a line as a terminal shows it.
struct Glyph {
  std::string_view text;
  int begin = 0;  // the column, from 0
  int columns = 0;
};

struct Line {
  std::vector<Glyph> glyphs = {};
  int caret = 0;
  bool goes_on_before = false, goes_on_behind = false;

  int width() const { return glyphs.empty() ? 0 : glyphs.back().begin + glyphs.back().columns; }
};

// Returns the number of bytes before line `line`, or npos if the text has fewer lines.
std::size_t begin_of_line(std::string_view text, int line) {
  std::size_t begin = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return end;
    begin = end + 1;
  }
  return begin;
}

std::string_view line_at(std::string_view text, std::size_t begin) {
  std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Lays out the bytes of a line that are near byte `at`. A byte behind the end stands in the column behind the last one.
Line lay_out(std::string_view line, std::size_t at) {
  constexpr std::size_t kNear = 512;
  constexpr std::string_view kSpaces = "    ";
  static_assert(kSpaces.size() == kTab);
  Line result;
  std::size_t i = at > kNear ? std::min(at - kNear, line.size()) : 0;
  while (i > 0 && i < line.size() && (static_cast<unsigned char>(line[i]) & 0xc0) == 0x80) ++i;
  const std::size_t end = std::min(line.size(), at + kNear);
  result.goes_on_before = i > 0;
  result.goes_on_behind = end < line.size();
  int column = 0;
  for (result.caret = -1; i < end;) {
    const std::size_t length = character_length(line.substr(i));
    const std::string_view character = line.substr(i, std::max<std::size_t>(length, 1));
    const int known = length == 0 ? -1 : columns_of(character);
    Glyph glyph{known < 0 ? kReplacement : character, column, known < 0 ? 1 : known};
    if (character == "\t") {
      glyph.columns = kTab - column % kTab;
      glyph.text = kSpaces.substr(0, static_cast<std::size_t>(glyph.columns));
    }
    if (result.caret < 0 && at < i + character.size()) result.caret = column;
    column += glyph.columns;
    i += character.size();
    result.glyphs.push_back(glyph);
  }
  if (result.caret < 0) result.caret = column;
  return result;
}

// Cuts a line to the columns around its caret that are shown, with marks where it goes on.
std::string cut(Line& line) {
  constexpr int kMark = static_cast<int>(kCut.size());
  const int first = line.caret < kWidest - kMark ? 0 : line.caret - kWidest / 2;
  const bool cut_before = first > 0 || line.goes_on_before;
  const bool cut_behind = line.width() - first > kWidest || line.goes_on_behind;
  const int begin = cut_before ? first + kMark : 0;
  const int end = cut_behind ? first + kWidest - kMark : line.width();
  std::string text(cut_before ? kCut : "");
  int column = begin;
  for (const Glyph& glyph : line.glyphs) {
    if (glyph.begin < begin) continue;
    if (glyph.begin + glyph.columns > end) break;
    text.append(static_cast<std::size_t>(glyph.begin - column), ' ');  // a wide character was cut in two
    text += glyph.text;
    column = glyph.begin + glyph.columns;
  }
  line.caret -= first;
  return cut_behind ? text + std::string(kCut) : text;
}

// Returns "    3 | text", or "      | text" without a number.
std::string with_margin(const std::string& number, std::size_t number_width, const std::string& text) {
  const std::string margin = std::string(number_width - number.size(), ' ') + number + " |";
  const std::size_t end = text.find_last_not_of(' ');
  return end == std::string::npos ? margin : margin + " " + text.substr(0, end + 1);
}

// Returns the last line before byte `begin` that is not blank, with its margin; "" if there is none.
std::string line_above(std::string_view text, std::size_t begin, int number, std::size_t number_width) {
  const std::size_t last = text.substr(0, begin).find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) return "";
  const std::string_view blank = text.substr(last, begin - last);
  number -= static_cast<int>(std::ranges::count(blank, '\n'));
  const std::size_t end = text.rfind('\n', last);
  Line line = lay_out(line_at(text, end == std::string_view::npos ? begin_of_line(text, 1) : end + 1), 0);
  return with_margin(std::to_string(number), number_width, cut(line)) + '\n';
}

}  // namespace

Place SourceText::place(Location at) const { return {file, at.line, at.column, excerpt(at)}; }

std::string SourceText::excerpt(Location at) const {
  if (at.line < 1 || at.column < 1 || text.find('\0') != std::string::npos) return "";
  const std::size_t begin = begin_of_line(text, at.line);
  if (begin == std::string::npos) return "";
  const std::string_view content = line_at(text, begin);
  const std::string number = std::to_string(at.line);
  const std::size_t width = std::max<std::size_t>(5, number.size());
  Line line = lay_out(content, static_cast<std::size_t>(at.column) - 1);
  // A blank line is the end of the text as a rule. The last line that has something tells where that is.
  const bool is_blank = content.find_first_not_of(" \t") == std::string_view::npos;
  const std::string above = is_blank ? line_above(text, begin, at.line, width) : "";
  const std::string shown = with_margin(number, width, cut(line));
  return above + shown + '\n' + with_margin("", width, std::string(static_cast<std::size_t>(line.caret), ' ') + '^');
}

}  // namespace rnnc::ir
