// ONNX Runtime itself runs our operator; what it gives is compared with ONNX Runtime's own LSTM and with the
// interpreter.
#include <atomic>
#include <thread>

#include <rnnc/rnnc.hpp>

#include "tests/extensions/onnx_lstm.hpp"
#include "tests/extensions/onnxruntime_session.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

using onnx::Names;

constexpr std::int64_t kIn = 3, kHidden = 7;

// A standard cell with random weights, as the attributes of a node.
struct Standard {
  explicit Standard(const std::string& name)
      : cell(standard(name, kIn, kHidden)),
        weights(random_weights(cell, 1)),
        attributes(model_attributes(name, cell, weights)) {}

  ir::Cell cell;
  Weights weights;
  std::string attributes;
};

std::string onnx_lstm(const Weights& weights) {
  return onnx::node("LSTM", {"x", "w", "r", "b", "n", "h", "c"}, {"y", "hn", "cn"},
                    onnx::integer("hidden_size", kHidden)) +
         onnx_lstm_weights(weights, kIn, kHidden);
}

std::string outputs_of(const Names& names) {
  std::string graph;
  for (const std::string& name : names) graph += onnx::output(name);
  return graph;
}

std::string error_of(const std::string& graph) {
  try {
    OrtSession session(model_with_ours(graph));
  } catch (const Ort::Exception& error) {
    return error.what();
  }
  return "";
}

void check_says(const std::string& error, const std::string& part) {
  INFO(error);
  CHECK(error.find(part) != std::string::npos);
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  return worst_error(a, ir::Vector(b.begin(), b.end()));
}

}  // namespace

TEST_CASE("our LSTM in ONNX Runtime gives what its own LSTM gives", "[onnxruntime]") {
  const Standard lstm("lstm");
  const Names names = {"x", "n", "h", "c"}, results = {"y", "hn", "cn"};
  const auto inputs = [](int state_rank) {
    return open_input("x", 3) + open_input("n", 1, 6) + open_input("h", state_rank) + open_input("c", state_rank);
  };
  OrtSession ours(model_with_ours(recurrent_node(names, results, lstm.attributes) + inputs(2) + outputs_of(results)));
  OrtSession theirs(model_with_ours(onnx_lstm(lstm.weights) + inputs(3) + outputs_of(results)));
  Random random(2);
  for (const auto& [steps, batch] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {9, 4}, {20, 1}, {3, 17}, {9, 4}}) {
    const OrtTensor x{{steps, batch, kIn}, random.vector(static_cast<std::size_t>(steps * batch * kIn), -2, 2)};
    OrtTensor n{{batch}, {}, std::vector<std::int32_t>(static_cast<std::size_t>(batch))};
    for (std::int32_t& length : n.lengths) length = 1 + static_cast<std::int32_t>(random.below(steps));
    OrtTensor h{{batch, kHidden}, random.vector(static_cast<std::size_t>(batch * kHidden), -1, 1)};
    OrtTensor c{{batch, kHidden}, random.vector(static_cast<std::size_t>(batch * kHidden), -1, 1)};
    const auto got = ours.run(names, {x, n, h, c}, results);
    h.shape = c.shape = {1, batch, kHidden};
    const auto expected = theirs.run(names, {x, n, h, c}, results);
    CHECK(got[0].shape == std::vector<std::int64_t>{steps, batch, kHidden});
    CHECK(got[1].shape == std::vector<std::int64_t>{batch, kHidden});
    for (std::size_t i = 0; i < results.size(); ++i) {
      INFO(results[i] << " of " << steps << " steps, " << batch << " sequences");
      CHECK(largest_difference(got[i].floats, expected[i].floats) < 1e-6);
    }
  }
}

TEST_CASE("weights that are initializers of the graph give the bits of those in the attribute", "[onnxruntime]") {
  const Standard lstm("lstm");
  const Names states = {"x", "n", "h", "c"}, results = {"y", "hn", "cn"};
  const std::string open = open_input("x", 3) + open_input("n", 1, 6) + open_input("h", 2) + open_input("c", 2);
  Names inputs = states;
  std::string initializers, parameters;
  for (const auto& [name, tensor] : tensors_of(lstm.cell, lstm.weights)) {
    std::vector<float> values = tensor.to_f32();
    // One weight is made by a node, which ONNX Runtime folds into a constant.
    const bool is_folded = name == "Ug";
    if (is_folded)
      for (float& value : values) value = -value;
    initializers += onnx::bytes(5, onnx::tensor("its " + name, tensor.shape, onnx::raw(values)));
    if (is_folded) initializers += onnx::node("Neg", {"its " + name}, {"negated"});
    inputs.push_back(is_folded ? "negated" : "its " + name);
    parameters += " " + name;
  }
  const std::string model = onnx::text("model", standard_cell("lstm").value().text());
  OrtSession apart(model_with_ours(initializers +
                                   recurrent_node(inputs, results, model + onnx::text("parameters", parameters)) +
                                   open + outputs_of(results)));
  OrtSession inside(model_with_ours(recurrent_node(states, results, lstm.attributes) + open + outputs_of(results)));
  Random random(5);
  const OrtTensor x{{9, 2, kIn}, random.vector(9 * 2 * kIn, -2, 2)}, n{{2}, {}, {9, 4}};
  const OrtTensor h{{2, kHidden}, random.vector(2 * kHidden, -1, 1)},
      c{{2, kHidden}, random.vector(2 * kHidden, -1, 1)};
  const auto got = apart.run(states, {x, n, h, c}, results), expected = inside.run(states, {x, n, h, c}, results);
  for (std::size_t i = 0; i < results.size(); ++i) CHECK(got[i].floats == expected[i].floats);

  // Without lengths and states, the weights stand behind a place for the lengths.
  Names alone = {"x", ""};
  alone.insert(alone.end(), inputs.begin() + 4, inputs.end());
  OrtSession fresh(model_with_ours(initializers +
                                   recurrent_node(alone, {"y"}, model + onnx::text("parameters", parameters)) +
                                   open_input("x", 3) + onnx::output("y")));
  OrtSession begun(
      model_with_ours(recurrent_node({"x"}, {"y"}, lstm.attributes) + open_input("x", 3) + onnx::output("y")));
  CHECK(fresh.run({"x"}, {x}, {"y"})[0].floats == begun.run({"x"}, {x}, {"y"})[0].floats);
}

TEST_CASE("inputs that cannot be weights are refused in words", "[onnxruntime]") {
  const std::string decay =
      onnx::text("model", "cell c { input x : f32  state s : f32  param a : f32  s' = a * s + x  output s' }");
  const auto made = [&](const Names& inputs, const std::string& parameters, const std::string& more = "") {
    return error_of(recurrent_node(inputs, {"y"}, decay + onnx::text("parameters", parameters) + more) +
                    onnx::bytes(5, onnx::tensor("a", {}, onnx::raw({0.5F}))) +
                    onnx::bytes(5, onnx::tensor("two", {2}, onnx::raw({1, 2}))) + open_input("x", 3) +
                    open_input("w", 0) + onnx::output("y"));
  };
  CHECK(made({"x", "", "a"}, "a") == "");
  check_says(
      made({"x", "", "w"}, "a"),
      "rnnc.Recurrent 'n_y': the input for parameter a is no constant, and weights are read once, when the session "
      "is made: make it an initializer that is no input of the graph");
  check_says(made({"x"}, "a"), "the attribute parameters names 1 inputs behind x, and the node has 0");
  check_says(made({"x", "", "a", "a"}, "a a"), "the attribute parameters names a twice");
  check_says(made({"x", "", "two"}, "a"), "[2]");
  check_says(made({"x", "", "a"}, "b"), "no tensor for parameter a");
  TensorMap file;
  file["a"] = Tensor::from_f32({}, {0.25F});
  const TemporaryFolder folder;
  save_safetensors(folder / "w.safetensors", file).value();
  std::ifstream stream(folder / "w.safetensors", std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  check_says(made({"x", "", "a"}, "a", onnx::text("weights", content)), "the parameter a has two values");
}

TEST_CASE("a cell of one's own in ONNX Runtime gives what the interpreter gives", "[onnxruntime]") {
  const Standard cell("indrnn");
  OrtSession session(
      model_with_ours(recurrent_node({"x"}, {"y"}, cell.attributes) + open_input("x", 3) + onnx::output("y")));
  const Sequences sequences = random_sequences(cell.cell, 30, 5, 3);
  const auto got = session.run({"x"}, {{{30, 5, kIn}, sequences.x}}, {"y"});
  ir::NamedVectors params, states;
  for (const auto& [name, values] : cell.weights) params[name].assign(values.begin(), values.end());
  const ir::Vector expected =
      ir::interpret(cell.cell, params, {30, 5, {sequences.x.begin(), sequences.x.end()}, {}}, states);
  CHECK(worst_error(got[0].floats, expected) < 1e-6);

  const auto empty = session.run({"x"}, {{{0, 5, kIn}, {0}}}, {"y"});
  CHECK(empty[0].shape == std::vector<std::int64_t>{0, 5, kHidden});
}

TEST_CASE("a network that reads whole sequences runs between nodes of ONNX Runtime", "[onnxruntime]") {
  const std::string text =
      "cell total { input x : f32  state s : f32  s' = s + x  output s' }\n"
      "network n { input x : seq f32  a = total(x)  b = reverse total(x)  output mean(a + b) }";
  const std::string graph =
      onnx::node("Neg", {"x"}, {"z"}) +
      recurrent_node({"z", "n"}, {"m"}, onnx::text("model", text) + onnx::text("options", "threads=2")) +
      onnx::node("Neg", {"m"}, {"y"}) + open_input("x", 3) + open_input("n", 1, 6);
  OrtSession session(model_with_ours(graph + onnx::output("y")));
  const OrtTensor x{{3, 2, 1}, {1, 10, 2, 20, 4, 40}}, lengths{{2}, {}, {3, 2}};
  for (int round = 0; round < 2; ++round) {  // the second round finds the state of the first, which begins anew
    const auto y = session.run({"x", "n"}, {x, lengths}, {"y"});
    CHECK(y[0].shape == std::vector<std::int64_t>{2, 1});
    CHECK(y[0].floats == std::vector<float>{(8 + 9 + 11) / 3.0F, (40 + 50) / 2.0F});
  }
}

TEST_CASE("one session of ONNX Runtime serves threads at the same time", "[onnxruntime]") {
  const Standard gru("gru");
  OrtSession session(model_with_ours(recurrent_node({"x"}, {"y", "hn"}, gru.attributes) + open_input("x", 3) +
                                     outputs_of({"y", "hn"})));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::int64_t i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      const std::int64_t steps = 5 + i % 3, batch = 1 + i % 4;
      const Sequences sequences = random_sequences(gru.cell, steps, batch, static_cast<std::uint64_t>(i));
      std::vector<float> first;
      for (int round = 0; round < 50; ++round) {
        const auto y = session.run({"x"}, {{{steps, batch, kIn}, sequences.x}}, {"y", "hn"});
        if (round == 0) first = y[0].floats;
        if (y[0].floats != first) ++wrong;
        if (!std::equal(y[1].floats.begin(), y[1].floats.end(), first.end() - batch * kHidden)) ++wrong;
      }
      ir::NamedVectors params, states;
      for (const auto& [name, values] : gru.weights) params[name].assign(values.begin(), values.end());
      const ir::Batch whole{steps, batch, {sequences.x.begin(), sequences.x.end()}, {}};
      if (!(worst_error(first, ir::interpret(gru.cell, params, whole, states)) < 1e-6)) ++wrong;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a model that ONNX Runtime cannot run with our operator is refused in words", "[onnxruntime]") {
  const auto made = [](const std::string& attributes) {
    return error_of(recurrent_node({"x"}, {"y"}, attributes) + open_input("x", 3) + onnx::output("y"));
  };
  check_says(made(""), "rnnc.Recurrent 'n_y': the attribute model is missing; it is the text of a model");
  check_says(made(onnx::text("model", "cell c { input x : f32 output y }")), "model:1:31: unknown name 'y'");
  const std::string gru = onnx::text("model", standard_cell("gru").value().text());
  check_says(made(gru), "dim I has no value; give one, as in I=128");
  check_says(made(gru + onnx::text("weights", "no weights")), "weights: ");
  check_says(made(gru + onnx::text("options", "H")), "'H' is no option of a model; give sizes and names");
  check_says(made(onnx::text("model", "network n { input x : seq f32[2]  input v : f32[2]  output x + v }")),
             "the network has the input v, which is not of each step");
  check_says(error_of(recurrent_node({"n"}, {"y"}, gru) + open_input("n", 1, 6) + onnx::output("y")), "int32");

  const Standard lstm("lstm");
  const auto ran = [&](const Names& inputs, const std::vector<OrtTensor>& tensors) -> std::string {
    const std::string declared = open_input("x", 3) + open_input("n", 1, 6) + open_input("h", 2) + open_input("c", 2);
    OrtSession session(
        model_with_ours(recurrent_node(inputs, {"y", "hn"}, lstm.attributes) + declared + outputs_of({"y", "hn"})));
    try {
      session.run({"x", "n", "h", "c"}, tensors, {"y", "hn"});
    } catch (const Ort::Exception& error) {
      return error.what();
    }
    return "";
  };
  const OrtTensor x{{2, 1, 3}, std::vector<float>(6)}, n{{1}, {}, {2}}, h{{1, 7}, std::vector<float>(7)};
  CHECK(ran({"x", "n", "h", "c"}, {x, n, h, h}) == "");
  CHECK(ran({"x", "", "", "c"}, {x, n, h, h}) == "");
  check_says(ran({"x"}, {{{2, 3, 1}, x.floats}, n, h, h}), "x is [T,B,3], and the node gives [2,3,1]");
  check_says(ran({"x", "n"}, {x, {{2}, {}, {2, 2}}, h, h}), "lengths is [1], as x has 1 sequences");
  check_says(ran({"x", "n"}, {x, {{1}, {}, {3}}, h, h}), "a length");
  check_says(ran({"x", "n", "h", "c", "h"}, {x, n, h, h}), "the node gives state 3, and the model has these: h, c");
  check_says(ran({"x", "n", "h", "c"}, {x, n, h, {{7, 1}, h.floats}}), "the state c is [1,7]");
}

}  // namespace rnnc::test
