// These tests ask for every message that wrong text can get, word for word.
#include <string>
#include <string_view>

#include <rnnc/model.hpp>
#include "tests/support/wrong_text.hpp"

using namespace rnnc;
using namespace rnnc::test;
using namespace std::string_literals;

TEST_CASE("bytes that are no token are named", "[errors][lexer]") {
  check({
      {"cell \377", "t.rnn:1:6: invalid UTF-8: byte 0xff"},
      {"cell a { // \303\n}", "t.rnn:1:13: invalid UTF-8 in a comment: byte 0xc3"},
      {"cell a { // \355\240\200\n}", "t.rnn:1:13: invalid UTF-8 in a comment: byte 0xed"},
      {"cell a { // x\000y\n}"s, "t.rnn:1:14: a NUL byte in a comment"},
      {"cell a {\000}"s, "t.rnn:1:9: unexpected byte 0x00"},
      {"cell \303\251 {}", "t.rnn:1:6: unexpected '\303\251'; outside comments text is ASCII"},
      {"cell a { \001 }", "t.rnn:1:10: unexpected byte 0x01"},
      {"cell a ; b", "t.rnn:1:8: unexpected ';'; nothing stands between statements: leave it out"},
      {"a %x", "t.rnn:1:1: expected 'cell' here, as in cell name<I, H> { ... }, not 'a'"},
      {in_cell("y = .5"), "t.rnn:3:5: a number needs a digit before its point, as in 0.5"},
      {in_cell("y = 1."), "t.rnn:3:5: a number needs a digit after its point, as in 0.5"},
      {in_cell("y = 1.e3"), "t.rnn:3:5: a number needs a digit after its point, as in 0.5"},
      {in_cell("y = 1e"), "t.rnn:3:5: a number needs digits in its exponent, as in 1e-6"},
      {in_cell("y = 1e+"), "t.rnn:3:5: a number needs digits in its exponent, as in 1e-6"},
      {in_cell("y = 12ab"), "t.rnn:3:5: a number cannot run into 'a'"},
      {in_cell("y = 0x10"), "t.rnn:3:5: a number cannot run into 'x'"},
      {in_cell("y = 1.2.3"), "t.rnn:3:5: a number cannot run into '.'"},
      {in_cell("y = \"x\""), "t.rnn:3:5: unexpected '\"'"},
  });
}

TEST_CASE("text that is no cell says what one looks like", "[errors][parse]") {
  check({
      {"", "t.rnn: there is no cell in the text; one begins with cell name<I, H> {"},
      {"// only a comment\n", "t.rnn: there is no cell in the text; one begins with cell name<I, H> {"},
      {"hello", "t.rnn:1:1: expected 'cell' here, as in cell name<I, H> { ... }, not 'hello'"},
      {"cell", "t.rnn:1:5: expected the name of the cell, not the end of the text"},
      {"cell state {}", "t.rnn:1:6: expected the name of the cell, not 'state', a reserved word"},
      {"cell a", "t.rnn:1:7: expected '{' before the statements of the cell, not the end of the text"},
      {"cell a<", "t.rnn:1:8: expected the name of a dim, not the end of the text"},
      {"cell a<> {}", "t.rnn:1:8: expected the name of a dim, not '>'"},
      {"cell a<I", "t.rnn:1:9: expected '>' after the dims of the cell, not the end of the text"},
      {"cell a<3> {}", "t.rnn:1:8: expected the name of a dim, not '3'"},
      {"cell a<I, I> {}", "t.rnn:1:11: dim I is declared already"},
      {"cell lstm<I=64, H> {}",
       "t.rnn:1:12: a dim of a cell has no value here; write <I> and bind it where the cell is used"},
      {"cell a<I> {", "t.rnn:1:12: expected a statement or '}', not the end of the text"},
      {"cell a { output 1 }\ncell a { output 1 }",
       "t.rnn:2:6: cell a is defined already\n"
       "t.rnn:1:6: note: a defined here"},
      {"cell a { output 1 } }", "t.rnn:1:21: expected 'cell' here, as in cell name<I, H> { ... }, not '}'"},
      {"cell a {}", "t.rnn:1:6: cell a has no output; add output ... at its end"},
      {"cell a { input x : f32 }", "t.rnn:1:6: cell a has no output; add output ... at its end"},
  });
}

TEST_CASE("a statement that does not read or means nothing is refused", "[errors][parse]") {
  check({
      {in_cell("3 = x"), "t.rnn:3:1: expected a statement or '}', not '3'"},
      {in_cell("= x"), "t.rnn:3:1: a declaration has no value; the caller gives v"},
      {in_cell("x"), "t.rnn:3:3: expected '=' after x, not '}'"},
      {in_cell("y"), "t.rnn:3:3: expected '=' after y, not '}'"},
      {in_cell("y x"), "t.rnn:3:3: expected '=' after y, not 'x'"},
      {in_cell("tanh(x)"), "t.rnn:3:5: expected '=' after tanh, not '('"},
      {in_cell("y = "), "t.rnn:3:6: expected a value, not '}'"},
      {in_cell("y = x +"), "t.rnn:3:9: expected a value, not '}'"},
      {in_cell("y = (x"), "t.rnn:3:8: expected ')' to close the parenthesis, not '}'"},
      {in_cell("y = x)"), "t.rnn:3:6: expected a statement or '}', not ')'"},
      {in_cell("output x"), "t.rnn:3:1: a cell has one output; concat(a, b) joins several values"},
      {in_cell("y = output"), "t.rnn:3:5: expected a value, not 'output'"},
      {in_cell("y' = x"), "t.rnn:3:1: y is not a state, so it has no next value; declare it above with state y : ..."},
      {in_cell("x' = x"), "t.rnn:3:1: x is not a state, so it has no next value; declare it above with state x : ..."},
      {in_cell("h' = h"),
       "t.rnn:3:1: h' is defined already\n"
       "t.rnn:1:64: note: h' defined here"},
      {in_cell("h = x"),
       "t.rnn:3:1: h is a state; its next value is h' = ...\n"
       "t.rnn:1:53: note: h declared here"},
      {in_cell("v = x"),
       "t.rnn:3:1: v is defined already\n"
       "t.rnn:2:27: note: v defined here"},
      {in_cell("y = x\ny = x"),
       "t.rnn:4:1: y is defined already\n"
       "t.rnn:3:1: note: y defined here"},
      {in_cell("%1 = x\n%1 = x"),
       "t.rnn:4:1: %1 is defined already\n"
       "t.rnn:3:1: note: %1 defined here"},
      {in_cell("%1' = x"), "t.rnn:3:3: expected '=' after %1, not '''"},
      {in_cell("network n { }"), "t.rnn:3:1: expected a statement or '}', not 'network'"},
      {in_cell("y = f32"), "t.rnn:3:5: expected a value, not 'f32'"},
      {in_cell("y = x ^ 2"),
       "t.rnn:3:7: unexpected '^'; there is no power: write x * x, or exp(p * log(x)) for x above 0"},
      {"cell a { output 1\noutput 2 }", "t.rnn:2:1: a cell has one output; concat(a, b) joins several values"},
      {"cell a {\noutput e = 1 }", "t.rnn:2:1: the output of a cell has no name; leave out e ="},
      {"cell a { param W : f32[2, 2]\noutput W }", "t.rnn:2:1: the output must be a vector or a scalar, not f32[2,2]"},
      {"cell a {\nstate h : f32 output h }", "t.rnn:2:7: state h has no next value; add h' = ..."},
      {"cell a { input x : f32[2]\nstate h : f32[3]\nh' = x output h }",
       "t.rnn:3:1: shape mismatch: h' is f32[2] but the state h is f32[3]\n"
       "t.rnn:2:7: note: h declared here"},
      {"cell a { state h : f32[2] h' = 0 output h }",
       "t.rnn:1:27: shape mismatch: h' is f32 but the state h is f32[2]\n"
       "t.rnn:1:16: note: h declared here"},
  });
}

TEST_CASE("a declaration says what its type may be", "[errors][parse]") {
  check({
      {in_cell("input"), "t.rnn:3:7: expected a name to declare, not '}'"},
      {in_cell("input y"), "t.rnn:3:9: expected ':' and a type, as in x : f32[I], not '}'"},
      {in_cell("input y, : f32"), "t.rnn:3:10: expected a name to declare, not ':'"},
      {in_cell("input y :"), "t.rnn:3:11: expected the type f32 or f32[...], not '}'"},
      {in_cell("input y : f64"), "t.rnn:3:11: expected the type f32 or f32[...], not 'f64'"},
      {in_cell("input y : seq f32[I]"), "t.rnn:3:11: expected the type f32 or f32[...], not 'seq'"},
      {in_cell("input x : f32"),
       "t.rnn:3:7: x is defined already\n"
       "t.rnn:1:22: note: x defined here"},
      {in_cell("param I1, I1 : f32"),
       "t.rnn:3:11: I1 is defined already\n"
       "t.rnn:3:7: note: I1 defined here"},
      {in_cell("input y : f32[]"), "t.rnn:3:15: expected a dim, not ']'"},
      {in_cell("input y : f32[I"), "t.rnn:3:17: expected ']' after the dims of a type, not '}'"},
      {in_cell("input y : f32[I, H]"),
       "t.rnn:3:7: y is f32[I,H], but only a param may be a matrix; an input or state is a vector"},
      {in_cell("state y : f32[I, H] y' = y"),
       "t.rnn:3:7: y is f32[I,H], but only a param may be a matrix; an input or state is a vector"},
      {in_cell("param y : f32[I, I, I]"), "t.rnn:3:22: a type has at most two dims"},
      {in_cell("param y : f32[K]"), "t.rnn:3:15: unknown dim 'K'; declare it in the head, as in cell t<K>"},
      {in_cell("param y : f32[Hh]"), "t.rnn:3:15: unknown dim 'Hh'; did you mean H?"},
      {in_cell("param y : f32[0.5]"), "t.rnn:3:15: a dim must be an integer, not '0.5'"},
      {in_cell("param y : f32[1e3]"), "t.rnn:3:15: a dim must be an integer, not '1e3'"},
      {in_cell("param y : f32[0]"), "t.rnn:3:7: y is f32[0], but a dim must be at least 1"},
      {in_cell("param y : f32[-3]"), "t.rnn:3:7: y is f32[-3], but a dim must be at least 1"},
      {in_cell("param y : f32[I - I]"), "t.rnn:3:7: y is f32[0], but a dim must be at least 1"},
      {in_cell("param y : f32[H, 16777217]"), "t.rnn:3:7: y is f32[H,16777217]; a dim may be at most 16777216"},
      {in_cell("param y : f32[99999999999999999999999]"),
       "t.rnn:3:15: '99999999999999999999999' is too large for a dim, which may be at most 16777216"},
      {in_cell("param y : f32[4611686018427387905]"),
       "t.rnn:3:15: '4611686018427387905' is too large for a dim, which may be at most 16777216"},
      {in_cell("param y : f32[65536, 65536]"),
       "t.rnn:3:7: y is f32[65536,65536]; a tensor may have at most 2147483648 elements"},
      {in_cell("param y : f32[(I]"), "t.rnn:3:17: expected ')' after a dim, not ']'"},
      {in_cell("param y : f32[I +]"), "t.rnn:3:18: expected a dim, not ']'"},
      {in_cell("param y : f32[I / 2]"), "t.rnn:3:17: expected ']' after the dims of a type, not '/'"},
      {in_cell("param y : f32[x]"), "t.rnn:3:15: unknown dim 'x'; declare it in the head, as in cell t<x>"},
      {in_cell("param input : f32"), "t.rnn:3:7: expected a name to declare, not 'input', a reserved word"},
      {in_cell("param y : f32[" + repeated("(", 257) + "I"),
       "t.rnn:3:271: nested deeper than 256 levels; name a part of it"},
      {in_cell("param y : f32[I" + repeated("*I", 64) + "]"), "t.rnn:3:15: a dim is a sum of too many terms"},
  });
}

TEST_CASE("an unknown name comes with the nearest known one", "[errors][names]") {
  check({
      {in_cell("y = z"), "t.rnn:3:5: unknown name 'z'; a value is declared or defined above its first use"},
      {in_cell("gate = sigmoid(k) y = gaet"), "t.rnn:3:23: unknown name 'gaet'; did you mean gate?"},
      {in_cell("y = v1"), "t.rnn:3:5: unknown name 'v1'; did you mean v?"},
      {in_cell("y = %1"), "t.rnn:3:5: unknown name '%1'; a value is declared or defined above its first use"},
      {in_cell("y = H"), "t.rnn:3:5: H is a dim; it stands in types and slices only"},
      {in_cell("y = c'"), "t.rnn:3:5: unknown name 'c'; a value is declared or defined above its first use"},
      {in_cell("y = x'"), "t.rnn:3:5: x is not a state, so there is no x'"},
      {"cell a { state h : f32\nh' = h' output h }", "t.rnn:2:6: h' is read before it is defined; put h' = ... above"},
      {"cell a { state h, c : f32\nh' = c' c' = h output h }",
       "t.rnn:2:6: c' is read before it is defined; put c' = ... above"},
      {in_cell("y = sigmod(x)"), "t.rnn:3:5: unknown function 'sigmod'; did you mean sigmoid?"},
      {in_cell("y = foo(x)"), "t.rnn:3:5: unknown function 'foo'"},
      {in_cell("y = x(x)"), "t.rnn:3:5: x is a value, not a function; to multiply, write x * (...)"},
      {in_cell("y = lstm(x)"),
       "t.rnn:3:5: unknown function 'lstm'; lstm is a cell, which a network runs over a sequence, and a cell has no "
       "others "
       "in it"},
      {"cell a<Hidden> { input x : f32[Hiden] output x }", "t.rnn:1:32: unknown dim 'Hiden'; did you mean Hidden?"},
  });
}

TEST_CASE("a call takes what its row in the table says", "[errors][parse]") {
  check({
      {in_cell("y = tanh()"), "t.rnn:3:10: expected a value, not ')'"},
      {in_cell("y = tanh(x, x)"), "t.rnn:3:5: tanh takes 1 operand, not 2"},
      {in_cell("y = tanh(x"), "t.rnn:3:12: expected ')' after operands, not '}'"},
      {in_cell("y = min(x)"), "t.rnn:3:5: min takes 2 operands, not 1"},
      {in_cell("y = max(x, x, x)"), "t.rnn:3:5: max takes 1 or 2 operands, not 3"},
      {in_cell("y = clip(x, 0)"), "t.rnn:3:5: clip takes 3 operands, not 2"},
      {in_cell("y = select(x, x, x, x)"), "t.rnn:3:5: select begins with a comparison, as in select(a > b, x, y)"},
      {in_cell("y = select(x > x, x)"), "t.rnn:3:5: select takes 4 operands, not 3"},
      {in_cell("y = tanh(x > x)"), "t.rnn:3:5: tanh takes 1 operand, not 2"},
      {in_cell("y = max(x > x)"), "t.rnn:3:5: a comparison stands in select(a > b, x, y) only"},
      {in_cell("y = concat(x > x)"), "t.rnn:3:5: a comparison stands in select(a > b, x, y) only"},
      {in_cell("y = x > x"), "t.rnn:3:7: a comparison stands in select(a > b, x, y) only"},
      {in_cell("y = select(x > x > x, x)"), "t.rnn:3:18: expected ')' after operands, not '>'"},
      {in_cell("y = select((x > x), x, x)"), "t.rnn:3:15: expected ')' to close the parenthesis, not '>'"},
      {in_cell("y = layer_norm(x)"), "t.rnn:3:5: layer_norm takes 4 operands, not 1"},
      {in_cell("y = hoist(x, x)"), "t.rnn:3:5: hoist takes 1 operand, not 2"},
      {in_cell("y = hoist(h)"),
       "t.rnn:3:5: hoist takes a value that depends on no state; this one changes with every step"},
      {in_cell("y = hoist(tanh(W @ x + h))"),
       "t.rnn:3:5: hoist takes a value that depends on no state; this one changes with every step"},
      {in_cell("y = project(x)"),
       "t.rnn:3:5: project takes a vector, then pairs of a matrix and a start, not 1 operand"},
      {in_cell("y = project(x, W)"),
       "t.rnn:3:5: project takes a vector, then pairs of a matrix and a start, not 2 operands"},
      {in_cell("y = concat()"), "t.rnn:3:12: expected a value, not ')'"},
  });
}

TEST_CASE("a slice stays within its operand", "[errors][parse]") {
  check({
      {in_cell("y = x[3]"),
       "t.rnn:3:7: a slice is [begin:end]; [3:4] is a vector of one element, and sum(x[3:4]) is the scalar"},
      {in_cell("y = x[H]"),
       "t.rnn:3:7: a slice is [begin:end]; [H:H+1] is a vector of one element, and sum(x[H:H+1]) is the scalar"},
      {in_cell("y = x[]"), "t.rnn:3:7: expected a dim, not ']'"},
      {in_cell("y = x[1:"), "t.rnn:3:10: expected a dim, not '}'"},
      {in_cell("y = x[1:2"), "t.rnn:3:11: expected ']' after a slice, not '}'"},
      {in_cell("y = x[1:2:3]"), "t.rnn:3:10: expected ']' after a slice, not ':'"},
      {in_cell("y = x[2:2]"),
       "t.rnn:3:5: slice [2:2] does not fit: x is f32[I], and a slice [a:b] takes elements a to b-1, with 0 <= a < b "
       "<= I\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = x[3:2]"),
       "t.rnn:3:5: slice [3:2] does not fit: x is f32[I], and a slice [a:b] takes elements a to b-1, with 0 <= a < b "
       "<= I\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = x[H:H]"),
       "t.rnn:3:5: slice [H:H] does not fit: x is f32[I], and a slice [a:b] takes elements a to b-1, with 0 <= a < b "
       "<= I\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = x[-1:2]"),
       "t.rnn:3:5: slice [-1:2] does not fit: x is f32[I], and a slice [a:b] takes elements a to b-1, with 0 <= a < b "
       "<= I\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = x[0:I+1]"),
       "t.rnn:3:5: slice [0:I+1] does not fit: x is f32[I], and a slice [a:b] takes elements a to b-1, with 0 <= a < b "
       "<= I\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = x[0:1, 0:1]"),
       "t.rnn:3:5: a slice with two ranges needs a matrix: x is f32[I]\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = W[0:1, 0:1, 0:1]"), "t.rnn:3:5: a slice has at most two ranges"},
      {in_cell("y = k[0:1]"),
       "t.rnn:3:5: only a vector or a matrix can be sliced: k is f32\n"
       "t.rnn:1:39: note: k declared here"},
      {in_cell("y = 3[0:1]"), "t.rnn:3:5: only a vector or a matrix can be sliced: 3 is f32"},
      {in_cell("y = x[0:K]"), "t.rnn:3:9: unknown dim 'K'; declare it in the head, as in cell t<K>"},
      {in_cell("y = tanh(x)[0:I+2]"),
       "t.rnn:3:5: slice [0:I+2] does not fit: tanh(x) is f32[I], and a slice [a:b] takes elements a to b-1, with 0 <= "
       "a < b <= I"},
  });
}

TEST_CASE("a literal past the largest f32 is refused", "[errors][numbers]") {
  check({
      {in_cell("y = 1e39"), "t.rnn:3:5: '1e39' is past the largest f32, 3.4028235e38"},
      {in_cell("y = -3.4028236e38"), "t.rnn:3:6: '3.4028236e38' is past the largest f32, 3.4028235e38"},
      {in_cell("y = 1e99999999999999999999"),
       "t.rnn:3:5: '1e99999999999999999999' is past the largest f32, 3.4028235e38"},
      {in_cell("y = 1" + repeated("0", 400)),
       "t.rnn:3:5: '1000000000000000000000000000000000000000...' is past the largest f32, 3.4028235e38"},
  });
}

TEST_CASE("limits hold: bytes, nesting, nodes, terms of a dim", "[errors][limits]") {
  CHECK(error_of(std::string((16U << 20) + 1, ' ')) == "t.rnn: more than 16 MiB of text");
  CHECK(error_of(in_cell("y =" + repeated("(", 300))) ==
        "t.rnn:3:260: nested deeper than 256 levels; name a part of it");
  CHECK(error_of(in_cell("y =" + repeated("exp(", 300))) ==
        "t.rnn:3:1031: nested deeper than 256 levels; name a part of it");
  CHECK(error_of(in_cell("y =" + repeated("W@-", 300))) ==
        "t.rnn:3:774: nested deeper than 256 levels; name a part of it");
  CHECK(error_of(in_cell("y = 1" + repeated("+1", 500000))) == "t.rnn:3:1000001: more than 1000000 operations");
  std::string dims = "A0";
  std::string inputs = "input x0 : f32[A0]";
  std::string joined = "x0";
  for (int i = 1; i < 40; ++i) {
    const std::string n = std::to_string(i);
    dims += ", A" + n;
    inputs += " input x" + n + " : f32[A" + n + "]";
    joined += ", x" + n;
  }
  CHECK(error_of("cell t<" + dims + "> {" + inputs + "\noutput concat(" + joined + ") }") ==
        "t.rnn:2:8: a dim is a sum of too many terms");
}

TEST_CASE("a long line is quoted in part", "[errors][limits]") {
  CHECK(error_of(in_cell("y = " + repeated("z", 100))) ==
        "t.rnn:3:5: unknown name '" + repeated("z", 40) + "...'; a value is declared or defined above its first use");
}

TEST_CASE("every prefix of a standard cell is an error or the whole of it", "[errors][parse]") {
  const std::string text = standard_cell("lstm_peephole").value().text();
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    INFO(length);
    CHECK_FALSE(error_of(text.substr(0, length)).empty());
  }
}

TEST_CASE("errors carry the code that decides the exit code", "[errors][codes]") {
  const auto code = [](std::string_view text) { return ir::parse(text).error().code; };
  CHECK(code("cell a {") == ErrorCode::Syntax);
  CHECK(code("cell a { output x }") == ErrorCode::Name);
  CHECK(code("cell a { input x : f32[2] input y : f32[3] output x + y }") == ErrorCode::ShapeMismatch);
  CHECK(code("cell a { }") == ErrorCode::InvalidModel);
  CHECK(code("cell a { output 1e39 }") == ErrorCode::Limit);
  CHECK(code("network a { }") == ErrorCode::InvalidModel);
}

TEST_CASE("a file that cannot be read is named", "[errors][model]") {
  const Result<Model> missing = parse_file("no/such/file.rnn");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ErrorCode::File);
  CHECK(missing.error().to_string() == "no/such/file.rnn: cannot read the file: No such file or directory");
  const Result<Model> folder = parse_file(".");
  REQUIRE_FALSE(folder.ok());
  CHECK(folder.error().to_string() == ".: cannot read the file: Is a directory");
}

TEST_CASE("an unknown standard cell comes with the list of those there are", "[errors][model]") {
  const Result<Model> cell = standard_cell("lstn");
  REQUIRE_FALSE(cell.ok());
  CHECK(cell.error().code == ErrorCode::Name);
  std::string known;
  for (const std::string& name : standard_cell_names()) known += (known.empty() ? "" : ", ") + name;
  CHECK(cell.error().to_string() == "there is no standard cell 'lstn'; there are " + known);
}

TEST_CASE("value() of a wrong text throws what to_string says", "[errors][result]") {
  CHECK_THROWS_AS(parse("cell").value(), BadResult);
  CHECK_THROWS_WITH(parse("cell", "a.rnn").value(),
                    "a.rnn:1:5: expected the name of the cell, not the end of the text\n"
                    "    1 | cell\n"
                    "      |     ^");
}
