// The lexer turns bytes into tokens, one at a time. White space and `//` comments separate tokens and have no other
// meaning; text is UTF-8, and only comments may hold characters beyond ASCII.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <rnnc/result.hpp>
#include "ir/cell.hpp"

namespace rnnc::ir {

struct Token {
  enum class Kind : std::uint8_t {
    End,
    Name,       // also reserved words
    Temporary,  // %7
    Number,     // 12, 0.5, 1e-6
    Symbol,     // any of the characters that have a meaning by themselves
  };
  Kind kind = Kind::End;
  std::string_view text;
  Location location;
};

class Lexer {
 public:
  explicit Lexer(const SourceText& source);  // must outlive the lexer and its tokens

  /// Returns the next token; at the end of the text it returns End again and again.
  Result<Token> next();

 private:
  Result<void> skip_space();
  Result<void> skip_comment();
  Result<Token> number();
  Token take(Token::Kind kind, std::size_t length);
  char peek(std::size_t ahead = 0) const;
  Location location() const;
  Error error(std::string message) const;

  const SourceText* source_;
  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t line_begin_ = 0;
  int line_ = 1;
};

/// Quotes a piece of text for a message: 'Wi', cut short if it is long.
std::string quote(std::string_view text);

}  // namespace rnnc::ir
