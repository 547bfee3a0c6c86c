// These tests compare networks on the interpreter with loops written out here, and ask what their dims follow from.
#include <algorithm>
#include <cmath>

#include "ir/interpret_network.hpp"
#include "ir/parse.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

using ir::NamedVectors;
using ir::Network;
using ir::Vector;

Vector run(const Network& network, const NamedVectors& weights, const ir::NetworkBatch& batch) {
  NamedVectors states;
  return ir::interpret(network, weights, batch, states);
}

void check_near(const Vector& found, const Vector& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("element " << i << ": " << found[i] << " against " << expected[i]);
    REQUIRE(std::fabs(found[i] - expected[i]) <= 1e-12);
  }
}

using Rows = std::vector<Vector>;  // of one sequence, by step

double dot(const Vector& matrix, std::size_t row, const Vector& v) {
  double sum = 0;
  for (std::size_t k = 0; k < v.size(); ++k) sum += matrix[row * v.size() + k] * v[k];
  return sum;
}

// h = tanh(W x + U h + b) over one sequence; `h` begins as the initial state and ends as the final one.
Rows elman(const NamedVectors& weights, const std::string& prefix, Rows x, Vector& h, bool reverse) {
  const Vector& b = weights.at(prefix + "b");
  if (reverse) std::reverse(x.begin(), x.end());
  Rows y;
  for (const Vector& row : x) {
    Vector next(b.size());
    for (std::size_t k = 0; k < b.size(); ++k) {
      next[k] = std::tanh(dot(weights.at(prefix + "W"), k, row) + dot(weights.at(prefix + "U"), k, h) + b[k]);
    }
    y.push_back(h = next);
  }
  if (reverse) std::reverse(y.begin(), y.end());
  return y;
}

Vector joined(const Vector& a, const Vector& b) {
  Vector result = a;
  result.insert(result.end(), b.begin(), b.end());
  return result;
}

// Sequence b of a batch [T, B, n], its own length only.
Rows sequence(const Vector& values, std::int64_t batch, std::int64_t size, std::int64_t b, std::int64_t length) {
  Rows rows;
  for (std::int64_t t = 0; t < length; ++t) {
    const auto begin = values.begin() + (t * batch + b) * size;
    rows.emplace_back(begin, begin + size);
  }
  return rows;
}

// One network with x : seq f32[2] over 3 sequences of 4 steps with lengths 4, 0 and 2; x[t, b] = (10 b + t, -(10 b +
// t)).
const std::vector<std::int64_t> kLengths = {4, 0, 2};

ir::NetworkBatch small_batch() {
  ir::NetworkBatch batch{3, {{"T", {4, kLengths}}}, {}};
  for (int t = 0; t < 4; ++t) {
    for (int b = 0; b < 3; ++b) {
      batch.inputs["x"].push_back(10 * b + t);
      batch.inputs["x"].push_back(-(10 * b + t));
    }
  }
  batch.inputs["v"] = {1, 2, 3};
  return batch;
}

Vector output_of(const std::string& statements) {
  const Network network = network_of("network n { input x : seq f32[2] input v : f32 " + statements + " }");
  return run(network, {}, small_batch());
}

}  // namespace

TEST_CASE("a bidirectional layer below a reverse one equals loops written out, for ragged lengths", "[network]") {
  const Network network = network_of(
      "network n<I> { input x : seq f32[I] a = bidirectional rnn<H=3>(x) b = rnn<H=2>(a)"
      " c = reverse rnn<H=4>(concat(a, x)) from (h = concat(b.h, a.bwd.h[1:3])) output concat(c, b) }",
      {{"I", 5}});
  Random random(7);
  const NamedVectors weights = random_weights(network, random);
  const std::int64_t steps = 6, batch = 4;
  const std::vector<std::int64_t> lengths = {3, 6, 0, 1};
  const Vector x = random_vector(random, steps * batch * 5);
  NamedVectors states;
  const Vector y = ir::interpret(network, weights, {batch, {{"T", {steps, lengths}}}, {{"x", x}}}, states);

  Vector expected(static_cast<std::size_t>(steps * batch * 6));
  for (std::int64_t s = 0; s < batch; ++s) {
    const Rows row = sequence(x, batch, 5, s, lengths[static_cast<std::size_t>(s)]);
    Vector fwd(3), bwd(3), h(2);
    const Rows forward = elman(weights, "a.fwd.", row, fwd, false), backward = elman(weights, "a.bwd.", row, bwd, true);
    Rows a, with_x;
    for (std::size_t t = 0; t < row.size(); ++t) {
      a.push_back(joined(forward[t], backward[t]));
      with_x.push_back(joined(a[t], row[t]));
    }
    const Rows b = elman(weights, "b.", a, h, false);
    Vector last = joined(h, {bwd[1], bwd[2]});
    const Rows c = elman(weights, "c.", with_x, last, true);
    for (std::size_t t = 0; t < row.size(); ++t) {
      const Vector out = joined(c[t], b[t]);
      std::copy(out.begin(), out.end(), expected.begin() + (static_cast<std::int64_t>(t) * batch + s) * 6);
    }
    check_near({states.at("c.h").begin() + s * 4, states.at("c.h").begin() + (s + 1) * 4}, last);
    check_near({states.at("a.bwd.h").begin() + s * 3, states.at("a.bwd.h").begin() + (s + 1) * 3}, bwd);
  }
  check_near(y, expected);
}

TEST_CASE("an LSTM of two directions merges them as it is told", "[network]") {
  Random random(11);
  const std::int64_t steps = 5, batch = 2;
  const Vector x = random_vector(random, steps * batch * 3);
  const ir::NetworkBatch input{batch, {{"T", {steps, {5, 3}}}}, {{"x", x}}};
  const auto text = [](const std::string& merge) {
    return "network n { input x : seq f32[3] a = bidirectional lstm<H=2>(x)" + merge + " output a }";
  };
  const NamedVectors weights = random_weights(network_of(text("")), random);
  const Vector both = run(network_of(text("")), weights, input);
  CHECK(run(network_of(text(" merge concat")), weights, input) == both);
  const Vector sum = run(network_of(text(" merge sum")), weights, input);
  const Vector mean = run(network_of(text(" merge mean")), weights, input);
  const Vector mul = run(network_of(text(" merge mul")), weights, input);
  REQUIRE(both.size() == 2 * sum.size());
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const double f = both[i / 2 * 4 + i % 2], b = both[i / 2 * 4 + 2 + i % 2];
    CHECK(sum[i] == f + b);
    CHECK(mean[i] == (f + b) / 2);
    CHECK(mul[i] == f * b);
  }
}

TEST_CASE("functions over time keep to each sequence's own length, and are 0 of an empty one", "[network]") {
  CHECK(output_of("output last(x)") == Vector{3, -3, 0, 0, 21, -21});
  CHECK(output_of("output first(x)") == Vector{0, 0, 0, 0, 20, -20});
  CHECK(output_of("output sum(x)") == Vector{6, -6, 0, 0, 41, -41});
  CHECK(output_of("output mean(x)") == Vector{1.5, -1.5, 0, 0, 20.5, -20.5});
  CHECK(output_of("output max(x)") == Vector{3, 0, 0, 0, 21, -20});
  CHECK(output_of("output sum(sum(x) * v)") == Vector{0, 0, 0});
}

TEST_CASE("a sequence that is turned has the steps of each length in reverse order", "[network]") {
  CHECK(output_of("output turned(x)") ==
        Vector{3, -3, 0, 0, 21, -21, 2, -2, 0, 0, 20, -20, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(output_of("output turned(turned(x))") == output_of("output x"));
  CHECK(output_of("output last(turned(x))") == output_of("output first(x)"));
}

TEST_CASE("expressions lift over sequences, and what is none is repeated at each step", "[network]") {
  const Vector y = output_of("output x * v + 1");
  const Vector expected = {1, 1, 0, 0, 61, -59, 2, 0, 0, 0, 64, -62, 3, -1, 0, 0, 0, 0, 4, -2, 0, 0, 0, 0};
  CHECK(y == expected);
  CHECK(output_of("output argmax(x + v)") == Vector(12, 0));
  const Vector soft = output_of("output last(softmax(x))");
  CHECK(soft[0] == Approx(1 / (1 + std::exp(-6.0))));
  CHECK(soft[2] == 0);
  CHECK(soft[4] == Approx(1));
}

TEST_CASE("a cell without states is an expression with a name, and takes several arguments", "[network]") {
  const Network network = network_of(
      "network n { input x : seq f32[2] input v : f32 a = total(x, v) output sum(a) }"
      " cell total<N> { input x : f32[N] input k : f32 param w : f32 output k * sum(x * x) + w }");
  CHECK(run(network, {{"a.w", {0.5}}}, small_batch()) ==
        Vector{0.5 * 4 + 2 * (0 + 1 + 4 + 9), 0, 0.5 * 2 + 3 * 2 * (400 + 441)});
}

TEST_CASE("a decoder runs for a number of steps given at run time and feeds its own output back", "[network]") {
  // Counts on from the argmax of v, modulo 4, by looking up what comes next.
  const Network network = network_of(
      "cell counter<V> { state token : f32 param E : f32[V, V] token' = argmax(lookup(E, token)) output token' }"
      " network n { input v : f32[4] d = counter<V=4>() steps S from (token = argmax(v)) output d }");
  CHECK(ir::times_of(network) == std::vector<std::string>{"S"});
  const NamedVectors weights = {{"d.E", {0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0}}};
  const Vector v = {9, 1, 1, 1, 0, 0, 5, 5};
  CHECK(run(network, weights, {2, {{"S", {5, {}}}}, {{"v", v}}}) == Vector{1, 3, 2, 0, 3, 1, 0, 2, 1, 3});
  CHECK(run(network, weights, {2, {{"S", {2, {2, 1}}}}, {{"v", v}}}) == Vector{1, 3, 2, 0});
}

TEST_CASE("sequences of another time have a name for it", "[network]") {
  const Network network = network_of(
      "network n { input x : seq f32[1] input y : seq<S> f32[1] a = add(x) b = add(y) from (s = a.s) output b }"
      " cell add { input x : f32[1] state s : f32[1] s' = s + x output s' }");
  CHECK(run(network, {}, {1, {{"T", {3, {}}}, {"S", {2, {}}}}, {{"x", {1, 2, 3}}, {"y", {10, 20}}}}) == Vector{16, 36});
}

TEST_CASE("an initial state that depends on weights alone is the same for every sequence", "[network]") {
  const Network network = network_of(
      "network n { input x : seq f32[2] param h : f32[2] a = add(x) from (s = 2 * h) output last(a) }"
      " cell add { input x : f32[2] state s : f32[2] s' = s + x output s' }");
  CHECK(run(network, {{"h", {100, 200}}}, small_batch()) == Vector{206, 394, 0, 0, 241, 359});
}

TEST_CASE("lookup takes the row of an integer and gives NaN for anything else", "[network]") {
  const Network network =
      network_of("network n { input i : f32 param E : f32[3, 2] output lookup(concat(E[1:3], E[0:1]), i) }");
  const Vector y = run(network, {{"E", {1, 2, 3, 4, 5, 6}}}, {5, {}, {{"i", {0, 2, 3, -1, 0.5}}}});
  CHECK(Vector(y.begin(), y.begin() + 4) == Vector{3, 4, 1, 2});
  CHECK(std::all_of(y.begin() + 4, y.end(), [](double e) { return std::isnan(e); }));
}

TEST_CASE("dims of a scan follow from its arguments and states, and else from weights", "[network][dims]") {
  const ir::Network network =
      ir::parse("network n<V> { input x : seq f32[V+1] a = lstm(x) b = reverse gru<H=2*V>(concat(a, x)) output b }")
          .value()
          .networks.at(0);
  CHECK(network[network.output()].type.to_string() == "seq f32[2*V]");
  CHECK(ir::implied_dims(network) == std::vector<std::string>{"a.H"});
  const std::map<std::string, Shape> shapes = {{"a.Wf", {7, 4}}};
  const ir::DimBindings dims = ir::infer_dims(network, shapes, {}).value();
  CHECK(dims == ir::DimBindings{{"V", 3}, {"a.H", 7}});
  const ir::Network bound = ir::bind_dims(network, dims).value();
  std::map<std::string, std::string> types;
  for (const ir::Weight& weight : ir::weights_of(bound)) types[weight.name] = weight.type.to_string();
  CHECK(types.at("a.Ui") == "f32[7,7]");
  CHECK(types.at("b.Wr") == "f32[6,11]");
  CHECK(types.size() == 12 + 10);
}

TEST_CASE("a state's initial value tells a dim", "[network][dims]") {
  const ir::Network network =
      network_of("network n { input x : seq f32[3] input v : f32[9] a = gru(x) from (h = v) output a }");
  CHECK(network[network.output()].type.to_string() == "seq f32[9]");
}

TEST_CASE("a value may have the name of a cell, which is called behind it all the same", "[network]") {
  const ir::Network network = network_of(
      "network n { input x : seq f32[3] gru = gru<H=4>(x) b = reverse gru<H=5>(gru) gru2 = gru<H=2>(b) output b }");
  CHECK(network[network.output()].type.to_string() == "seq f32[5]");
}

TEST_CASE("a cell of the file goes before a standard cell of its name, above or below", "[network]") {
  const std::string net = "network n { input x : seq f32[3] a = gru(x) output a }";
  const std::string cell = "cell gru<I> { input x : f32[I] output x[0:1] }";
  for (const std::string& text : {net + cell, cell + net}) {
    const ir::Network network = network_of(text);
    CHECK(network[network.output()].type.to_string() == "seq f32[1]");
  }
}

}  // namespace rnnc::test
