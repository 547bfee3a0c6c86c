// Networks built in C++ are those of their text, and mistakes come back from build().
#include <rnnc/builder.hpp>

#include "ir/cell.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

using Catch::Matchers::Equals;

std::string mistake(const NetworkBuilder& network) {
  const Result<Model> model = network.build();
  return model ? "" : model.error().to_string();
}

void check_same(const NetworkBuilder& network, const std::string& text) {
  const Result<Model> built = network.build();
  REQUIRE((built ? "" : built.error().to_string()) == "");
  const Model parsed = parse(text).value();
  INFO(built->text());
  CHECK(ir::equal(built->module().networks.at(0), parsed.module().networks.at(0)));
  CHECK(ir::equal(parse(built->text()).value().module().networks.at(0), parsed.module().networks.at(0)));
}

}  // namespace

TEST_CASE("a network of the builder is the one of its text") {
  NetworkBuilder network("tagger");
  const Dim V = network.dim("V");
  const Value x = network.sequence("x", {40}), v = network.input("v", {V});
  const Value a =
      network.scan("a", "lstm", {x}, {.direction = Direction::Bidirectional, .merge = Merge::Sum, .dims = {{"H", 64}}});
  const Value c = network.scan("c", "gru", {concat(a, x)},
                               {.direction = Direction::Reverse, .initial = {{"h", network.final_state(a, "fwd.h")}}});
  const Value W = network.param("W", {V, 64});
  network.output(softmax(matvec(W, last(c) + mean(c) + first(a)) + v));
  check_same(network,
             "network tagger<V> { input x : seq f32[40] input v : f32[V] a = bidirectional lstm<H=64>(x) merge sum "
             "c = reverse gru(concat(a, x)) from (h = a.fwd.h) param W : f32[V, 64] "
             "output softmax(W @ (last(c) + mean(c) + first(a)) + v) }");
}

TEST_CASE("the builder's networks scan cells of a model, for a number of steps given at run time") {
  const std::string cells = "cell count { state s : f32 param E : f32[4, 4] s' = argmax(lookup(E, s)) output s' }";
  NetworkBuilder network("n", parse(cells).value());
  const Value y = network.sequence("y", {}, "S");
  const Value d = network.scan("d", "count", {}, {.steps = "S"});
  network.output(d * y);
  check_same(network, cells + "network n { input y : seq<S> f32 d = count() steps S output d * y }");
}

TEST_CASE("a network of the builder has the outputs of its text") {
  NetworkBuilder network("n");
  const Value x = network.sequence("x", {3});
  const Value a = network.scan("a", "rnn", {network.output(x)}, {.dims = {{"H", 4}}});
  network.output("energy", sum(network.output("x", a * a)));
  check_same(network,
             "network n { input x : seq f32[3] output x a = rnn<H=4>(x) output x = a * a output energy = sum(a * a) }");
}

TEST_CASE("mistakes in networks come back from build") {
  NetworkBuilder network("n");
  const Value x = network.sequence("x", {3});
  SECTION("outputs") {
    network.output(x);
    network.output("", x);
    CHECK_THAT(mistake(network),
               Equals("every output but the first needs a name, as in output energy = ...; concat(a, b) joins several "
                      "values to one output"));
  }
  SECTION("the name of an output") {
    network.output("a b", x);
    CHECK_THAT(mistake(network), Equals("'a b' is not a name"));
  }
  SECTION("an unknown cell") {
    network.output(network.scan("a", "lstn", {x}));
    CHECK_THAT(mistake(network), Equals("there is no cell 'lstn'; did you mean lstm?"));
  }
  SECTION("a shape") {
    network.output(network.scan("a", "lstm", {x}, {.dims = {{"I", 4}}}));
    CHECK_THAT(mistake(network), Equals("shape mismatch: input x of lstm is f32[4] but x is seq f32[3]\n"
                                        "standard cell lstm:4:9: note: x declared here\n"
                                        "    4 |   input x : f32[I]\n"
                                        "      |         ^"));
  }
  SECTION("two scans of one name") {
    network.scan("a", "gru", {x});
    network.output(network.scan("a", "rnn", {x}));
    CHECK_THAT(mistake(network), Equals("a is defined twice"));
  }
  SECTION("a word of the language as a name") {
    network.output(network.let("merge", x));
    CHECK_THAT(mistake(network), Equals("'merge' is not a name"));
  }
  SECTION("a final state of what is no scan") {
    network.output(network.final_state(x, "h"));
    CHECK_THAT(mistake(network), Equals("only a scan has final states, as in a.h of a = lstm(x): x is seq f32[3]"));
  }
  SECTION("time in a cell") {
    CellBuilder cell("c");
    cell.output(last(cell.input("x", {3})));
    CHECK(cell.build().error().to_string() == "last takes a sequence: x is f32[3]");
  }
}

}  // namespace rnnc::test
