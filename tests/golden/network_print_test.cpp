// Networks stand beside the text that they print as, which makes the same network again.
#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"

using namespace rnnc;

namespace {

struct Golden {
  const char* reason;
  const char* statements;  // of a network with x : seq f32[I], y : seq<S> f32[2], a vector v : f32[2] and W : f32[2, I]
  const char* printed;
};

constexpr std::string_view kHead =
    "network n<I> {\n  input x : seq f32[I]\n  input y : seq<S> f32[2]\n  input v : f32[2]\n  param W : f32[2, I]\n\n "
    " ";

const Golden kGolden[] = {
    {"forward and concat go without saying",
     "a = forward gru<H = 2*I>(x) b = bidirectional gru<H=3>(x) merge concat output a",
     "a = gru<H=2*I>(x)|b = bidirectional gru<H=3>(x)|output a"},
    {"merge, steps and from in this order",
     "a = bidirectional lstm<H=2>(v) merge mul steps S from (fwd.h=v, bwd.c = v + v) output concat(a, y)",
     "a = bidirectional lstm<H=2>(v) merge mul steps S from (fwd.h = v, bwd.c = v + v)|output concat(a, y)"},
    {"a final state is part of an expression", "a = reverse rnn<H=2>(x) output tanh(a.h + v)[0:1]",
     "a = reverse rnn<H=2>(x)|output tanh(a.h + v)[0:1]"},
    {"a scan with a second name", "a = rnn<H=2>(x) b = a output b + a", "a = rnn<H=2>(x)|b = a|output a + a"},
    {"over time where the operand is a sequence, over features where it is none",
     "output sum(max(W @ x) + mean(y)) * mean(v) + last(W @ x) + first(y)",
     "output sum(max(W @ x) + mean(y)) * mean(v) + last(W @ x) + first(y)"},
    {"expressions as arguments", "a = rnn(tanh(W @ x)) from (h = lookup(W, argmax(v))) output a",
     "a = rnn(tanh(W @ x)) from (h = lookup(W, argmax(v)))|output a"},
    {"outputs in their order, with the names that they have",
     "a = rnn<H=2>(x) output tanh(a) output energy=sum(tanh(a)) b = a + v output x = y output v = b",
     "a = rnn<H=2>(x)|output tanh(a)|output energy = sum(tanh(a))|b = a + v|output x = y|output v = b"},
    {"a first output with a name", "output probs = softmax(v)", "output probs = softmax(v)"},
    {"T is the time of seq", "a = rnn<H=2>(v) steps T output x[0:1] + a[0:1]",
     "a = rnn<H=2>(v) steps T|output x[0:1] + a[0:1]"},
};

std::string in_network(std::string_view statements) {
  std::string text(kHead);
  for (const char c : statements) text += c == '|' ? "\n  " : std::string(1, c);
  return text + "\n}\n";
}

void check_round_trip(const ir::Network& network) {
  const std::string text = ir::print(network);
  INFO(text);
  const Result<ir::Module> module = ir::parse(text);
  REQUIRE((module ? "" : module.error().to_string()) == "");
  REQUIRE(module->networks.size() == 1);
  CHECK(ir::equal(network, module->networks[0]));
  CHECK(ir::print(module->networks[0]) == text);
}

ir::Network network_of(const std::string& text) {
  const Result<ir::Module> module = ir::parse(text);
  REQUIRE((module ? "" : module.error().to_string()) == "");
  return module->networks.at(0);
}

}  // namespace

TEST_CASE("statements of networks print as written down here", "[golden][print]") {
  for (const Golden& golden : kGolden) {
    INFO(golden.reason);
    const ir::Network network = network_of(in_network(golden.statements));
    CHECK(ir::print(network) == in_network(golden.printed));
    check_round_trip(network);
  }
}

TEST_CASE("a bound network prints numbers, also for dims that only weights told", "[golden][print]") {
  const ir::Network network =
      network_of("network n<I> { input x : seq f32[I] a = bidirectional gru(x) output last(a) }");
  const ir::Network bound = ir::bind_dims(network, {{"I", 3}, {"a.H", 4}}).value();
  CHECK(ir::print(bound) ==
        "network n {\n  input x : seq f32[3]\n\n  a = bidirectional gru<H=4>(x)\n  output last(a)\n}\n");
  check_round_trip(bound);
}

TEST_CASE("a file of cells and networks makes the round trip", "[golden][print]") {
  const std::string text =
      "network n {\n  input x : seq f32\n\n  a = twice(x)\n  output a\n}\n\n"
      "cell twice {\n  input x : f32\n\n  output 2 * x\n}\n";
  const ir::Module module = ir::parse(text).value();
  const ir::Module again = ir::parse(ir::print(module)).value();
  REQUIRE(again.cells.size() == 1);
  REQUIRE(again.networks.size() == 1);
  CHECK(ir::equal(module.cells[0], again.cells[0]));
  CHECK(ir::equal(module.networks[0], again.networks[0]));
}

TEST_CASE("networks that differ in a scan are not equal", "[golden][equal]") {
  const auto with = [](const std::string& scan) {
    return network_of("network n { input x : seq f32[2] input v : f32[2] a = " + scan + " output sum(a) }");
  };
  const ir::Network network = with("gru<H=2>(x)");
  CHECK(ir::equal(network, with("forward gru<H=2>(x)")));
  for (const char* other : {"reverse gru<H=2>(x)", "gru<H=3>(x)", "gru_cho<H=2>(x)", "gru<H=2>(x) from (h = v)",
                            "bidirectional gru<H=1>(x)", "gru<H=2>(v) steps T", "gru<H=2>(2 * x)"}) {
    INFO(other);
    CHECK_FALSE(ir::equal(network, with(other)));
  }
  CHECK_FALSE(ir::equal(with("bidirectional gru<H=2>(x) merge sum"), with("bidirectional gru<H=2>(x) merge mul")));
}
