// These tests are of dims as polynomials.
#include "ir/dim.hpp"

#include "tests/support/catch.hpp"

using rnnc::ir::Dim;

namespace {

const Dim kI = Dim::symbol("I");
const Dim kH = Dim::symbol("H");
constexpr std::int64_t kMost = std::int64_t{1} << 62;

}  // namespace

TEST_CASE("equal dims compare equal however they were computed", "[dim]") {
  CHECK(kI + kH == kH + kI);
  CHECK(2 * (kI + kH) - kH == kH + 2 * kI);
  CHECK((kI + kH) * (kI - kH) == kI * kI - kH * kH);
  CHECK(kI - kI == Dim(0));
  CHECK(kI != kH);
  CHECK(kI * kI != kI);
}

TEST_CASE("a dim prints its names before its constant", "[dim]") {
  CHECK(Dim().to_string() == "0");
  CHECK(Dim(-3).to_string() == "-3");
  CHECK((4 * kH).to_string() == "4*H");
  CHECK((kI - 1).to_string() == "I-1");
  CHECK((1 - kI).to_string() == "-I+1");
  CHECK((kI * kH * 2 + kH).to_string() == "H+2*H*I");
}

TEST_CASE("a dim is constant when no name is left", "[dim]") {
  CHECK(Dim(7).is_constant());
  CHECK((kI - kI + 2).is_constant());
  CHECK((kI - kI + 2).value() == 2);
  CHECK(Dim().value() == 0);
  CHECK_FALSE(kI.is_constant());
}

TEST_CASE("substitute replaces the names it is given and leaves the others", "[dim]") {
  const Dim dim = 4 * kH * kI + kI - 3;
  CHECK(dim.substitute({{"H", 2}}) == 9 * kI - 3);
  CHECK(dim.substitute({{"H", 2}, {"I", 5}}) == Dim(42));
  CHECK(dim.substitute({{"J", 2}}) == dim);
}

TEST_CASE("divide finds the factor that is left, or none", "[dim]") {
  CHECK((4 * kI * kH).divide(2 * kH) == 2 * kI);
  CHECK((kI * kI - kH * kH).divide(kI + kH) == kI - kH);
  CHECK(((2 * kI + 1) * kH).divide(2 * kI + 1) == kH);
  CHECK(Dim(12).divide(-4) == Dim(-3));
  CHECK(Dim(0).divide(kI) == Dim(0));
  CHECK(!(kI + 1).divide(kI));
  CHECK(!(3 * kI).divide(2));
  CHECK(!(kI * kI + kH).divide(kI + kH));
  CHECK(!kI.divide(0));
}

TEST_CASE("linear_symbol names the only unknown of a dim of first degree", "[dim]") {
  CHECK((4 * kH + 1).linear_symbol() == "H");
  CHECK(Dim(3).linear_symbol().empty());
  CHECK((kH * kH).linear_symbol().empty());
  CHECK((kH + kI).linear_symbol().empty());
  CHECK((kH * kI).linear_symbol().empty());
}

TEST_CASE("symbols lists each name once, sorted", "[dim]") {
  CHECK((kI * kH + kI).symbols() == std::vector<std::string>{"H", "I"});
  CHECK(Dim(1).symbols().empty());
}

TEST_CASE("size counts terms and names", "[dim]") {
  CHECK(Dim().size() == 0);
  CHECK((kH * kH + kI + 1).size() == 6);
}

TEST_CASE("sums and products saturate instead of wrapping around", "[dim]") {
  CHECK(Dim(kMost) + kMost == Dim(kMost));
  CHECK(Dim(-kMost) - kMost == Dim(-kMost));
  CHECK(Dim(kMost) * 3 == Dim(kMost));
  CHECK(Dim(kMost) * -3 == Dim(-kMost));
  CHECK(Dim(std::numeric_limits<std::int64_t>::max()) == Dim(kMost));
  CHECK((kH * kH).substitute({{"H", kMost}}) == Dim(kMost));
}
