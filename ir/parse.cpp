// This part of the parser reads files, cells and statements.
#include "ir/parse.hpp"

#include "ir/parser.hpp"
#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc::ir {

static constexpr std::size_t kMostBytes = std::size_t{16} << 20;
static constexpr int kDeepestNesting = 256;

Result<Module> parse(std::string_view text, std::string_view file) {
  if (text.size() > kMostBytes) {
    return Error{ErrorCode::Limit, {std::string(file), 0, 0}, "more than 16 MiB of text"};
  }
  try {
    return Parser(std::make_shared<const SourceText>(std::string(file), std::string(text))).parse_module();
  } catch (ParseFailure& failure) {
    return std::move(failure.error);
  }
}

Parser::Parser(std::shared_ptr<const SourceText> source)
    : module_{std::move(source), {}, {}}, lexer_(*module_.source) {}

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (parser.depth_ >= kDeepestNesting) {
    parser.fail(ErrorCode::Limit, parser.token_.location, "nested deeper than 256 levels; name a part of it");
  }
  ++parser.depth_;
}

void Parser::fail(ErrorCode code, Location location, std::string message, std::vector<Note> notes) const {
  throw ParseFailure{{code, place(location), std::move(message), std::move(notes)}};
}

bool Parser::at(std::string_view text) const {
  if (token_.text != text) return false;
  return token_.kind == Token::Kind::Symbol || (token_.kind == Token::Kind::Name && is_reserved(text));
}

bool Parser::at_name() const {
  if (token_.kind != Token::Kind::Name || is_reserved(token_.text)) return false;
  return !in_network() || !is_network_word(token_.text);
}

bool Parser::at_word(std::string_view word) const { return token_.kind == Token::Kind::Name && token_.text == word; }

bool Parser::accept_word(std::string_view word) {
  if (!at_word(word)) return false;
  advance();
  return true;
}

Token Parser::peek() const {
  Lexer ahead = lexer_;
  const Result<Token> token = ahead.next();
  return token ? *token : Token{};
}

void Parser::advance() {
  const Result<Token> token = lexer_.next();
  if (!token) throw ParseFailure{token.error()};
  token_ = *token;
}

bool Parser::accept(std::string_view text) {
  if (!at(text)) return false;
  advance();
  return true;
}

void Parser::expect(std::string_view text, std::string_view where) {
  if (accept(text)) return;
  fail(ErrorCode::Syntax, token_.location,
       "expected " + quote(text) + " " + std::string(where) + ", not " + token_text());
}

std::string Parser::expect_name(std::string_view what) {
  if (!at_name()) {
    const bool reserved = token_.kind == Token::Kind::Name;
    fail(ErrorCode::Syntax, token_.location,
         "expected " + std::string(what) + ", not " + token_text() + (reserved ? ", a reserved word" : ""));
  }
  std::string name(token_.text);
  advance();
  return name;
}

std::string Parser::token_text() const {
  return token_.kind == Token::Kind::End ? "the end of the text" : quote(token_.text);
}

Module Parser::parse_module() {
  parse_cells();
  parse_networks();
  if (module_.cells.empty() && module_.networks.empty()) {
    fail(ErrorCode::Syntax, {}, "there is no cell in the text; one begins with cell name<I, H> {");
  }
  return std::move(module_);
}

void Parser::parse_cells() {
  advance();
  while (token_.kind != Token::Kind::End) {
    if (at("network")) {
      skip_network();
      continue;
    }
    expect("cell", "here, as in cell name<I, H> { ... }");
    graph_ = {};
    parse_graph();
    module_.cells.emplace_back(std::move(graph_));
  }
}

void Parser::parse_graph() {
  const std::string kind(graph_.kind_name());
  dims_.clear();
  scope_.clear();
  graph_.source = module_.source;
  graph_.location = token_.location;
  graph_.name = expect_name("the name of the " + kind);
  if (accept("<")) parse_dim_names();
  expect("{", "before the statements of the " + kind);
  while (!accept("}")) parse_statement();
  if (Result<void> verified = verify(graph_); !verified) throw ParseFailure{verified.error()};
  const auto [first, added] = names_.try_emplace(graph_.name, graph_.location);
  if (added) return;
  fail(ErrorCode::Name, graph_.location, kind + " " + graph_.name + " is defined already",
       {{place(first->second), graph_.name + " defined here"}});
}

void Parser::parse_dim_names() {
  do {
    const Location location = token_.location;
    std::string name = expect_name("the name of a dim");
    if (at("=")) {
      fail(ErrorCode::Syntax, token_.location,
           "a dim of a " + std::string(graph_.kind_name()) + " has no value here; write <" + name +
               "> and bind it where the " + std::string(graph_.kind_name()) + " is used");
    }
    if (!dims_.insert(name).second) fail(ErrorCode::Name, location, "dim " + name + " is declared already");
    graph_.dims.push_back(std::move(name));
  } while (accept(","));
  expect(">", "after the dims of the " + std::string(graph_.kind_name()));
}

void Parser::parse_statement() {
  if (accept("input")) return parse_declaration(Op::Input);
  if (at("state") && in_network()) {
    fail(ErrorCode::InvalidModel, token_.location,
         "a network has no states of its own, but the cells that it scans have");
  }
  if (accept("state")) return parse_declaration(Op::State);
  if (accept("param")) return parse_declaration(Op::Param);
  if (at("output")) return parse_output();
  if (at_name() || token_.kind == Token::Kind::Temporary) return parse_definition();
  if (at(">") || at("<")) {
    fail(ErrorCode::Syntax, token_.location, "a comparison stands in select(a > b, x, y) only");
  }
  fail(ErrorCode::Syntax, token_.location, "expected a statement or '}', not " + token_text());
}

void Parser::parse_declaration(Op op) {
  std::vector<std::pair<std::string, Location>> names;
  do {
    const Location location = token_.location;
    names.emplace_back(expect_name("a name to declare"), location);
  } while (accept(","));
  expect(":", "and a type, as in x : f32[I]");
  const std::string axis = op == Op::Input ? parse_axis() : "";
  Type type = parse_type();
  type.axis = axis;
  if (at("=")) fail_initial_value(op, names.front().first);
  for (const auto& [name, location] : names)
    bind(name, add({.op = op, .name = name, .type = type}, location), location);
}

void Parser::fail_initial_value(Op op, const std::string& name) const {
  fail(ErrorCode::Syntax, token_.location,
       op == Op::State ? "a state begins at 0; a network gives it another beginning, as in y = " + graph_.name +
                             "(x) from (" + name + " = v)"
                       : "a declaration has no value; the caller gives " + name);
}

void Parser::bind(const std::string& name, Value value, Location location) {
  const auto [first, added] = scope_.try_emplace(name, Binding{value, location});
  if (added) return;
  const bool state = graph_[first->second.value].op == Op::State && graph_[first->second.value].name == name;
  fail(ErrorCode::Name, location,
       state ? name + " is a state; its next value is " + name + "' = ..." : name + " is defined already",
       {{place(first->second.location), name + (state ? " declared here" : " defined here")}});
}

void Parser::parse_definition() {
  const Location location = token_.location;
  const bool temporary = token_.kind == Token::Kind::Temporary;
  const std::string name(token_.text);
  advance();
  const bool next = !temporary && accept("'");
  if (next && in_network()) {
    fail(ErrorCode::InvalidModel, location, "a network has no states, so there is no " + name + "'");
  }
  // Two values side by side, as in h' = W x, end a statement, and the second one begins another.
  if (!at("=") && !graph_.statements.empty() && graph_.statements.back().location.line == location.line) {
    fail(ErrorCode::Syntax, token_.location,
         "expected '=' after " + name + ", not " + token_text() +
             "; a product has its sign: W @ x with a matrix, a * b without one");
  }
  expect("=", "after " + name + (next ? "'" : ""));
  if (next) {
    const auto found = scope_.find(name);
    if (found == scope_.end() || graph_[found->second.value].op != Op::State) {
      fail(ErrorCode::Name, location,
           name + " is not a state, so it has no next value; declare it above with state " + name + " : ...");
    }
  }
  const bool scan = !temporary && !next && in_network() && at_scan();
  const Value value = scan ? parse_scan(name, location) : parse_expression();
  bind(next ? name + "'" : name, value, location);
  if (!temporary)
    graph_.statements.push_back({next ? Statement::Kind::Next : Statement::Kind::Let, name, value, location});
}

// An output of a network may have a name, as in output energy = sum(a). The verifier says which outputs need one.
void Parser::parse_output() {
  const Location location = token_.location;
  advance();
  std::string name;
  if (const Token next = peek(); at_name() && next.kind == Token::Kind::Symbol && next.text == "=") {
    name = expect_name("the name of an output");
    advance();
  }
  if (at("=")) {
    const Location location_of_sign = token_.location;
    advance();
    const std::string_view behind = at_name() ? peek().text : "";
    const std::string value = at_name() ? std::string(token_.text) + (behind == "'" ? "'" : "") : "";
    fail(ErrorCode::Syntax, location_of_sign,
         "unexpected '='; the value follows directly: output " + value +
             (value.empty() || behind == "(" ? "(...)" : ""));
  }
  graph_.statements.push_back({Statement::Kind::Output, std::move(name), parse_expression(), location});
}

}  // namespace rnnc::ir
