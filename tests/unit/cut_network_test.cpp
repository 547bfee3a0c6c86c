// The list of calls computes what the network means, and is the list that is written down here.
#include "compiler/network/cut.hpp"

#include <cmath>

#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"

namespace rnnc::test {
namespace {

using ir::Network;
using ir::Vector;

void check_near(const Vector& found, const Vector& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool near = std::fabs(found[i] - expected[i]) <= 1e-12 || (std::isnan(found[i]) && std::isnan(expected[i]));
    INFO("element " << i << ": " << found[i] << " against " << expected[i]);
    REQUIRE(near);
  }
}

std::string calls_of(const std::string& text) { return compiler::print(compiler::cut_network(network_of(text))); }

}  // namespace

TEST_CASE("the calls of a network give the interpreter's outputs and final states", "[network][cut]") {
  std::uint64_t seed = 0;
  for (const std::string& statements : sample_networks()) {
    INFO(statements);
    const Network whole = sample_network(statements);
    const compiler::CallList list = compiler::cut_network(whole);
    CHECK(ir::equal(ir::parse(kSampleCells + ir::print(whole)).value().networks.at(0), whole));
    INFO(compiler::print(list));
    Random random(++seed);
    const ir::NamedVectors weights = random_weights(whole, random);
    const ir::NetworkBatch batch = sample_batch(random, 4, {{"T", {6, {6, 2, 0, 5}}}, {"S", {3, {1, 3, 3, 2}}}});
    ir::NamedVectors states, states_of_calls;
    const auto check_outputs = [&] {
      const std::vector<Vector> outputs = ir::interpret_outputs(whole, weights, batch, states);
      const std::vector<Vector> found = run_calls(list, weights, batch, states_of_calls);
      REQUIRE(found.size() == outputs.size());
      for (std::size_t i = 0; i < found.size(); ++i) check_near(found[i], outputs[i]);
    };
    check_outputs();
    REQUIRE(states.size() == states_of_calls.size());
    for (const auto& [name, value] : states) check_near(states_of_calls.at(name), value);
    // Streaming: what one call leaves is where the next begins.
    check_outputs();
  }
}

TEST_CASE("slices and concatenations are columns of buffers, not calls", "[network][cut]") {
  CHECK(calls_of("network n { input x : seq f32[5] a = bidirectional rnn<H=2>(x) b = rnn<H=3>(concat(a, x)[1:7]) "
                 "output concat(b, a) }") ==
        "x over T -> b0\n"
        "rnn a.fwd. over T of b0[0:5] -> b1\n"
        "reverse rnn a.bwd. over T of b0[0:5] -> b2\n"
        "rnn b. over T of b1[1:2], b2[0:2], b0[0:3] -> b3\n"
        "output over T is b3[0:3], b1[0:2], b2[0:2]\n");
}

TEST_CASE("expressions between the same scans are one call, made where they are read", "[network][cut]") {
  CHECK(calls_of("network n { input x : seq f32[3] input v : f32[3] param W : f32[3, 3] a = tanh(W @ x) b = exp(x) "
                 "c = rnn<H=3>(a * v) output last(c + b * c) + W @ v }") ==
        "x over T -> b0\n"
        "v -> b1\n"
        "n_0 over T of b0[0:3], b1[0:3] -> b2\n"
        "rnn c. over T of b2[0:3] -> b3\n"
        "n_2 over T of b0[0:3], b3[0:3] -> b4\n"
        "last over T of b4[0:3] -> b5\n"
        "n_4 of b1[0:3], b5[0:3] -> b6\n"
        "output is b6[0:3]\n"
        "\ncell n_0 {\n  input x0 : f32[3]\n  input x1 : f32[3]\n  param W : f32[3, 3]\n\n"
        "  output tanh(W @ x0) * x1\n}\n"
        "\ncell n_2 {\n  input x0 : f32[3]\n  input x7 : f32[3]\n\n  output x7 + exp(x0) * x7\n}\n"
        "\ncell n_4 {\n  input x1 : f32[3]\n  param W : f32[3, 3]\n  input x10 : f32[3]\n\n"
        "  output x10 + W @ x1\n}\n");
}

}  // namespace rnnc::test
