// These tests ask what verify accepts and refuses of cells that no parser made, and how dims are bound and inferred.
// The messages of what text can get wrong are in tests/errors/parse_errors_test.cpp.
#include "ir/verify.hpp"

#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/wrong_text.hpp"

using namespace rnnc;
using namespace rnnc::ir;

namespace {

Cell cell_of(std::string_view text) { return parse(text, "t.rnn").value().cells.at(0); }

Value declare(Cell& cell, Op op, std::string name, std::vector<Dim> dims) {
  Node node;
  node.op = op;
  node.name = std::move(name);
  node.type.dims = std::move(dims);
  return cell.append(std::move(node));
}

// A cell with the input x : f32[3] that gives x back.
Cell copy_cell() {
  Cell cell;
  cell.name = "copy";
  const Value x = declare(cell, Op::Input, "x", {3});
  cell.statements.push_back({Statement::Kind::Output, "", x, {}});
  return cell;
}

std::string verify_error(const Cell& cell) {
  const Result<void> result = verify(cell);
  return result ? "" : test::without_excerpts(result.error());
}

std::string infer_error(const Cell& cell, const Node& node) {
  const Result<Type> result = infer_type(cell, node);
  return result ? "" : test::without_excerpts(result.error());
}

std::string bind_error(const Cell& cell, const DimBindings& bindings) {
  const Result<Cell> result = bind_dims(cell, bindings);
  return result ? "" : test::without_excerpts(result.error());
}

std::string dims_error(const Cell& cell, const std::map<std::string, Shape>& shapes, DimBindings bindings = {}) {
  const Result<DimBindings> result = infer_dims(cell, shapes, std::move(bindings));
  return result ? "" : test::without_excerpts(result.error());
}

constexpr std::string_view kLstmHead =
    "cell t<I, H> { input x : f32[I] state h : f32[H] param W : f32[4*H, I + H] param b : f32[4*H]\n"
    " h' = tanh(W[0:H] @ concat(x, h) + b[H:2*H]) output h' }";

}  // namespace

TEST_CASE("a cell built node by node verifies", "[verify]") { CHECK(verify_error(copy_cell()).empty()); }

TEST_CASE("verify refuses a node that uses a later one", "[verify]") {
  Cell cell = copy_cell();
  cell.map(Function::Neg, {Value{0}});
  cell.nodes[1].operands = {Value{1}};
  CHECK(verify_error(cell) == "node 1 uses node 1, which does not come before it");
  cell.nodes[1].operands = {Value{1000}};
  CHECK(verify_error(cell) == "node 1 uses node 1000, which does not come before it");
}

TEST_CASE("verify refuses a type that does not follow from the operands", "[verify]") {
  Cell cell = copy_cell();
  cell.map(Function::Neg, {Value{0}});
  cell.nodes[1].type = Type{{4}};
  CHECK(verify_error(cell) == "node says f32[4] but computes f32[3]");
}

TEST_CASE("verify refuses names that text could not hold", "[verify]") {
  for (const std::string name : {"", "1x", "a b", "input", "h'", "%1"}) {
    Cell cell = copy_cell();
    cell.nodes[0].name = name;
    CHECK(verify_error(cell) == "'" + name + "' is not a name");
    cell = copy_cell();
    cell.name = name;
    CHECK(verify_error(cell) == "'" + name + "' is not a name");
    cell = copy_cell();
    cell.dims = {name};
    CHECK(verify_error(cell) == "'" + name + "' is not a name");
    cell = copy_cell();
    cell.statements.push_back({Statement::Kind::Let, name, Value{0}, {}});
    CHECK(verify_error(cell) == "'" + name + "' is not a name");
  }
}

TEST_CASE("verify refuses a name, a dim or a next value that is there twice", "[verify]") {
  Cell cell = copy_cell();
  cell.statements.push_back({Statement::Kind::Let, "x", Value{0}, {}});
  CHECK(verify_error(cell) == "x is defined twice");
  cell = copy_cell();
  cell.dims = {"I", "I"};
  CHECK(verify_error(cell) == "dim I is declared twice");
  cell = copy_cell();
  const Value h = declare(cell, Op::State, "h", {3});
  cell.statements.push_back({Statement::Kind::Next, "h", h, {}});
  CHECK(verify_error(cell).empty());
  cell.statements.push_back({Statement::Kind::Next, "h", h, {}});
  CHECK(verify_error(cell) == "h' is defined twice");
}

TEST_CASE("verify refuses statements that lead nowhere", "[verify]") {
  Cell cell = copy_cell();
  cell.statements.push_back({Statement::Kind::Next, "h", Value{0}, {}});
  CHECK(verify_error(cell) == "h' is the next value of no state");
  cell = copy_cell();
  cell.statements[0].value = Value{7};
  CHECK(verify_error(cell) == "statement names no node");
  cell = copy_cell();
  cell.statements.push_back(cell.statements[0]);
  CHECK(verify_error(cell) == "a cell has one output; concat(a, b) joins several values");
  cell.statements.clear();
  CHECK(verify_error(cell) == "cell copy has no output; add output ... at its end");
}

TEST_CASE("verify refuses a dim that the cell does not declare", "[verify]") {
  Cell cell = copy_cell();
  declare(cell, Op::Param, "W", {Dim::symbol("H")});
  CHECK(verify_error(cell) == "cell copy has no dim H");
  cell = copy_cell();
  cell.slice(Value{0}, Dim::symbol("K"), Dim::symbol("K") + 1);
  CHECK(verify_error(cell) == "cell copy has no dim K");
}

TEST_CASE("infer_type answers for malformed nodes instead of touching what is not there", "[verify]") {
  const Cell cell = copy_cell();
  Node node;
  node.operands = {Value{9}};
  CHECK(infer_error(cell, node) == "operand 9 comes after its user");
  node.operands = {Value{0}};
  CHECK(infer_error(cell, node) == "a constant takes no operands, not 1");
  node.op = Op::Input;
  CHECK(infer_error(cell, node) == "a declaration takes no operands, not 1");
  node.operands.clear();
  const std::map<Op, std::string> wanted = {
      {Op::Slice, "a slice takes 1 operand, not 0"}, {Op::Concat, "concat takes at least 1 operand, not 0"},
      {Op::Matvec, "@ takes 2 operands, not 0"},     {Op::Map, "+ takes 2 operands, not 0"},
      {Op::Reduce, "sum takes 1 operand, not 0"},    {Op::Hoist, "hoist takes 1 operand, not 0"}};
  for (const auto& [op, message] : wanted) {
    node.op = op;
    CHECK(infer_error(cell, node) == message);
  }
  node.op = Op::Slice;
  node.operands = {Value{0}};
  CHECK(infer_error(cell, node) == "a slice without a range");
  node.op = Op::Map;
  node.function = static_cast<Function>(200);
  CHECK(infer_error(cell, node) == "a function that does not exist");
  node.op = Op::Reduce;
  node.reduction = static_cast<Reduction>(200);
  CHECK(infer_error(cell, node) == "a reduction that does not exist");
  node.op = static_cast<Op>(200);
  CHECK(infer_error(cell, node) == "an op that does not exist");
}

TEST_CASE("a map spreads scalars and is a scalar where all its operands are", "[verify]") {
  Cell cell = copy_cell();
  const Value k = cell.constant(2);
  CHECK(cell[cell.map(Function::Add, {k, k})].type == Type{});
  CHECK(cell[cell.map(Function::Add, {k, Value{0}})].type == Type{{3}});
  CHECK(cell[cell.map(Function::Clip, {Value{0}, k, k})].type == Type{{3}});
}

TEST_CASE("a node prints as unreadable where it is malformed, without reading past the graph", "[verify]") {
  Cell cell = copy_cell();
  const Value v = cell.map(Function::Add, {Value{0}, Value{0}});
  cell.nodes[v.index].operands = {Value{900}};
  cell.statements.push_back({Statement::Kind::Let, "y", v, {}});
  cell.statements.push_back({Statement::Kind::Let, "z", Value{77}, {}});
  CHECK(print(cell) == "cell copy {\n  input x : f32[3]\n\n  output x\n  y = %? + %?\n  z = %?\n}\n");
}

TEST_CASE("bind_dims puts numbers everywhere and leaves a cell that verifies", "[verify][dims]") {
  const Cell bound = bind_dims(cell_of(kLstmHead), {{"I", 3}, {"H", 5}}).value();
  CHECK(bound.dims.empty());
  CHECK(verify_error(bound).empty());
  CHECK(print(bound) ==
        "cell t {\n  input x : f32[3]\n  state h : f32[5]\n  param W : f32[20, 8]\n  param b : f32[20]\n\n"
        "  h' = tanh(W[0:5] @ concat(x, h) + b[5:10])\n  output h'\n}\n");
}

TEST_CASE("a bound cell binds again to itself", "[verify][dims]") {
  const Cell bound = bind_dims(cell_of(kLstmHead), {{"I", 3}, {"H", 5}}).value();
  CHECK(equal(bound, bind_dims(bound, {}).value()));
}

TEST_CASE("a dim that nothing uses needs no value", "[verify][dims]") {
  CHECK(bind_error(cell_of("cell t<I, K> { input x : f32[I] output x }"), {{"I", 3}}).empty());
}

TEST_CASE("bind_dims names the dim that is missing, unknown or too small", "[verify][dims]") {
  const Cell cell = cell_of(kLstmHead);
  CHECK(bind_error(cell, {{"I", 3}}) == "t.rnn:1:6: cell t: dim H has no value; give one, as in H=128");
  CHECK(bind_error(cell, {{"I", 3}, {"H", 5}, {"J", 1}}) == "t.rnn:1:6: cell t has no dim J; it has I, H");
  CHECK(bind_error(cell, {{"I", 0}, {"H", 5}}) == "t.rnn:1:6: cell t: dim I is 0, but must be at least 1");
  CHECK(bind_error(copy_cell(), {{"I", 1}}) == "cell copy has no dim I; it has none");
}

TEST_CASE("bind_dims finds what only numbers show", "[verify][dims]") {
  const Cell slice = cell_of("cell t<I, H> { input x : f32[I]\n output x[0:H] }");
  CHECK(bind_error(slice, {{"I", 4}, {"H", 4}}).empty());
  CHECK(bind_error(slice, {{"I", 4}, {"H", 5}}) ==
        "t.rnn:2:9: slice [0:5] does not fit: x is f32[4], and a slice [a:b] takes elements a to b-1, with "
        "0 <= a < b <= 4\nt.rnn:1:22: note: x declared here");
  const Cell difference = cell_of("cell t<I, H> { input x : f32[I-H] output x }");
  CHECK(bind_error(difference, {{"I", 4}, {"H", 4}}) == "t.rnn:1:22: x is f32[0], but a dim must be at least 1");
  const Cell large = cell_of("cell t<I> { input x : f32[I]\n param W : f32[I, I] output x }");
  CHECK(bind_error(large, {{"I", 46340}}).empty());
  CHECK(bind_error(large, {{"I", 46341}}) ==
        "t.rnn:2:8: W is f32[46341,46341]; a tensor may have at most 2147483648 elements");
  CHECK(bind_error(large, {{"I", 16777217}}) == "t.rnn:1:19: x is f32[16777217]; a dim may be at most 16777216");
  CHECK(bind_error(large, {{"I", std::numeric_limits<std::int64_t>::max()}}) ==
        "t.rnn:1:19: x is f32[4611686018427387904]; a dim may be at most 16777216");
}

TEST_CASE("infer_dims solves the shapes of params, one through another", "[verify][dims]") {
  const Cell cell = cell_of(kLstmHead);
  const DimBindings both = {{"H", 5}, {"I", 3}};
  CHECK(infer_dims(cell, {{"W", {20, 8}}}, {}).value() == both);
  CHECK(infer_dims(cell, {{"b", {20}}}, {{"I", 3}}).value() == both);
  CHECK(infer_dims(cell, {{"b", {20}}}, {}).value() == DimBindings{{"H", 5}});
  CHECK(infer_dims(cell, {{"other", {1, 2, 3}}}, {}).value().empty());
  const Cell chain = cell_of("cell t<I, H> { input x : f32[I] param A : f32[I+H] param b : f32[H] output x }");
  CHECK(infer_dims(chain, {{"A", {8}}, {"b", {5}}}, {}).value() == both);
}

TEST_CASE("infer_dims names the tensor that does not fit", "[verify][dims]") {
  const Cell cell = cell_of(kLstmHead);
  CHECK(dims_error(cell, {{"b", {20, 1}}}) ==
        "t.rnn:1:82: shape mismatch: b is f32[4*H] but the tensor given for it is [20,1]");
  CHECK(dims_error(cell, {{"b", {22}}}) ==
        "t.rnn:1:82: shape mismatch: b is f32[4*H] for any H of at least 1 but the tensor given for it is [22]");
  CHECK(dims_error(cell, {{"b", {0}}}) ==
        "t.rnn:1:82: shape mismatch: b is f32[4*H] for any H of at least 1 but the tensor given for it is [0]");
  CHECK(dims_error(cell, {{"W", {20, 8}}, {"b", {24}}}) ==
        "t.rnn:1:82: shape mismatch: b is f32[4*H] with H=5 but the tensor given for it is [24]");
  CHECK(dims_error(cell, {{"b", {20}}}, {{"H", 6}}) ==
        "t.rnn:1:82: shape mismatch: b is f32[4*H] with H=6 but the tensor given for it is [20]");
}
