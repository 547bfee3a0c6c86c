// This part of the parser reads types and dims.
#include <charconv>

#include "ir/parser.hpp"
#include "ir/syntax.hpp"

namespace rnnc::ir {

// Reads `seq` or `seq<S>` before the type of a network's input.
std::string Parser::parse_axis() {
  if (!in_network() || !accept_word("seq")) return "";
  if (!accept("<")) return std::string(kTime);
  std::string axis = expect_name("the name of a time");
  expect(">", "after the name of a time");
  return axis;
}

Type Parser::parse_type() {
  if (!at("f32")) {
    fail(ErrorCode::Syntax, token_.location, "expected the type f32 or f32[...], not " + token_text());
  }
  advance();
  Type type;
  if (!accept("[")) return type;
  do {
    type.dims.push_back(parse_dim());
    if (type.rank() > 2) fail(ErrorCode::Syntax, token_.location, "a type has at most two dims");
  } while (accept(","));
  expect("]", "after the dims of a type");
  return type;
}

Dim Parser::bounded(Dim dim, Location location) const {
  if (dim.size() > kMaxDimSize) fail(ErrorCode::Limit, location, "a dim is a sum of too many terms");
  return dim;
}

Dim Parser::parse_dim() {
  const Location location = token_.location;
  Dim dim;
  bool minus = accept("-");
  for (;;) {
    const Dim term = parse_dim_product();
    dim = bounded(minus ? dim - term : dim + term, location);
    minus = at("-");
    if (!accept("+") && !accept("-")) return dim;
  }
}

Dim Parser::parse_dim_product() {
  const Location location = token_.location;
  Dim dim = parse_dim_factor();
  while (accept("*")) dim = bounded(dim * parse_dim_factor(), location);
  return dim;
}

Dim Parser::parse_dim_factor() {
  if (at("(")) {
    const Nesting nesting(*this);
    advance();
    const Dim dim = parse_dim();
    expect(")", "after a dim");
    return dim;
  }
  if (at_name()) return parse_dim_name();
  if (token_.kind != Token::Kind::Number) {
    fail(ErrorCode::Syntax, token_.location, "expected a dim, not " + token_text());
  }
  std::int64_t value = 0;
  const char* end = token_.text.data() + token_.text.size();
  const auto [stop, error] = std::from_chars(token_.text.data(), end, value);
  if (error != std::errc::result_out_of_range && stop != end)
    fail(ErrorCode::Syntax, token_.location, "a dim must be an integer, not " + token_text());
  // Dims are computed up to this number (ir/dim.hpp), far past what a type may have.
  if (error == std::errc::result_out_of_range || value > std::int64_t{1} << 62)
    fail(ErrorCode::Limit, token_.location, token_text() + " is too large for a dim, which may be at most 16777216");
  advance();
  return value;
}

Dim Parser::parse_dim_name() {
  std::string name(token_.text);
  if (dims_.count(name) == 0) {
    const std::string hint = did_you_mean(name, graph_.dims);
    fail(ErrorCode::Name, token_.location,
         "unknown dim " + quote(name) +
             (hint.empty() ? "; declare it in the head, as in " + std::string(graph_.kind_name()) + " " + graph_.name +
                                 "<" + name + ">"
                           : hint));
  }
  advance();
  return Dim::symbol(std::move(name));
}

}  // namespace rnnc::ir
