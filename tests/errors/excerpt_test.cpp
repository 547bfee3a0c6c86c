// Below each message that has a place stands the line of the text, with a caret below the column.
#include <string>

#include <rnnc/compile.hpp>
#include <rnnc/model.hpp>

#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"

using namespace rnnc;
using namespace std::string_literals;

namespace {

std::string error_of(std::string_view text) {
  const Result<ir::Module> module = ir::parse(text, "t.rnn");
  return module ? "" : module.error().to_string();
}

// Returns what stands below the first line.
std::string excerpt_of(std::string_view text) {
  const std::string error = error_of(text);
  const std::size_t end = error.find('\n');
  return end == std::string::npos ? "" : error.substr(end + 1);
}

}  // namespace

TEST_CASE("the line and a caret stand below an error and below each of its notes", "[errors][excerpt]") {
  CHECK(error_of("cell a {\n  state h : f32[3]\n  h' = h\n  h = h\n  output h\n}") ==
        "t.rnn:4:3: h is a state; its next value is h' = ...\n"
        "    4 |   h = h\n"
        "      |   ^\n"
        "t.rnn:2:9: note: h declared here\n"
        "    2 |   state h : f32[3]\n"
        "      |         ^");
}

TEST_CASE("a tab takes four columns at most, and the caret stands below its byte", "[errors][excerpt]") {
  CHECK(excerpt_of("cell a {\n\tx\t= zz }") ==
        "    2 |     x   = zz }\n"
        "      |           ^");
}

TEST_CASE("characters beyond ASCII take the columns that a terminal gives them", "[errors][excerpt]") {
  CHECK(excerpt_of("cell a { // \303\251\303\251\377") ==  // two letters with accents
        "    1 | cell a { // \303\251\303\251\357\277\275\n"
        "      |               ^");
  CHECK(excerpt_of("cell a { // \344\270\255\344\272\272\377") ==  // two wide characters
        "    1 | cell a { // \344\270\255\344\272\272\357\277\275\n"
        "      |                 ^");
  CHECK(excerpt_of("cell a { // e\314\201\377") ==  // an accent that combines
        "    1 | cell a { // e\314\201\357\277\275\n"
        "      |              ^");
}

TEST_CASE("a byte order mark and the ends of lines of other systems are not shown", "[errors][excerpt]") {
  CHECK(excerpt_of("\xef\xbb\xbf"
                   "call\r\n") ==
        "    1 | call\n"
        "      | ^");
}

TEST_CASE("a long line is cut around the column", "[errors][excerpt]") {
  const std::string behind = "cell a { output 1 } cell b { output ? }" + std::string(200, '/');
  CHECK(excerpt_of(behind) == "    1 | " + behind.substr(0, 93) + "...\n      | " + std::string(36, ' ') + '^');
  for (const std::size_t before : {93, 100, 511, 512, 513, 100000}) {
    const std::string text = "cell a {" + std::string(before, ' ') + "output ?" + std::string(100000, 'x') + "}";
    const std::string excerpt = excerpt_of(text);
    INFO(before);
    const std::size_t line = excerpt.find('\n');
    REQUIRE(line != std::string::npos);
    CHECK(line == 8 + 96);
    CHECK(excerpt.starts_with("    1 | ..."));
    CHECK(excerpt.substr(0, line).ends_with("..."));
    CHECK(excerpt[excerpt.find('^') - line - 1] == '?');
  }
}

TEST_CASE("an error at the end of the text shows the last line that has something", "[errors][excerpt]") {
  CHECK(excerpt_of("cell a {\n  output 1\n\n\n") ==
        "    2 |   output 1\n"
        "    5 |\n"
        "      | ^");
  CHECK(excerpt_of("cell a {\n  output 1") ==
        "    2 |   output 1\n"
        "      |           ^");
  CHECK(excerpt_of("") == "");
  CHECK(excerpt_of("cell a {" + std::string(1000, '\n')) ==
        "    1 | cell a {\n"
        " 1001 |\n"
        "      | ^");
}

TEST_CASE("what is no text is not shown, and nothing that controls a terminal is", "[errors][excerpt]") {
  CHECK(excerpt_of("PK\003\004\000\000"s) == "");
  CHECK(excerpt_of("cell a { \033[2J") ==
        "    1 | cell a { \357\277\275[2J\n"
        "      |          ^");
  CHECK(excerpt_of("cell a { // \342\200\256 reversed\n?") == "    2 | ?\n      | ^");
  CHECK(excerpt_of("cell a { output ? // \342\200\256 reversed\n") ==
        "    1 | cell a { output ? // \357\277\275 reversed\n"
        "      |                 ^");
}

TEST_CASE("line numbers of more digits widen the margin", "[errors][excerpt]") {
  CHECK(excerpt_of("cell a {" + std::string(123455, '\n') + "  ?").ends_with("123456 |   ?\n       |   ^"));
}

TEST_CASE("errors that are found behind the parser show the line too", "[errors][excerpt]") {
  const Model model = parse("cell a<N> {\n  input x : f32[N]\n  output x[0:8]\n}", "t.rnn").value();
  const auto bound = ir::bind_dims(model.module().cells.at(0), {{"N", 4}});
  REQUIRE_FALSE(bound.ok());
  CHECK(bound.error().to_string() ==
        "t.rnn:3:10: slice [0:8] does not fit: x is f32[4], and a slice [a:b] takes elements a to b-1, with 0 <= a < b "
        "<= 4\n"
        "    3 |   output x[0:8]\n"
        "      |          ^\n"
        "t.rnn:2:9: note: x declared here\n"
        "    2 |   input x : f32[N]\n"
        "      |         ^");
}

TEST_CASE("errors in a standard cell show the cell's own line", "[errors][excerpt]") {
  const auto bound = ir::bind_dims(standard_cell("rnn").value().module().cells.at(0), {{"I", 4}});
  REQUIRE_FALSE(bound.ok());
  CHECK(bound.error().place.excerpt.find(" | cell rnn<I, H> {\n") != std::string::npos);
}

TEST_CASE("an input or parameter that nothing depends on is warned of", "[errors][warnings]") {
  const Model model = parse(
                          "cell a { input x : f32[3] input k : f32[3] param b : f32[3] state h : f32[3]\n"
                          "g = x + b h' = h + x output h' }\n"
                          "network n { input x : seq f32[3] param V, W : f32[3, 3] output V @ x }",
                          "t.rnn")
                          .value();
  std::string warnings;
  for (const Note& warning : model.warnings()) warnings += warning.place.to_string() + ": " + warning.message + "\n";
  CHECK(warnings ==
        "t.rnn:1:33: input k is not used: neither the output nor a next state of cell a depends on it\n"
        "t.rnn:1:50: parameter b is not used: neither the output nor a next state of cell a depends on it\n"
        "t.rnn:3:43: parameter W is not used: no output of network n depends on it\n");
  CHECK(model.warnings().at(0).place.excerpt.ends_with("^"));
}

TEST_CASE("no standard cell has a warning", "[errors][warnings]") {
  for (const std::string& name : standard_cell_names()) {
    INFO(name);
    CHECK(standard_cell(name).value().warnings().empty());
  }
}
