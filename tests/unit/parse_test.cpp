// These tests ask what text means: precedence, names, numbers, limits. The messages of wrong text are in tests/errors,
// the way back to text in tests/golden.
#include "ir/parse.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include <rnnc/model.hpp>
#include "ir/print.hpp"
#include "tests/support/catch.hpp"

using namespace rnnc;
using rnnc::ir::Cell;
using rnnc::ir::Node;
using rnnc::ir::Op;

namespace {

// A cell that gives back `expression` of vectors a, b : f32[4], scalars k, l, and matrices W, V : f32[4, 4].
std::string around(const std::string& expression) {
  return "cell t { input a, b : f32[4] param k, l : f32 param W, V : f32[4, 4] output " + expression + " }";
}

Cell cell_of(const std::string& text) { return ir::parse(text).value().cells.at(0); }

bool same(const std::string& a, const std::string& b) { return equal(cell_of(around(a)), cell_of(around(b))); }

const Node& output_of(const Cell& cell) { return cell[cell.output()]; }

float number(const std::string& text) {
  const Cell cell = cell_of(around(text));
  REQUIRE(output_of(cell).op == Op::Constant);
  return output_of(cell).constant;
}

bool same_bits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("operators bind from @ over the minus sign and * / to + -", "[parse]") {
  CHECK(same("a + b * k", "a + (b * k)"));
  CHECK(same("W @ a * b", "(W @ a) * b"));
  CHECK(same("a * W @ b", "a * (W @ b)"));
  CHECK(same("-a * b", "(-a) * b"));
  CHECK(same("-W @ a", "-(W @ a)"));
  CHECK(same("W @ -a + b", "(W @ (-a)) + b"));
  CHECK(same("-a[0:2]", "-(a[0:2])"));
  CHECK_FALSE(same("(a + b) * k", "a + b * k"));
}

TEST_CASE("chains group to the left, those of @ to the right", "[parse]") {
  CHECK(same("a - b - k", "(a - b) - k"));
  CHECK(same("a / b * k", "(a / b) * k"));
  CHECK_FALSE(same("a - b - k", "a - (b - k)"));
  CHECK(same("W @ V @ a", "W @ (V @ a)"));
  CHECK(same("W @ -V @ a", "W @ (-(V @ a))"));
}

TEST_CASE("a newline is white space and statements need no separator", "[parse]") {
  const Cell spread = cell_of("cell t<I> {\n input x : f32[I]\n a = x\n b = -a\n output b\n}");
  const Cell dense = cell_of("cell t<I>{input x:f32[I]a=x b=-a output b}");
  CHECK(equal(spread, dense));
  const Cell subtracted = cell_of("cell t<I> { input x : f32[I] a = x\n -x output a }");
  CHECK(output_of(subtracted).function == ir::Function::Sub);
}

TEST_CASE("a prime reads the next value and a bare name the old one", "[parse]") {
  const Cell cell = cell_of("cell t { input x : f32 state c : f32 c' = c + x output c' - c }");
  const Node& output = output_of(cell);
  CHECK(output.operands[0] == cell.next_of("c"));
  CHECK(cell[output.operands[1]].op == Op::State);
}

TEST_CASE("select of a < b is select of b > a", "[parse]") {
  CHECK(same("select(a < b, k, l)", "select(b > a, k, l)"));
  CHECK_FALSE(same("select(a < b, k, l)", "select(a > b, k, l)"));
}

TEST_CASE("max and min of two operands are element-wise, max of one is the reduction", "[parse]") {
  CHECK(output_of(cell_of(around("max(a, b)"))).op == Op::Map);
  CHECK(output_of(cell_of(around("max(a)"))).op == Op::Reduce);
  CHECK(output_of(cell_of(around("min(a, k)"))).op == Op::Map);
}

TEST_CASE("a name may be that of a function", "[parse]") {
  const Cell cell = cell_of("cell t { input exp : f32 max = exp(exp) output max(max, exp) }");
  CHECK(output_of(cell).function == ir::Function::Max);
}

TEST_CASE("a literal is the nearest f32", "[parse][numbers]") {
  CHECK(number("16777217") == 16777216.0F);
  CHECK(number("0.1") == 0.1F);
  CHECK(number("1e-6") == 1e-6F);
  CHECK(number("1E+3") == 1000.0F);
  CHECK(number("3.40282356e38") == std::numeric_limits<float>::max());  // less than half a unit past it
  CHECK(same_bits(number("1e-45"), std::numeric_limits<float>::denorm_min()));
  CHECK(same_bits(number("7.1e-46"), std::numeric_limits<float>::denorm_min()));  // just over half of it
  CHECK(same_bits(number("7e-46"), 0.0F));
  CHECK(same_bits(number("1e-99999999999999999999"), 0.0F));
  CHECK(same_bits(number("0e99999999999999999999"), 0.0F));
  CHECK(same_bits(number("-0"), -0.0F));
  CHECK(same_bits(number("0." + repeated("0", 5000) + "1"), 0.0F));
  CHECK(number("1" + repeated("0", 5000) + "e-5000") == 1.0F);
  CHECK(number("0." + repeated("0", 5000) + "1e5001") == 1.0F);
  CHECK(number("inf") == std::numeric_limits<float>::infinity());
  CHECK(number("-inf") == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(number("nan")));
  CHECK(std::isnan(number("-nan")));
}

TEST_CASE("a minus sign and a number are one constant", "[parse][numbers]") {
  CHECK(number("-0.5") == -0.5F);
  CHECK(number("- 0.5") == -0.5F);
  CHECK(output_of(cell_of(around("-(0.5)"))).op == Op::Map);
  CHECK(output_of(cell_of(around("--0.5"))).op == Op::Map);
  CHECK(output_of(cell_of(around("k - 1"))).function == ir::Function::Sub);
  CHECK(same("k - -1", "k - (-1)"));
  CHECK(same("k-1", "k - 1"));
}

TEST_CASE("dims are computed with", "[parse]") {
  const Cell cell = cell_of("cell t<I, H> { input x : f32[2*(I + H) - I*1] output x[I - 0:-(-2*H) + I] }");
  CHECK(cell.nodes[0].type.to_string() == "f32[2*H+I]");
  CHECK(output_of(cell).type.to_string() == "f32[2*H]");
}

TEST_CASE("matrices are sliced by rows or by rows and columns, and joined", "[parse]") {
  CHECK(output_of(cell_of(around("W[1:3] @ a"))).type.to_string() == "f32[2]");
  CHECK(output_of(cell_of(around("W[1:3, 2:4] @ a[0:2]"))).type.to_string() == "f32[2]");
  CHECK(output_of(cell_of(around("concat(W, V[0:1]) @ a"))).type.to_string() == "f32[5]");
}

TEST_CASE("unused declarations and dims are no error", "[parse]") {
  CHECK(ir::parse("cell t<I, K> { input x, y : f32[I] param W : f32[I, I] output x }").ok());
}

TEST_CASE("a file holds several cells, which are found by name", "[parse]") {
  const ir::Module module =
      ir::parse("cell a { input x : f32 output x } // é\ncell b { input x : f32 output -x }").value();
  REQUIRE(module.cells.size() == 2);
  CHECK(module.find("b") == &module.cells[1]);
  CHECK(module.find("c") == nullptr);
}

TEST_CASE("text may begin with a byte order mark and end its lines as Windows does", "[parse]") {
  CHECK(ir::parse("\xef\xbb\xbf"
                  "cell a {\r\n input x : f32 // x\r\n output x }\r\n")
            .ok());
}

TEST_CASE("equal sees through the order of nodes and nothing else", "[parse][equal]") {
  const Cell cell = cell_of("cell t { input x : f32[2] param k : f32 a = exp(x) b = k * x output a + b }");
  CHECK(equal(cell, cell_of("cell t { param k : f32 input x : f32[2] a = exp(x) b = k * x output a + b }")));
  for (const char* other : {"cell u { input x : f32[2] param k : f32 a = exp(x) b = k * x output a + b }",
                            "cell t { input x : f32[2] param k : f32 b = k * x a = exp(x) output a + b }",
                            "cell t { input x : f32[3] param k : f32 a = exp(x) b = k * x output a + b }",
                            "cell t { input x : f32[2] state k : f32 k' = k a = exp(x) b = k * x output a + b }",
                            "cell t { input x : f32[2] param k : f32 a = exp(x) b = x * k output a + b }",
                            "cell t { input x : f32[2] param k, l : f32 a = exp(x) b = k * x output a + b }",
                            "cell t { input x : f32[2] param k : f32 a = exp(x) c = k * x output a + c }"}) {
    INFO(other);
    CHECK_FALSE(equal(cell, cell_of(other)));
  }
}

TEST_CASE("equal tells -0 from 0 but no NaN from another", "[parse][equal]") {
  Cell a = cell_of("cell t { output nan }");
  Cell b = a;
  b.nodes[0].constant = std::bit_cast<float>(0xffc12345U);
  CHECK(equal(a, b));
  a.nodes[0].constant = 0.0F;
  b.nodes[0].constant = -0.0F;
  CHECK_FALSE(equal(a, b));
}

TEST_CASE("every standard cell has the name of its file, input x first, and gives back h' where it has a state h",
          "[parse][cells]") {
  const std::vector<std::string> names = standard_cell_names();
  CHECK(names.size() >= 33);
  CHECK(std::is_sorted(names.begin(), names.end()));
  for (const std::string& name : names) {
    INFO(name);
    const Model model = standard_cell(name).value();
    REQUIRE(model.cells() == std::vector<std::string>{name});
    const Cell& cell = model.module().cells[0];
    CHECK(cell.nodes.at(0).op == Op::Input);
    CHECK(cell.nodes.at(0).name == "x");
    const bool has_h = std::any_of(cell.nodes.begin(), cell.nodes.end(),
                                   [](const Node& node) { return node.op == Op::State && node.name == "h"; });
    if (has_h) CHECK(cell.output() == cell.next_of("h"));
  }
}

TEST_CASE("long chains and deep nesting within the limit parse and print", "[parse][limits]") {
  const Cell chain = cell_of(around("a" + repeated(" + a", 20000)));
  CHECK(equal(chain, cell_of(print(chain))));
  const Cell minus = cell_of(around(repeated("-", 20000) + "a"));
  CHECK(equal(minus, cell_of(print(minus))));
  const Cell products = cell_of(around(repeated("W @ ", 20000) + "a"));
  CHECK(equal(products, cell_of(print(products))));
  const Cell nested = cell_of(around(repeated("exp(", 256) + "a" + repeated(")", 256)));
  CHECK(equal(nested, cell_of(print(nested))));
}

TEST_CASE("mutated text gives a cell that prints and reads back, or a located error", "[parse][fuzz]") {
  std::mt19937 random(1);
  const std::vector<std::string> names = standard_cell_names();
  const std::string pieces = "{}()[]<>:,='@*/+-%.0123456789eE \n\tabhIHWx_\"\\;#~\xc3\xa9\xff";
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int round = 0; round < 2000; ++round) {
    std::string text = standard_cell(names[below(names.size())]).value().text();
    for (std::size_t edits = 1 + below(4); edits > 0 && !text.empty(); --edits) {
      const std::size_t at = below(text.size());
      const std::size_t kind = below(4);
      if (kind == 0) text.erase(at, 1 + below(8));
      if (kind == 1) text.insert(at, 1, pieces[below(pieces.size())]);
      if (kind == 2) text[at] = static_cast<char>(random() % 256);
      if (kind == 3) text.insert(at, text.substr(below(text.size()), below(30)));
    }
    const Result<ir::Module> module = ir::parse(text, "f.rnn");
    INFO(text);
    if (module) {
      const ir::Module again = ir::parse(print(*module)).value();
      for (std::size_t i = 0; i < module->cells.size(); ++i) CHECK(equal(module->cells[i], again.cells[i]));
    } else {
      CHECK(module.error().place.file == "f.rnn");
      CHECK_FALSE(module.error().message.empty());
    }
  }
}
