// Printed text stands beside the text or graph that it comes from, and everything that can be written is read back.
#include "ir/print.hpp"

#include <cmath>

#include <rnnc/model.hpp>
#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

using namespace rnnc;
using namespace rnnc::ir;

namespace {

struct Golden {
  const char* reason;
  const char* statements;  // of a cell with a, b : f32[4], scalars k, l, a state h : f32[4], and W : f32[4, 4]
  const char* printed;
};

constexpr std::string_view kHead =
    "  input a : f32[4]\n  input b : f32[4]\n  param k : f32\n  param l : f32\n  state h : f32[4]\n"
    "  param W : f32[4, 4]\n\n";

const Golden kGolden[] = {
    {"parentheses only where they matter", "h' = ((a + b)) + ((k * a)) output (h')", "h' = a + b + k * a|output h'"},
    {"the right side of a chain keeps its own", "h' = a - (b - k) - l * (a / b) output a",
     "h' = a - (b - k) - l * (a / b)|output a"},
    {"a product in a product", "h' = W @ (W @ a) + W @ (a * b) output (W @ a) * b",
     "h' = W @ W @ a + W @ (a * b)|output W @ a * b"},
    {"the minus sign is looser than @ and tighter than *", "h' = -W @ a + (-a) * b - (-(a * b)) + W @ -b output -h'",
     "h' = -W @ a + -a * b - -(a * b) + W @ (-b)|output -h'"},
    {"a negative constant is no negation", "h' = a - -1 * k output -(0.5) + -(-0.5) + -0.5",
     "h' = a - -1 * k|output -(0.5) + -(-0.5) + -0.5"},
    {"the sign of zero, denormals, infinities and NaN survive",
     "h' = a * -0 + 0.0 output 1e-45 + 3.4028235e38 + inf + -inf + -nan",
     "h' = a * -0 + 0|output 1e-45 + 3.4028235e+38 + inf + -inf + nan"},
    {"a slice of what is no name", "h' = concat((a + b)[0:2], a[1:4][1:3]) output (-a)[0:2]",
     "h' = concat((a + b)[0:2], a[1:4][1:3])|output (-a)[0:2]"},
    {"matrices by rows and columns", "h' = concat(W[0:2, 0:4], W[2:4]) @ a output a",
     "h' = concat(W[0:2, 0:4], W[2:4]) @ a|output a"},
    {"a comparison with < is one with >, swapped", "h' = select(k < a, a, b) output a",
     "h' = select(a > k, a, b)|output a"},
    {"names stay, and an alias too", "i = exp(a) j = i k2 = j * i h' = k2 output j",
     "i = exp(a)|j = i|k2 = i * i|h' = k2|output i"},
    {"the next value goes by its name once it has one", "h' = a * k output tanh(h') - h",
     "h' = a * k|output tanh(h') - h"},
    {"a named constant keeps its name", "eps = 1e-5 h' = a + eps output layer_norm(h', a, b, eps)",
     "eps = 1e-05|h' = a + eps|output layer_norm(h', a, b, eps)"},
    {"what the compiler writes reads back", "h' = project(a, W, b, W, 0)[0:4] + hoist(W @ a) output a",
     "h' = project(a, W, b, W, 0)[0:4] + hoist(W @ a)|output a"},
    {"a temporary used once goes back inline", "%3 = exp(a) h' = %3 output b", "h' = exp(a)|output b"},
    {"a temporary used twice stays", "%3 = exp(a) h' = %3 * %3 output %3", "%0 = exp(a)|h' = %0 * %0|output %0"},
    {"statements that no other needs are kept", "u = a * b h' = h output a", "u = a * b|h' = h|output a"},
};

std::string in_cell(std::string_view statements) {
  std::string text = "cell t {\n" + std::string(kHead) + "  ";
  for (const char c : statements) text += c == '|' ? "\n  " : std::string(1, c);
  return text + "\n}\n";
}

Cell cell_of(const std::string& text) { return ir::parse(text).value().cells.at(0); }

void check_round_trip(const Cell& cell) {
  const std::string text = print(cell);
  INFO(text);
  const Result<Module> module = ir::parse(text);
  REQUIRE((module ? "" : module.error().to_string()) == "");
  REQUIRE(module->cells.size() == 1);
  CHECK(equal(cell, module->cells[0]));
  CHECK(print(module->cells[0]) == text);
}

// A cell with two vectors, to append to.
struct Vectors {
  Cell cell;
  Value a, b;

  Vectors() {
    cell.name = "t";
    a = declare("a");
    b = declare("b");
  }
  Value declare(std::string name) {
    Node node;
    node.op = Op::Input;
    node.name = std::move(name);
    node.type.dims = {4};
    return cell.append(node);
  }
  void let(std::string name, Value value) {
    cell.statements.push_back({Statement::Kind::Let, std::move(name), value, {}});
  }
  void output(Value value) { cell.statements.push_back({Statement::Kind::Output, "", value, {}}); }
};

}  // namespace

TEST_CASE("statements print as written down here", "[golden][print]") {
  for (const Golden& golden : kGolden) {
    INFO(golden.reason);
    const Cell cell = cell_of(in_cell(golden.statements));
    CHECK(print(cell) == in_cell(golden.printed));
    check_round_trip(cell);
  }
}

TEST_CASE("a standard cell prints with one declaration a line", "[golden][print]") {
  CHECK(standard_cell("rnn").value().text() ==
        "cell rnn<I, H> {\n"
        "  input x : f32[I]\n"
        "  state h : f32[H]\n"
        "  param W : f32[H, I]\n"
        "  param U : f32[H, H]\n"
        "  param b : f32[H]\n"
        "\n"
        "  h' = tanh(W @ x + U @ h + b)\n"
        "  output h'\n"
        "}\n");
}

TEST_CASE("every standard cell makes the round trip, with names for dims and with numbers", "[golden][print]") {
  for (const std::string& name : standard_cell_names()) {
    const Model model = standard_cell(name).value();
    const Cell& cell = model.module().cells[0];
    check_round_trip(cell);
    check_round_trip(test::standard(name, 3, 17));
  }
}

TEST_CASE("every function of the table makes the round trip", "[golden][print]") {
  for (const FunctionFacts& row : kAllFunctions) {
    INFO(row.name);
    Vectors v;
    std::vector<Value> operands = {v.b, v.a, v.cell.constant(-0.5F), v.cell.constant(2)};
    operands.resize(static_cast<std::size_t>(row.arity));
    const Value once = v.cell.map(row.function, operands);
    operands[0] = once;  // also within itself, where an operator may need parentheses
    const Value first = v.cell.map(row.function, operands);
    operands.assign(operands.size(), v.a);
    operands.back() = first;
    v.output(v.cell.map(row.function, operands));
    check_round_trip(v.cell);
  }
}

TEST_CASE("every operator within every other makes the round trip on both sides", "[golden][print]") {
  const auto apply = [](Cell& cell, const FunctionFacts& row, Value x, Value y) {
    return row.arity == 1 ? cell.map(row.function, {x}) : cell.map(row.function, {x, y});
  };
  for (const FunctionFacts& outer : kFunctions) {
    for (const FunctionFacts& inner : kFunctions) {
      if (outer.arity > 2 || inner.arity > 2) continue;
      for (const bool right : {false, true}) {
        Vectors v;
        const Value part = apply(v.cell, inner, v.a, v.cell.constant(-1));
        v.output(right ? apply(v.cell, outer, v.b, part) : apply(v.cell, outer, part, v.b));
        check_round_trip(v.cell);
      }
    }
  }
}

TEST_CASE("every reduction of the table makes the round trip", "[golden][print]") {
  for (const ReductionFacts& row : kReductions) {
    INFO(row.name);
    Vectors v;
    std::vector<Value> operands(static_cast<std::size_t>(row.arity), v.a);
    if (row.arity > 1) operands.back() = v.cell.constant(1e-5F);
    v.output(v.cell.reduce(row.reduction, operands));
    check_round_trip(v.cell);
  }
}

TEST_CASE("constants survive to the bit, alone and as operands", "[golden][print]") {
  const float awkward[] = {0.0F,
                           -0.0F,
                           1e-45F,
                           -1e-45F,
                           1.1754942e-38F,
                           std::numeric_limits<float>::min(),
                           std::numeric_limits<float>::max(),
                           std::numeric_limits<float>::lowest(),
                           std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity(),
                           std::nanf(""),
                           -std::nanf("7"),
                           0.1F,
                           -1.0F / 3,
                           16777216.0F,
                           1e6F,
                           123456.7F};
  for (const float value : awkward) {
    Vectors v;
    const Value constant = v.cell.constant(value);
    v.let("alone", constant);
    v.let("negated", v.cell.map(Function::Neg, {v.cell.constant(value)}));
    v.output(v.cell.map(Function::Sub, {v.cell.constant(value), v.cell.constant(value)}));
    check_round_trip(v.cell);
  }
}

TEST_CASE("a value used twice without a name is written once, before its first use", "[golden][print]") {
  Vectors v;
  const Value shared = v.cell.map(Function::Exp, {v.a});
  const Value square = v.cell.map(Function::Mul, {shared, shared});
  v.let("s", v.cell.map(Function::Add, {square, v.b}));
  v.output(v.cell.map(Function::Sub, {square, shared}));
  CHECK(print(v.cell) ==
        "cell t {\n  input a : f32[4]\n  input b : f32[4]\n\n"
        "  %0 = exp(a)\n  %1 = %0 * %0\n  s = %1 + b\n  output %1 - %0\n}\n");
  check_round_trip(v.cell);
}

TEST_CASE("a value used before the statement that names it keeps both", "[golden][print]") {
  Vectors v;
  const Value e = v.cell.map(Function::Exp, {v.a});
  v.let("s", v.cell.map(Function::Neg, {e}));
  v.let("e", e);
  v.output(e);
  CHECK(print(v.cell) ==
        "cell t {\n  input a : f32[4]\n  input b : f32[4]\n\n"
        "  %0 = exp(a)\n  s = -%0\n  e = %0\n  output %0\n}\n");
  check_round_trip(v.cell);
}

TEST_CASE("nodes that no statement reaches are not printed", "[golden][print]") {
  Vectors v;
  v.cell.map(Function::Exp, {v.a});
  v.output(v.b);
  CHECK(print(v.cell) == "cell t {\n  input a : f32[4]\n  input b : f32[4]\n\n  output b\n}\n");
}

TEST_CASE("an expression deeper than the parser reads is cut by names", "[golden][print]") {
  Vectors v;
  Value left = v.a;
  Value right = v.b;
  for (int i = 0; i < 100000; ++i) {
    left = v.cell.map(i % 2 == 0 ? Function::Exp : Function::Neg, {left});
    right = v.cell.map(Function::Sub, {v.a, right});
  }
  v.let("deep", right);
  v.output(left);
  check_round_trip(v.cell);
}

TEST_CASE("a description is the name, or the expression cut short", "[golden][print]") {
  Vectors v;
  const Value e = v.cell.map(Function::Exp, {v.a});
  CHECK(describe(v.cell, e) == "exp(a)");
  v.let("e", e);
  CHECK(describe(v.cell, e) == "e");
  Value sum = e;
  for (int i = 0; i < 8; ++i) sum = v.cell.map(Function::Add, {v.cell.map(Function::Tanh, {v.b}), sum});
  CHECK(describe(v.cell, sum) == "tanh(b) + (tanh(b) + (tanh(b) + (tanh(b) + (tanh(b) + (ta...");
}

TEST_CASE("cells of a file print with a line between them", "[golden][print]") {
  const Module module = ir::parse("cell a{output 1} cell b{output 2}").value();
  CHECK(print(module) == "cell a {\n  output 1\n}\n\ncell b {\n  output 2\n}\n");
}
