// The lexer turns bytes into tokens.
#include "ir/lexer.hpp"

#include <array>

#include "ir/character.hpp"
#include "ir/hints.hpp"

namespace rnnc::ir {

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static std::string hexadecimal(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

std::string quote(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  if (text.size() <= kLongest) return "'" + std::string(text) + "'";
  return "'" + std::string(text.substr(0, kLongest)) + "...'";
}

Lexer::Lexer(const SourceText& source) : source_(&source), text_(source.text) {
  if (text_.starts_with("\xef\xbb\xbf")) position_ = line_begin_ = 3;  // the byte order mark that some editors write
}

char Lexer::peek(std::size_t ahead) const { return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0'; }

Location Lexer::location() const { return {line_, static_cast<int>(position_ - line_begin_) + 1}; }

Error Lexer::error(std::string message) const {
  return {ErrorCode::Syntax, source_->place(location()), std::move(message)};
}

Token Lexer::take(Token::Kind kind, std::size_t length) {
  const Token token{kind, text_.substr(position_, length), location()};
  position_ += length;
  return token;
}

Result<void> Lexer::skip_comment() {
  while (position_ < text_.size() && peek() != '\n') {
    const std::size_t length = character_length(text_.substr(position_));
    if (length == 0) return error("invalid UTF-8 in a comment: byte " + hexadecimal(peek()));
    if (peek() == '\0') return error("a NUL byte in a comment");
    position_ += length;
  }
  return {};
}

Result<void> Lexer::skip_space() {
  for (; position_ < text_.size(); ++position_) {
    while (peek() == '/' && peek(1) == '/') {
      if (Result<void> comment = skip_comment(); !comment) return comment;
    }
    if (position_ == text_.size()) break;
    const char c = peek();
    if (c == '\n') {
      ++line_;
      line_begin_ = position_ + 1;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      break;
    }
  }
  return {};
}

Result<Token> Lexer::number() {
  std::size_t length = 0;
  const auto digits = [&] {
    const std::size_t begin = length;
    while (is_digit(peek(length))) ++length;
    return length > begin;
  };
  digits();
  if (peek(length) == '.') {
    ++length;
    if (!digits()) return error("a number needs a digit after its point, as in 0.5");
  }
  if (peek(length) == 'e' || peek(length) == 'E') {
    ++length;
    if (peek(length) == '+' || peek(length) == '-') ++length;
    if (!digits()) return error("a number needs digits in its exponent, as in 1e-6");
  }
  if (is_letter(peek(length)) || peek(length) == '.') {
    return error("a number cannot run into " + quote(text_.substr(position_ + length, 1)));
  }
  return take(Token::Kind::Number, length);
}

Result<Token> Lexer::next() {
  if (Result<void> space = skip_space(); !space) return space.error();
  if (position_ == text_.size()) return take(Token::Kind::End, 0);
  const char c = peek();
  if (is_digit(c)) return number();
  if (is_letter(c)) {
    std::size_t length = 1;
    while (is_letter(peek(length)) || is_digit(peek(length))) ++length;
    return take(Token::Kind::Name, length);
  }
  if (c == '%') {
    std::size_t length = 1;
    while (is_digit(peek(length))) ++length;
    if (length == 1) return error("% stands before a number only, as in %7, the name of an unnamed value");
    return take(Token::Kind::Temporary, length);
  }
  if (c == '.' && is_digit(peek(1))) return error("a number needs a digit before its point, as in 0.5");
  constexpr std::string_view kSymbols = "{}()[]<>:,.='@*/+-";
  if (c != '\0' && kSymbols.find(c) != std::string_view::npos) return take(Token::Kind::Symbol, 1);
  const std::size_t length = character_length(text_.substr(position_));
  if (length == 0) return error("invalid UTF-8: byte " + hexadecimal(c));
  if (length > 1) {
    return error("unexpected " + quote(text_.substr(position_, length)) + "; outside comments text is ASCII");
  }
  if (c < ' ' || c == '\x7f') return error("unexpected byte " + hexadecimal(c));
  return error("unexpected " + quote(text_.substr(position_, 1)) + hint_for_character(c));
}

}  // namespace rnnc::ir
