// Equations of Einsum look alike: each stands beside the plain nodes that compute the same, and some are refused.
// s is [T,B,3], what an RNN gives; M [3,3] and v [3] are constants.
#include <span>
#include <string>
#include <vector>

#include <rnnc/import.hpp>

#include "tests/errors/onnx_lstm.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

using namespace onnx;

std::string constant(const std::string& name, const Dims& dims, const std::vector<float>& values) {
  return bytes(5, tensor(name, dims, raw(values)));
}

Result<Imported> imported(const std::string& nodes) {
  const std::string text =
      model(node("RNN", {"X", "W", "R"}, {"Y"}, integer("hidden_size", 3)) + node("Squeeze", {"Y", "one"}, {"s"}) +
            nodes + constant("W", {1, 3, 2}, {0.5f, -0.25f, 0.75f, 1, -0.5f, 0.125f}) +
            constant("R", {1, 3, 3}, {0.1f, 0.2f, -0.3f, 0.4f, -0.5f, 0.6f, 0.7f, -0.8f, 0.9f}) +
            constant("M", {3, 3}, {0.3f, -0.1f, 0.2f, 0.5f, 0.7f, -0.4f, -0.6f, 0.8f, 0.9f}) +
            constant("v", {3}, {0.5f, -1, 2}) + constant("column", {3, 1}, {0.5f, -1, 2}) +
            constant("total", {}, {1.5f}) + initializer("one", {1}, {1}) + initializer("two", {1}, {2}) +
            initializer("three", {1}, {3}) + input("X", {-1, -1, 2}) + output("out"));
  return import_model(std::as_bytes(std::span(text)), "m.onnx");
}

std::string einsum(const std::string& equation, const Names& operands) {
  return node("Einsum", operands, {"out"}, text("equation", equation));
}

struct Same {
  std::string equation;
  Names operands;
  std::string nodes;  // that give the same
};

const std::string kSquare = node("Mul", {"s", "s"}, {"square"});
const std::string kOuter = node("Unsqueeze", {"s", "three"}, {"left"}) + node("Unsqueeze", {"s", "two"}, {"right"}) +
                           node("Mul", {"left", "right"}, {"outer"});

std::string transposed(const std::string& of, const Dims& perm) {
  return node("Transpose", {of}, {"out"}, integers("perm", perm));
}
std::string summed(const std::string& of, std::int64_t axis) {
  return node("ReduceSum", {of, "axis"}, {"out"}, integer("keepdims", 0)) + initializer("axis", {1}, {axis});
}

const Same kSame[] = {
    // The same letters; which of the matrix's two is summed decides.
    {"tbd,de->tbe", {"s", "M"}, node("MatMul", {"s", "M"}, {"out"})},
    {"tbd,ed->tbe", {"s", "M"}, node("Transpose", {"M"}, {"N"}) + node("MatMul", {"s", "N"}, {"out"})},
    {"de,tbd->tbe", {"M", "s"}, node("MatMul", {"s", "M"}, {"out"})},
    {" tbd , de -> tbe ", {"s", "M"}, node("MatMul", {"s", "M"}, {"out"})},
    {"tbD,De", {"s", "M"}, node("MatMul", {"s", "M"}, {"p"}) + transposed("p", {1, 2, 0})},
    // The output is transposed, or not.
    {"tbd,e->tbde", {"s", "v"}, node("Unsqueeze", {"s", "three"}, {"w"}) + node("Mul", {"w", "v"}, {"out"})},
    {"tbd,e->tbed",
     {"s", "v"},
     node("Unsqueeze", {"s", "three"}, {"w"}) + node("Mul", {"w", "v"}, {"p"}) + transposed("p", {0, 1, 3, 2})},
    // A letter that is kept multiplies, one that both have and the output lacks is summed, one of a single operand too.
    {"tbd,d->tbd", {"s", "v"}, node("Mul", {"s", "v"}, {"out"})},
    {"tbd,d->tb", {"s", "v"}, node("MatMul", {"s", "column"}, {"out"})},
    {"tbd,e->tbd", {"s", "v"}, node("Mul", {"s", "total"}, {"out"})},
    {"tbd,de->tbde", {"s", "M"}, node("Unsqueeze", {"s", "three"}, {"w"}) + node("Mul", {"w", "M"}, {"out"})},
    {"tbd,de->tbd", {"s", "M"}, node("Mul", {"s", "rows"}, {"out"}) + constant("rows", {3}, {0.4f, 0.8f, 1.1f})},
    // Two values.
    {"tbd,tbd->tbd", {"s", "s"}, node("Mul", {"s", "s"}, {"out"})},
    {"tbd,tbd->tb", {"s", "s"}, kSquare + summed("square", 2)},
    {"tbd,tbe->tbde", {"s", "s"}, kOuter + node("Identity", {"outer"}, {"out"})},
    {"tbd,tbe->tbd", {"s", "s"}, kOuter + summed("outer", 3)},
    {"tbd,tbe->bde", {"s", "s"}, kOuter + summed("outer", 0)},
    {"tbd,tbd->bd", {"s", "s"}, kSquare + summed("square", 0)},
    // One.
    {"tbd->btd", {"s"}, transposed("s", {1, 0, 2})},
    {"tbd->tb", {"s"}, summed("s", 2)},
    {"tbd->bd", {"s"}, summed("s", 0)},
    {"tbd", {"s"}, transposed("s", {1, 2, 0})},
};

struct Refused {
  std::string equation;
  Names operands;
  std::string error;
};

const Refused kRefused[] = {
    {"...d,de->...e", {"s", "M"}, "\"...d,de->...e\" has an ellipsis; write a letter for each dimension instead"},
    {"tbd,dd->tbd", {"s", "M"}, "takes a diagonal: \"d\" stands twice in one operand; take the diagonal before"},
    {"tbb->tb", {"s"}, "takes a diagonal: \"b\" stands twice in one operand"},
    {"tbd,de->tbee", {"s", "M"}, "has \"e\" in its output, which must be a letter of an operand and stand there once"},
    {"tbd,de->tbf", {"s", "M"}, "has \"f\" in its output, which must be a letter of an operand"},
    {"tbd,de->tb,e", {"s", "M"}, "has \",\" in its output"},
    {"tb1,1e->tbe", {"s", "M"}, "has \"1\" where a letter must stand"},
    {"tbd,de->tb->e", {"s", "M"}, "has \"-\" where a letter must stand"},
    {"tbd,de,e->tb", {"s", "M", "v"}, "multiplies more than two operands; write several Einsum of two"},
    {"tbd->tb", {"s", "M"}, "is of 1 operands, but there are 2"},
    {"tb,de->tbe", {"s", "M"}, "has \"tb\" for an operand of [T,B,3]"},
    {"tbd,td->tb", {"s", "M"}, "has \"t\" for dimensions [T] and [3]"},
    {"tbd,tdb->td", {"s", "s"}, "has \"d\" for dimensions [3] and [B]"},
    {"tbd,ubd->tub", {"s", "s"}, "relates each step or sequence with every other"},
    {"tbd,tcd->tbc", {"s", "s"}, "relates each step or sequence with every other"},
    {"tbd->td", {"s"}, "reduces other than the steps of a sequence, or the features: [T,B,3]"},
    {"de,ef->df", {"M", "M"}, "none of its operands depends on the model's input"},
};

}  // namespace

TEST_CASE("Einsum gives what the plain nodes of its equation give", "[conformance][import]") {
  const ir::Vector x = {0.3, -0.9, 1.2, 0.4, -0.6, 0.8, 1.1, -0.2, 0.5, 0.7, -1.3, 0.9};  // [3,2,2]
  for (const Same& one : kSame) {
    INFO(one.equation);
    const Result<Imported> own = imported(einsum(one.equation, one.operands)), plain = imported(one.nodes);
    if (!own) INFO(own.error().to_string());
    REQUIRE(own.ok());
    if (!plain) INFO(plain.error().to_string());
    REQUIRE(plain.ok());
    const ir::Vector expected = interpret_imported(*plain, x, 3, 2);
    CHECK(expected.size() >= 6);
    CHECK(largest_difference(interpret_imported(*own, x, 3, 2), expected) <= 1e-6);
  }
}

TEST_CASE("an equation of Einsum that is not understood is refused by name", "[errors][import]") {
  for (const Refused& one : kRefused) {
    INFO(one.equation);
    const Result<Imported> result = imported(einsum(one.equation, one.operands));
    REQUIRE(!result.ok());
    INFO(result.error().to_string());
    CHECK(result.error().to_string().find(one.error) != std::string::npos);
  }
  const Result<Imported> missing = imported(node("Einsum", {"s", "M"}, {"out"}));
  REQUIRE(!missing.ok());
  CHECK(missing.error().to_string().find("attribute equation is missing") != std::string::npos);
}

}  // namespace rnnc::test
