// These tests ask for every message that the text of a wrong network can get, word for word.
#include <string>

#include <rnnc/compile.hpp>

#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/wrong_text.hpp"

using namespace rnnc;

namespace {

std::string error_of(std::string_view text) {
  const Result<ir::Module> module = ir::parse(text, "t.rnn");
  return module ? "" : test::without_excerpts(module.error());
}

// With x : seq f32[3], v : f32[2], y : seq<S> f32[3] and two : a cell with two inputs; the statement is line 2.
std::string in_network(const std::string& statement) {
  return "cell two<N> { input a : f32[N] input k : f32 state h : f32[N] h' = a * k output h' } network n<K> { input x "
         ": "
         "seq f32[3] input v : f32[2] input y : seq<S> f32[3]\n" +
         statement + " }";
}

TEST_CASE("a wrong network says what is wrong, where and how to mend it", "[errors][network]") {
  const std::pair<const char*, const char*> rows[] = {
      {"output", "t.rnn:2:8: expected a value, not '}'"},
      {"a = lstn(x) output a", "t.rnn:2:5: unknown function or cell 'lstn'; did you mean lstm?"},
      {"a = lstn<H=2>(x) output a", "t.rnn:2:5: there is no cell 'lstn'; did you mean lstm?"},
      {"a = bidirectional 3(x) output a", "t.rnn:2:19: expected the name of a cell, not '3'"},
      {"a = reverse tanh(x) output a", "t.rnn:2:13: there is no cell 'tanh'"},
      {"a = lstm<H>(x) output a", "t.rnn:2:11: expected '=' and a value, as in H=128, not '>'"},
      {"a = lstm<H=2, H=3>(x) output a", "t.rnn:2:15: dim H has two values"},
      {"a = lstm<K=2>(x) output a", "t.rnn:2:5: cell lstm has no dim K; it has I, H"},
      {"a = lstm<H=2(x) output a", "t.rnn:2:13: expected '>' after the dims of lstm, not '('"},
      {"a = lstm<H=2> output a", "t.rnn:2:15: expected '(' before the arguments of lstm, not 'output'"},
      {"a = lstm<H=2>(x output a", "t.rnn:2:17: expected ')' after the arguments of lstm, not 'output'"},
      {"a = lstm<H=2>() output a", "t.rnn:2:5: lstm takes 1 argument, x, not 0"},
      {"a = lstm<H=2>(x, v) output a", "t.rnn:2:5: lstm takes 1 argument, x, not 2"},
      {"a = two(x) output a", "t.rnn:2:5: two takes 2 arguments, a, k, not 1"},
      {"a = two(x, v) output a",
       "t.rnn:2:5: shape mismatch: input k of two is f32 but v is f32[2]\n"
       "t.rnn:1:128: note: v declared here\n"
       "t.rnn:1:38: note: k declared here"},
      {"a = lstm<I=2, H=2>(x) output a",
       "t.rnn:2:5: shape mismatch: input x of lstm is f32[2] but x is seq f32[3]\n"
       "t.rnn:1:107: note: x declared here\n"
       "standard cell lstm:4:9: note: x declared here"},
      {"a = lstm<H=0>(x) output a", "t.rnn:2:5: dim H of lstm is 0, but a dim must be at least 1"},
      {"a = lstm<H=K-K>(x) output a", "t.rnn:2:5: dim H of lstm is 0, but a dim must be at least 1"},
      {"a = lstm<H=2>(v) output a",
       "t.rnn:2:5: no argument of lstm is a sequence; to run it for a number of steps given at run time, write steps S "
       "behind its arguments"},
      {"a = lstm<H=2>(sum(x)) output a",
       "t.rnn:2:5: no argument of lstm is a sequence; to run it for a number of steps given at run time, write steps S "
       "behind its arguments"},
      {"a = lstm<H=2>(x) merge sum output a",
       "t.rnn:2:5: merge joins two directions; write a = bidirectional lstm(...)"},
      {"a = bidirectional lstm<H=2>(x) merge add output a",
       "t.rnn:2:38: directions merge by concat, sum, mean or mul, not by 'add'"},
      {"a = bidirectional lstm<H=2>(x) from (h = v) output a",
       "t.rnn:2:19: a has no state h; it has fwd.h, fwd.c, bwd.h, bwd.c"},
      {"a = lstm<H=2>(x) from (k = v) output a", "t.rnn:2:5: a has no state k; it has h, c"},
      {"a = lstm<H=2>(x) from (h = v, h = v) output a", "t.rnn:2:5: state h begins with two values"},
      {"a = lstm<H=3>(x) from (h = v) output a",
       "t.rnn:2:5: shape mismatch: state h of lstm is f32[3] but v is f32[2]\n"
       "t.rnn:1:128: note: v declared here\n"
       "standard cell lstm:5:9: note: h declared here"},
      {"a = lstm<H=3>(x) from (h = x) output a",
       "t.rnn:2:5: a state begins with one value, as last(...) is: x is seq f32[3]\n"
       "t.rnn:1:107: note: x declared here"},
      {"a = lstm<H=2>(x) from h = v output a",
       "t.rnn:2:23: expected '(' before initial states, as in from (h = v), not 'h'"},
      {"a = lstm<H=2>(x) from () output a", "t.rnn:2:24: expected the name of a state, not ')'"},
      {"a = lstm<H=2>(x) from (h = v) merge sum output a",
       "t.rnn:2:31: behind a scan stand merge, steps and from, in this order and once"},
      {"a = lstm<H=2>(x) steps 5 output a",
       "t.rnn:2:24: steps takes a name, as in steps S, whose number is given at run time, not '5'"},
      {"a = lstm<H=2>(x) steps K output a",
       "t.rnn:2:24: steps takes a name, as in steps S, whose number is given at run time, not 'K'"},
      {"a = lstm<H=2>(x) steps S output a",
       "t.rnn:2:5: the scan is one of steps S but x is seq f32[3]\n"
       "t.rnn:1:107: note: x declared here"},
      {"output last(lstm<H=2>(x))",
       "t.rnn:2:13: lstm is a cell; scan it in a statement of its own, whose name its weights get: a = lstm(...)"},
      {"output last(lstm(x))",
       "t.rnn:2:13: lstm is a cell; scan it in a statement of its own, whose name its weights get: a = lstm(...)"},
      {"output last(v)",
       "t.rnn:2:8: last takes a sequence: v is f32[2]\n"
       "t.rnn:1:128: note: v declared here"},
      {"output last(x, x)", "t.rnn:2:8: last takes 1 operand, not 2"},
      {"output lats(x)", "t.rnn:2:8: unknown function or cell 'lats'; did you mean last?"},
      {"output x + y",
       "t.rnn:2:10: sequences of two times: x is seq f32[3] but y is seq<S> f32[3]\n"
       "t.rnn:1:107: note: x declared here\n"
       "t.rnn:1:145: note: y declared here"},
      {"a = rnn<H=2>(x) output a.c", "t.rnn:2:25: a has no state c; it has h"},
      {"a = rnn<H=2>(x) output a.fwd.h", "t.rnn:2:25: a has no state fwd.h; it has h"},
      {"a = bidirectional rnn<H=2>(x) output a.h", "t.rnn:2:39: a has no state h; it has fwd.h, bwd.h"},
      {"output x.h",
       "t.rnn:2:9: only a scan has final states, as in a.h of a = lstm(x): x is seq f32[3]\n"
       "t.rnn:1:107: note: x declared here"},
      {"a = tanh(x) output a.h",
       "t.rnn:2:21: only a scan has final states, as in a.h of a = lstm(x): a is seq f32[3]\n"
       "t.rnn:2:1: note: a defined here"},
      {"a = rnn<H=2>(x) output a.", "t.rnn:2:27: expected the name of a state of a, not '}'"},
      {"a = rnn<H=2>(x) a = x output a",
       "t.rnn:2:17: a is defined already\n"
       "t.rnn:2:1: note: a defined here"},
      {"x = rnn<H=2>(x) output x",
       "t.rnn:2:1: x is defined already\n"
       "t.rnn:1:107: note: x defined here"},
      {"%1 = rnn<H=2>(x) output %1",
       "t.rnn:2:6: rnn is a cell; scan it in a statement of its own, whose name its weights get: a = rnn(...)"},
      {"state h : f32[2] output h", "t.rnn:2:1: a network has no states of its own, but the cells that it scans have"},
      {"h' = x output x", "t.rnn:2:1: a network has no states, so there is no h'"},
      {"param W : seq f32[2] output x", "t.rnn:2:11: expected the type f32 or f32[...], not 'seq'"},
      {"input w : seq f32[2, 2] output x",
       "t.rnn:2:7: w is seq f32[2,2], but only a param may be a matrix; an input or state is a vector"},
      {"input w : seq<> f32[2] output x", "t.rnn:2:15: expected the name of a time, not '>'"},
      {"merge = x output x", "t.rnn:2:1: expected a statement or '}', not 'merge'"},
      {"input from : f32 output x", "t.rnn:2:7: expected a name to declare, not 'from', a reserved word"},
      {"param W : f32[2, 2] output W", "t.rnn:2:21: the output must be a vector or a scalar, not f32[2,2]"},
      {"output x output x",
       "t.rnn:2:10: every output but the first needs a name, as in output energy = ...; concat(a, b) joins several "
       "values to one output"},
      {"output a = x output x output b = x",
       "t.rnn:2:14: every output but the first needs a name, as in output energy = ...; concat(a, b) joins several "
       "values to one output"},
      {"output x output e = v output e = x",
       "t.rnn:2:23: there are two outputs e; give one of them another name\n"
       "t.rnn:2:10: note: output e here"},
      {"output y = x output y = v",
       "t.rnn:2:14: there are two outputs y; give one of them another name\n"
       "t.rnn:2:1: note: output y here"},
      {"output x output y = v",
       "t.rnn:2:10: the first output has no name and is y; give it a name, or take another one than y here\n"
       "t.rnn:2:1: note: output y here"},
      {"output steps = x", "t.rnn:2:8: expected a value, not 'steps'"},
      {"output state = x", "t.rnn:2:8: expected a value, not 'state'"},
      {"output x output e = rows(x, 3)",
       "t.rnn:2:10: output e must be a vector or a scalar, not seq f32[3,1]; flatten(...) makes a vector of rows"},
      {"output lookup(v, 1)",
       "t.rnn:2:8: lookup takes a matrix first: v is f32[2]\n"
       "t.rnn:1:128: note: v declared here"},
      {"param E : f32[5, 2] output lookup(E, v)",
       "t.rnn:2:28: lookup takes a scalar, the number of a row: v is f32[2]\n"
       "t.rnn:1:128: note: v declared here"},
      {"param E : f32[5, 2] output lookup(E)", "t.rnn:2:28: lookup takes 2 operands, not 1"},
      {"a = lstm<H=40000>(x) b = lstm<H=16777217>(a) output b",
       "t.rnn:2:26: b is seq f32[16777217]; a dim may be at most 16777216"},
      {"", "t.rnn:1:94: network n has no output; add output ... at its end"},
  };
  for (const auto& [statement, message] : rows) {
    INFO(statement);
    CHECK(error_of(in_network(statement)) == message);
  }
}

TEST_CASE("dims and cells of a network that do not fit are found when numbers are bound", "[errors][network]") {
  const auto bind = [](const std::string& text, const ir::DimBindings& dims) {
    const ir::Module module = ir::parse(text, "t.rnn").value();
    const Result<ir::Network> bound = ir::bind_dims(module.networks.at(0), dims);
    return bound ? "" : test::without_excerpts(bound.error());
  };
  const std::string text =
      "network n<I> { input x : seq f32[I]\na = cut(x) b = lstm(a) output b }\n"
      "cell cut<I> { input x : f32[I] output x[0:4] }";
  CHECK(bind(text, {{"I", 4}, {"b.H", 2}}) == "");
  CHECK(bind(text, {{"I", 4}}) == "t.rnn:1:9: network n: dim b.H has no value; give one, as in b.H=128");
  CHECK(bind(text, {{"I", 4}, {"b.I", 2}, {"b.H", 2}}) ==
        "t.rnn:1:9: network n has no dim b.I; it has I, b.H; did you mean b.H?");
  CHECK(bind(text, {{"I", 3}, {"b.H", 2}}) ==
        "t.rnn:3:39: slice [0:4] does not fit: x is f32[3], and a slice [a:b] takes elements a to b-1, with 0 <= a < b "
        "<= 3\nt.rnn:3:21: note: x declared here\nt.rnn:2:5: note: a runs cut here");
  const ir::Module module = ir::parse(text, "t.rnn").value();
  CHECK(test::without_excerpts(ir::infer_dims(module.networks.at(0), {{"b.Wi", {5, 3}}}, {}).error()) ==
        "t.rnn:2:16: shape mismatch: b.Wi is f32[b.H,4] but the tensor given for it is [5,3]");
}

TEST_CASE("compile takes the only network, or what is named", "[errors][network]") {
  const Model model = parse("network n { input x : f32 output x } cell c { input x : f32 output x }").value();
  CHECK(compile(model, {}).value().cell() == "n");
  CHECK(compile(model, {}, {.cell = "c"}).value().cell() == "c");
  CHECK(compile(model, {}, {.cell = "d"}).error().code == ErrorCode::Name);
  const Model two = parse("network n { input x : f32 output x } network m { input x : f32 output x }").value();
  CHECK(compile(two, {}).error().message == "the model has several networks; choose one of: n, m");
  const Model model_of_params = parse("network n { param p : f32[3] output p }").value();
  CHECK(compile(model_of_params, {}).error().message == "no tensor for parameter p f32[3] of network n");
  const TensorMap more = {{"p", Tensor::from_f32({3}, {1, 2, 3})}, {"q", Tensor::from_f32({1}, {1})}};
  CHECK(compile(model_of_params, more).error().message == "tensor q is no parameter of network n, which has p");
  const Model scan = parse("network n { input x : seq f32[2] a = rnn<H=3>(x) output a }").value();
  CHECK(compile(scan, {}).error().message == "no tensor for parameter a.W f32[3,2] of network n");
  const Model cell = parse("cell c { input x : f32 param p : f32 output p * x }").value();
  CHECK(compile(cell, {}).error().message == "no tensor for parameter p f32[] of cell c");
}

TEST_CASE("files of networks have their own mistakes", "[errors][network]") {
  const std::string good = "network n { input x : f32 output x }";
  const std::pair<std::string, const char*> rows[] = {
      {"network", "t.rnn:1:8: expected the name of the network, not the end of the text"},
      {"network n", "t.rnn:1:10: expected '{' before the statements of the network, not the end of the text"},
      {"network n {", "t.rnn:1:12: expected a statement or '}', not the end of the text"},
      {"network n { output 1 } }", "t.rnn:1:24: expected 'cell' here, as in cell name<I, H> { ... }, not '}'"},
      {"network n<I=3> { output 1 }",
       "t.rnn:1:12: a dim of a network has no value here; write <I> and bind it where the network is used"},
      {good + "\n" + good, "t.rnn:2:9: network n is defined already\nt.rnn:1:9: note: n defined here"},
      {good + "\ncell n { output 1 }", "t.rnn:1:9: network n is defined already\nt.rnn:2:6: note: n defined here"},
      {"network n { output }\ncell a { output }", "t.rnn:2:17: expected a value, not '}'"},
      {"cell t { input x : f32 output x }\ncell tanh { output 1 }\nnetwork n { input x : seq f32 a = tanh(x) output a "
       "}",
       "t.rnn:3:35: tanh is a function and a cell; give the cell another name"},
  };
  for (const auto& [text, message] : rows) {
    INFO(text);
    CHECK(error_of(text) == message);
  }
}

TEST_CASE("every prefix of a network is an error or the whole of it", "[errors][network]") {
  const std::string text =
      "network n<V> { input x : seq<S> f32[V] a = bidirectional lstm<H=2*V>(x) merge sum from (fwd.h = x[0:1].h) "
      "output sum(a) } cell lstm<V, H> { input x : f32[V] state h : f32 h' = h output h }";
  for (std::size_t length = 0; length < text.size(); ++length) {
    INFO(length);
    CHECK_FALSE(error_of(text.substr(0, length)).empty());
  }
}

TEST_CASE("a network nests no deeper than a cell and counts what its scans hold", "[errors][limits]") {
  std::string deep = "output ", wide = "cell big { input x : f32 output x";
  for (int i = 0; i < 300; ++i) deep += "last(";
  CHECK(error_of(in_network(deep)) == "t.rnn:2:1292: nested deeper than 256 levels; name a part of it");
  for (int i = 0; i < 60000; ++i) wide += "+x";
  wide += " } network n { input x : seq f32\n";
  for (int i = 0; i < 20; ++i) wide += "a" + std::to_string(i) + " = big(x)\n";
  CHECK(error_of(wide + "output x }") == "t.rnn:17:7: more than 1000000 operations");
}

}  // namespace
