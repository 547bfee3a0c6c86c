// Cells written in C++ are the cells their text says; mistakes come back from build().
#include <cmath>
#include <functional>
#include <map>
#include <string>

#include <rnnc/builder.hpp>
#include "ir/cell.hpp"
#include "ir/print.hpp"
#include "tests/support/catch.hpp"

using namespace rnnc;
using Catch::Matchers::Equals;

namespace {

const ir::Cell& built(const Result<Model>& model) {
  if (!model) FAIL(model.error().to_string());
  REQUIRE(model->module().cells.size() == 1);
  return model->module().cells[0];
}

void check_same(const CellBuilder& builder, const Result<Model>& text) {
  const Result<Model> model = builder.build();
  INFO(ir::print(built(model)));
  CHECK(ir::equal(built(model), built(text)));
}

std::string mistake(const CellBuilder& builder) {
  const Result<Model> model = builder.build();
  return model ? "no mistake" : model.error().message;
}

}  // namespace

TEST_CASE("an LSTM written in C++ equals the standard cell's text") {
  CellBuilder cell("lstm");
  const Dim I = cell.dim("I"), H = cell.dim("H");
  const Value x = cell.input("x", {I});
  const Value h = cell.state("h", {H}), c = cell.state("c", {H});
  std::map<char, Value> W, U, b;
  for (const char gate : {'i', 'f', 'g', 'o'}) W[gate] = cell.param(std::string("W") + gate, {H, I});
  for (const char gate : {'i', 'f', 'g', 'o'}) U[gate] = cell.param(std::string("U") + gate, {H, H});
  for (const char gate : {'i', 'f', 'g', 'o'}) b[gate] = cell.param(std::string("b") + gate, {H});
  const auto sums = [&](char gate) { return matvec(W[gate], x) + matvec(U[gate], h) + b[gate]; };

  const Value i = cell.let("i", sigmoid(sums('i')));
  const Value f = cell.let("f", sigmoid(sums('f')));
  const Value g = cell.let("g", tanh(sums('g')));
  const Value o = cell.let("o", sigmoid(sums('o')));
  const Value c_next = cell.next(c, f * c + i * g);
  cell.output(cell.next("h", o * tanh(c_next)));

  check_same(cell, standard_cell("lstm"));
}

TEST_CASE("rows written in C++ equal their text") {
  CellBuilder cell("bands");
  const Dim N = cell.dim("N");
  const Value x = cell.input("x", {4 * N}), h = cell.state("h", {N});
  const Value W = cell.param("W", {N, 3 * N});
  const Value X = cell.let("X", matvec(W, windows(pad(rows(x, 4), 1, 1), 3, 1)));
  const Value Y = cell.let("Y", beside(X, reflect(slice(X, 0, 3), 0, 1)));
  cell.next(h, tanh(sum_rows(X) + mean_rows(X) * max_rows(slice(Y, 0, 4, N, 2 * N)) + fill(sum(h), N)));
  cell.output(flatten(Y));
  check_same(cell, parse("cell bands<N> { input x : f32[4*N] state h : f32[N] param W : f32[N, 3*N]"
                         " X = W @ windows(pad(rows(x, 4), 1, 1), 3, 1) Y = beside(X, reflect(X[0:3], 0, 1))"
                         " h' = tanh(sum_rows(X) + mean_rows(X) * max_rows(Y[:, N:]) + fill(sum(h), N))"
                         " output flatten(Y) }"));
}

TEST_CASE("mistakes with rows in C++ come back from build()") {
  CellBuilder cell("c");
  const Value x = cell.input("x", {12});
  cell.output(flatten(rows(x, 5)));
  CHECK_THAT(mistake(cell), Equals("x is f32[12], which is not 5 rows of equal length"));
}

TEST_CASE("a GRU written in C++ equals the standard cell's text") {
  CellBuilder cell("gru");
  const Dim I = cell.dim("I"), H = cell.dim("H");
  const Value x = cell.input("x", {I}), h = cell.state("h", {H});
  std::map<char, Value> W, U;
  for (const char gate : {'r', 'z', 'n'}) W[gate] = cell.param(std::string("W") + gate, {H, I});
  for (const char gate : {'r', 'z', 'n'}) U[gate] = cell.param(std::string("U") + gate, {H, H});
  const Value br = cell.param("br", {H}), bz = cell.param("bz", {H});
  const Value bn = cell.param("bn", {H}), bun = cell.param("bun", {H});

  const Value r = cell.let("r", sigmoid(matvec(W['r'], x) + matvec(U['r'], h) + br));
  const Value z = cell.let("z", sigmoid(matvec(W['z'], x) + matvec(U['z'], h) + bz));
  const Value n = cell.let("n", tanh(matvec(W['n'], x) + bn + r * (matvec(U['n'], h) + bun)));
  cell.output(cell.next(h, (1 - z) * n + z * h));

  check_same(cell, standard_cell("gru"));
}

TEST_CASE("slices, joins, numbers, scalars and sums of dims equal their text") {
  CellBuilder cell("odd");
  const Dim I = cell.dim("I"), H = cell.dim("H");
  const Value x = cell.input("x", {I}), gain = cell.input("gain");
  const Value s = cell.state("s", {H}), level = cell.state("level");
  const Value W = cell.param("W", {4 * H, I + 2}), k = cell.param("k");
  const Value fixed = cell.param("fixed", {2});

  const Value a = cell.let("a", matvec(W, concat(x, fixed)));
  cell.next(level, 0.5 * level + k / 2);
  cell.next(s, select(slice(a, 0, H) > 0, slice(a, H, 2 * H), -s) - gain);
  cell.output(matvec(slice(W, 3 * H, 4 * H, 0, I), x));

  check_same(cell, parse(R"(
    cell odd<I, H> {
      input x : f32[I]
      input gain : f32
      state s : f32[H]
      state level : f32
      param W : f32[4*H, I+2]
      param k : f32
      param fixed : f32[2]
      a = W @ concat(x, fixed)
      level' = 0.5 * level + k / 2
      s' = select(a[0:H] > 0, a[H:2*H], -s) - gain
      output W[3*H:4*H, 0:I] @ x
    })"));
}

// One call for each row: a new row does not compile here until the builder has its function.
static Value call(ir::Function function, const Value& a, const Value& b, const Value& c, const Value& d) {
  switch (function) {
    case ir::Function::Add: return a + b;
    case ir::Function::Sub: return a - b;
    case ir::Function::Mul: return a * b;
    case ir::Function::Div: return a / b;
    case ir::Function::Neg: return -a;
    case ir::Function::Sigmoid: return sigmoid(a);
    case ir::Function::Tanh: return tanh(a);
    case ir::Function::Relu: return relu(a);
    case ir::Function::Exp: return exp(a);
    case ir::Function::Log: return log(a);
    case ir::Function::Sqrt: return sqrt(a);
    case ir::Function::Rsqrt: return rsqrt(a);
    case ir::Function::Abs: return abs(a);
    case ir::Function::Min: return min(a, b);
    case ir::Function::Max: return max(a, b);
    case ir::Function::Erf: return erf(a);
    case ir::Function::Softplus: return softplus(a);
    case ir::Function::Softsign: return softsign(a);
    case ir::Function::Silu: return silu(a);
    case ir::Function::Gelu: return gelu(a);
    case ir::Function::Elu: return elu(a, b);
    case ir::Function::LeakyRelu: return leaky_relu(a, b);
    case ir::Function::ThresholdedRelu: return thresholded_relu(a, b);
    case ir::Function::ScaledTanh: return scaled_tanh(a, b, c);
    case ir::Function::Affine: return affine(a, b, c);
    case ir::Function::HardSigmoid: return hard_sigmoid(a, b, c);
    case ir::Function::Clip: return clip(a, b, c);
    case ir::Function::Select: return select(a > b, c, d);
    case ir::Function::SigmoidMul:
    case ir::Function::SigmoidSigmoid:
    case ir::Function::SigmoidTanh:
    case ir::Function::TanhTanh: break;  // the compiler writes these
  }
  return {};
}

static Value call(ir::Reduction reduction, const Value& a, const Value& b, const Value& c, const Value& d) {
  switch (reduction) {
    case ir::Reduction::Sum: return sum(a);
    case ir::Reduction::Mean: return mean(a);
    case ir::Reduction::Max: return max(a);
    case ir::Reduction::Argmax: return argmax(a);
    case ir::Reduction::Softmax: return softmax(a);
    case ir::Reduction::LayerNorm: return layer_norm(a, b, c, d);
  }
  return {};
}

TEST_CASE("every function of the table has its C++ function, operands in order") {
  for (const ir::FunctionFacts& row : ir::kFunctions) {
    INFO(row.name);
    CellBuilder cell("one");
    const Value a = cell.input("a", {3}), b = cell.input("b", {3}), c = cell.input("c", {3}), d = cell.input("d", {3});
    cell.output(call(row.function, a, b, c, d));
    const Result<Model> model = cell.build();
    const ir::Cell& graph = built(model);
    const ir::Node& node = graph[graph.output()];
    CHECK(node.op == ir::Op::Map);
    CHECK(node.function == row.function);
    REQUIRE(node.operands.size() == static_cast<std::size_t>(row.arity));
    for (std::uint32_t i = 0; i < node.operands.size(); ++i) CHECK(node.operands[i].index == i);
  }
}

TEST_CASE("every reduction of the table has its C++ function, operands in order") {
  for (const ir::ReductionFacts& row : ir::kReductions) {
    INFO(row.name);
    CellBuilder cell("one");
    const Value a = cell.input("a", {3}), b = cell.input("b", {3}), c = cell.input("c", {3}), d = cell.input("d");
    cell.output(call(row.reduction, a, b, c, d));
    const Result<Model> model = cell.build();
    const ir::Cell& graph = built(model);
    const ir::Node& node = graph[graph.output()];
    CHECK(node.op == ir::Op::Reduce);
    CHECK(node.reduction == row.reduction);
    REQUIRE(node.operands.size() == static_cast<std::size_t>(row.arity));
    for (std::uint32_t i = 0; i < node.operands.size(); ++i) CHECK(node.operands[i].index == i);
  }
}

TEST_CASE("names of functions stay usable for plain numbers next to the builder") {
  CellBuilder cell("one");
  const Value x = cell.input("x");
  cell.output(tanh(x) * std::tanh(0.5));
  CHECK(cell.build().ok());
}

TEST_CASE("a mistake in an expression is returned by build with both shapes") {
  CellBuilder cell("wrong");
  const Dim H = cell.dim("H");
  const Value x = cell.input("x", {3}), s = cell.state("s", {H});
  const Value W = cell.param("W", {H, 4});

  SECTION("element-wise") {
    cell.output(cell.next(s, x + s));
    CHECK_THAT(mistake(cell), Equals("shape mismatch: x is f32[3] but s is f32[H]"));
  }
  SECTION("product") {
    cell.output(cell.next(s, matvec(W, x)));
    CHECK_THAT(mistake(cell), Equals("shape mismatch: W is f32[H,4] but x is f32[3]"));
  }
  SECTION("next value") {
    cell.output(cell.next(s, tanh(x)));
    CHECK_THAT(mistake(cell), Equals("shape mismatch: s' is f32[3] but the state s is f32[H]"));
  }
  SECTION("the first of several is kept") {
    const Value bad = matvec(W, x);
    cell.output(cell.next(s, bad + (x + s)));
    CHECK_THAT(mistake(cell), Equals("shape mismatch: W is f32[H,4] but x is f32[3]"));
  }
  CHECK(cell.build().error().code == ErrorCode::ShapeMismatch);
}

TEST_CASE("a mistake in a statement or declaration is returned by build") {
  CellBuilder cell("wrong");
  const Value x = cell.input("x", {3}), s = cell.state("s", {3});

  SECTION("missing next") {
    cell.output(x);
    CHECK_THAT(mistake(cell), Equals("state s has no next value; add s' = ..."));
  }
  SECTION("missing output") {
    cell.next(s, x);
    CHECK_THAT(mistake(cell), Equals("cell wrong has no output; add output ... at its end"));
  }
  SECTION("next of something else") {
    cell.next(x, s);
    CHECK_THAT(mistake(cell), Equals("next: the first operand is not a state of cell wrong"));
  }
  SECTION("next of an unknown name") {
    cell.next("s", x);
    cell.output(cell.next("q", x));
    CHECK_THAT(mistake(cell), Equals("q' is the next value of no state"));
  }
  SECTION("a name used twice") {
    cell.let("x", s);
    cell.output(cell.next(s, x));
    CHECK_THAT(mistake(cell), Equals("x is defined twice"));
  }
  SECTION("a word that is no name") {
    cell.output(cell.next(s, cell.let("state", x + s)));
    CHECK_THAT(mistake(cell), Equals("'state' is not a name"));
  }
  SECTION("an input that is a matrix") {
    cell.input("m", {2, 2});
    CHECK(cell.build().error().code == ErrorCode::ShapeMismatch);
  }
}

TEST_CASE("values that are not of the cell are a mistake, not a crash") {
  CellBuilder cell("here");
  const Value x = cell.input("x", {3});

  SECTION("of another cell, which is gone") {
    Value y;
    {
      CellBuilder other("there");
      y = other.input("y", {3});
    }
    cell.output(x + y);
    CHECK_THAT(mistake(cell), Equals("+: operands belong to two cells, here and there"));
  }
  SECTION("both cells know of it") {
    CellBuilder other("there");
    other.output(tanh(other.input("y", {3}) * x));
    CHECK_THAT(mistake(other), Equals("*: operands belong to two cells, there and here"));
    CHECK_THAT(mistake(cell), Equals("*: operands belong to two cells, there and here"));
  }
  SECTION("no value at all") {
    cell.output(x * Value());
    CHECK_THAT(mistake(cell), Equals("*: an operand is no value, or was computed from numbers alone"));
  }
  SECTION("numbers alone") {
    cell.output(x * (Value(1) + Value(2)));
    CHECK_THAT(mistake(cell), Equals("*: an operand is no value, or was computed from numbers alone"));
  }
  SECTION("a dim of another cell") {
    CellBuilder other("there");
    cell.output(cell.param("b", {other.dim("K")}));
    CHECK_THAT(mistake(cell), Equals("cell here has no dim K"));
  }
  SECTION("a function that does not exist") {
    cell.output(apply("tan", {x}));
    CHECK_THAT(mistake(cell), Equals("there is no function tan of 1 operand"));
  }
}

TEST_CASE("a builder can go on after build, and the model it gave does not change") {
  CellBuilder cell("grows");
  const Value x = cell.input("x", {3});
  CHECK_FALSE(cell.build().ok());
  cell.output(x);
  const Result<Model> first = cell.build();
  const std::string text = ir::print(built(first));
  cell.param("b", {3});
  CHECK(cell.build().ok());
  CHECK(ir::print(built(first)) == text);
}
