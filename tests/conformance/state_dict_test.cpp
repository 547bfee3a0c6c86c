// PyTorch's state_dict: imported modules give PyTorch's numbers (torch/make_data.py), and files that make no sense are
// refused.
#include <rnnc/rnnc.hpp>

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

const std::string kFolder = RNNC_SOURCE_DIR "/tests/conformance/torch/";
const std::vector<std::int32_t> kLengths = {6, 1, 4, 3};

void check_near(const std::vector<float>& found, const std::vector<float>& wanted) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("element " << i << ": " << found[i] << " against " << wanted[i]);
    REQUIRE(std::fabs(found[i] - wanted[i]) <= 2e-6);
  }
}

// States in PyTorch's order are those of the program, layer by layer and direction by direction.
void for_each_state(const Program& program, const std::string& which, const Tensor& stacked,
                    const std::function<void(const std::string&, const std::vector<float>&)>& visit) {
  const std::vector<float> all = stacked.to_f32();
  auto next = all.begin();
  for (const Port& port : program.states()) {
    if (!port.name.ends_with("." + which)) continue;
    const auto end = next + stacked.shape[1] * stacked.shape[2];
    visit(port.name, {next, end});
    next = end;
  }
  REQUIRE(next == all.end());
}

void check_module(const std::string& file, const std::string& prefix, bool relu = false) {
  INFO(file << ", " << prefix);
  const Imported imported = import_model_file(kFolder + file, {.prefix = prefix, .relu = relu}).value();
  const Program program = compile(imported.model, imported.weights).value();
  const TensorMap data = load_safetensors(kFolder + file).value();
  const auto at = [&](const std::string& name) { return data.at(prefix + "." + name); };
  const Tensor x = at("x");
  State state = program.make_state(x.shape[1], x.shape[0]);
  const bool has_c = data.contains(prefix + ".c");
  const auto set = [&](const std::string& name, const std::vector<float>& values) { state.set(name, values).value(); };
  for_each_state(program, "h", at("h"), set);
  if (has_c) for_each_state(program, "c", at("c"), set);
  const std::vector<float> input = x.to_f32();
  std::vector<float> y(at("y").to_f32().size());
  REQUIRE(program.run(state, {.x = input, .y = y, .steps = x.shape[0], .lengths = kLengths}) == RunStatus::Ok);
  check_near(y, at("y").to_f32());
  const auto check = [&](const std::string& name, const std::vector<float>& wanted) {
    check_near(state.get(name).value(), wanted);
  };
  for_each_state(program, "h", at("hn"), check);
  if (has_c) for_each_state(program, "c", at("cn"), check);
}

TensorMap small_lstm() {
  TensorMap tensors;
  const auto add = [&](const std::string& name, Shape shape) {
    std::int64_t size = 1;
    for (const std::int64_t dim : shape) size *= dim;
    tensors[name] = Tensor::from_f32(std::move(shape), std::vector<float>(static_cast<std::size_t>(size), 0.5f));
  };
  add("weight_ih_l0", {8, 3});
  add("weight_hh_l0", {8, 2});
  add("bias_ih_l0", {8});
  add("bias_hh_l0", {8});
  add("weight_ih_l1", {8, 2});
  add("weight_hh_l1", {8, 2});
  add("bias_ih_l1", {8});
  add("bias_hh_l1", {8});
  return tensors;
}

Result<Imported> import_tensors(const TensorMap& tensors, const ImportOptions& options) {
  std::string path = (std::filesystem::temp_directory_path() / "rnnc-XXXXXX").string();
  close(mkstemp(path.data()));
  save_safetensors(path, tensors).value();
  Result<Imported> imported = import_model_file(path, options);
  std::remove(path.c_str());
  return imported;
}

std::string message_of(const TensorMap& tensors, const ImportOptions& options = {}) {
  const Result<Imported> imported = import_tensors(tensors, options);
  REQUIRE(!imported);
  return imported.error().message;
}

}  // namespace

TEST_CASE("a state_dict of any layers and directions gives PyTorch's numbers", "[import]") {
  for (const std::string kind : {"lstm", "gru", "rnn"})
    for (const std::string layers : {"1", "2", "3"})
      for (const std::string directions : {"1", "2"}) check_module(kind + ".safetensors", layers + "x" + directions);
}

TEST_CASE("so do projections, modules without bias and relu", "[import]") {
  check_module("variants.safetensors", "encoder.projected");
  check_module("variants.safetensors", "without_bias");
  check_module("variants.safetensors", "relu", true);
}

TEST_CASE("the text of a state_dict is layers of standard cells", "[import]") {
  const Imported imported = import_model_file(kFolder + "lstm.safetensors", {.prefix = "2x2."}).value();
  CHECK(imported.model.text() ==
        "network model {\n  input x : seq f32[3]\n\n  l0 = bidirectional lstm<H=5>(x)\n"
        "  l1 = bidirectional lstm<H=5>(l0)\n  output l1\n}\n");
}

TEST_CASE("modules of a state_dict run one behind the other as the prefixes say", "[import]") {
  TensorMap tensors;
  for (const auto& [name, tensor] : small_lstm()) tensors["rnn." + name] = tensor;
  tensors["fc.weight"] = Tensor::from_f32({3, 2}, {1, 2, 3, 4, 5, 6});
  tensors["fc.bias"] = Tensor::from_f32({3}, {7, 8, 9});
  for (const std::string prefix : {"rnn,fc", "rnn.,fc."}) {
    const Imported imported = import_tensors(tensors, {.prefix = prefix}).value();
    CHECK(imported.model.text() ==
          "network model {\n  input x : seq f32[3]\n  param fc_W : f32[3, 2]\n  param fc_b : f32[3]\n\n"
          "  rnn_l0 = lstm<H=2>(x)\n  rnn_l1 = lstm<H=2>(rnn_l0)\n  fc = fc_W @ rnn_l1 + fc_b\n  output fc\n}\n");
    CHECK(imported.weights.at("fc_W").to_f32() == std::vector<float>{1, 2, 3, 4, 5, 6});
  }
  const std::string turned = import_tensors(tensors, {.prefix = "fc,rnn"}).value().model.text();
  CHECK(turned.find("rnn_l0 = lstm<H=2>(fc)") != std::string::npos);
  const auto check = [&](const std::string& prefix, const std::string& wanted) {
    const std::string message = message_of(tensors, {.prefix = prefix});
    INFO(message);
    CHECK(message.find(wanted) != std::string::npos);
  };
  check("rnn,head", "there is no module with the prefix \"head\"; there are: \"fc.\", \"rnn.\"");
  check("rnn,rnn", "the prefix \"rnn\" is given twice");
  check("rnn,", "there is no module with the prefix \"\"");
  tensors["fc.weight"] = Tensor::from_f32({2, 3}, {1, 2, 3, 4, 5, 6});
  check("rnn,fc", "fc.weight: is [2,3] but must be [2,2]");
  tensors["fc.weight"] = Tensor::from_f32({3, 2}, {1, 2, 3, 4, 5, 6});
  tensors["fc.bias"] = Tensor::from_f32({2}, {7, 8});
  check("rnn,fc", "fc.bias: is [2] but must be [3]");
}

TEST_CASE("a module under wrappers has the names that it has without them", "[import]") {
  const std::string plain = import_tensors(small_lstm(), {}).value().model.text();
  for (const std::string wrapper : {"module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."}) {
    INFO(wrapper);
    TensorMap tensors, inner;
    for (const auto& [name, tensor] : small_lstm()) {
      tensors[wrapper + name] = tensor;
      inner[wrapper + "encoder." + wrapper + name] = tensor;
    }
    CHECK(import_tensors(tensors, {}).value().model.text() == plain);
    for (const std::string prefix : {"", "encoder", "encoder.", "module.encoder", "_orig_mod.encoder.module"})
      CHECK(import_tensors(inner, {.prefix = prefix}).value().model.text() == plain);
    const std::string twice = "encoder." + wrapper + "weight_ih_l0";
    inner[twice] = inner.at(wrapper + twice);
    CHECK(message_of(inner).find("is the same tensor as") != std::string::npos);
  }
}

TEST_CASE("a cell's weights are those of a module of one layer", "[import]") {
  TensorMap tensors, cell;
  for (const auto& [name, tensor] : small_lstm())
    if (name.ends_with("_l0")) tensors[name] = tensor, cell["cell." + name.substr(0, name.size() - 3)] = tensor;
  const Imported wanted = import_tensors(tensors, {}).value(), found = import_tensors(cell, {}).value();
  CHECK(found.model.text() == wanted.model.text());
  for (const auto& [name, tensor] : wanted.weights) CHECK(found.weights.at(name).bytes == tensor.bytes);
  cell["out.weight"] = Tensor::from_f32({3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK(message_of(cell).find("out.weight: is no part of the lstm layers") != std::string::npos);
  CHECK(import_tensors(cell, {.prefix = "cell,out"}).ok());
  cell["cell.weight_ih_l0"] = tensors.at("weight_ih_l0");
  CHECK(message_of(cell).find("is the same tensor as") != std::string::npos);
}

TEST_CASE("a weight norm is g v / |v|, in both namings and over any dim", "[import]") {
  struct Case {
    Shape g;
    std::vector<float> lengths, wanted;
  };
  // v is {{3, 4}, {-6, 8}}; the factors are whole where the norm is one of rows, and else as they come.
  const float all = std::sqrt(125.0f), first = std::sqrt(45.0f), second = std::sqrt(80.0f);
  for (const Case& one : {Case{{2, 1}, {10, 5}, {6, 8, -3, 4}}, Case{{}, {2}, {6 / all, 8 / all, -12 / all, 16 / all}},
                          Case{{1, 2}, {1, 2}, {3 / first, 8 / second, -6 / first, 16 / second}}})
    for (const bool parametrized : {false, true}) {
      TensorMap tensors = {{"weight_ih_l0", Tensor::from_f32({2, 2}, {1, 2, 3, 4})}};
      const std::string name = parametrized ? "parametrizations.weight_hh_l0.original" : "weight_hh_l0_";
      tensors[name + (parametrized ? "0" : "g")] = Tensor::from_f32(one.g, one.lengths);
      tensors[name + (parametrized ? "1" : "v")] = Tensor::from_f32({2, 2}, {3, 4, -6, 8});
      check_near(import_tensors(tensors, {}).value().weights.at("l0.U").to_f32(), one.wanted);
      TensorMap other = tensors;
      other[name + (parametrized ? "0" : "g")] = Tensor::from_f32({3, 1}, {1, 2, 3});
      CHECK(message_of(other).find("is one part of a weight norm") != std::string::npos);
      other.erase(name + (parametrized ? "0" : "g"));
      CHECK(message_of(other).find("is one part of a weight norm") != std::string::npos);
    }
  const TensorMap orthogonal = {{"weight_ih_l0", Tensor::from_f32({2, 2}, {1, 2, 3, 4})},
                                {"parametrizations.weight_hh_l0.original", Tensor::from_f32({2, 2}, {1, 2, 3, 4})}};
  CHECK(message_of(orthogonal).find("under a parametrization that is no weight norm") != std::string::npos);
}

TEST_CASE("of a weight drop, the weight that evaluation uses is taken", "[import]") {
  TensorMap tensors;
  for (const auto& [name, tensor] : small_lstm()) tensors["rnn.module." + name] = tensor;
  const Tensor raw = Tensor::from_f32({8, 2}, std::vector<float>(16, 7));
  tensors["rnn.weight_hh_l0_raw"] = raw;
  const auto U = [&] { return import_tensors(tensors, {.prefix = "rnn"}).value().weights.at("l0.Ui").to_f32(); };
  CHECK(U() == std::vector<float>(4, 7));
  tensors.erase("rnn.module.weight_hh_l0");
  CHECK(U() == std::vector<float>(4, 7));
}

TEST_CASE("of a JSON state_dict, only the modules that are asked for are read", "[import]") {
  const std::string rnn = R"("rnn.weight_ih_l0":[[1]],"rnn.weight_hh_l0":[[2]])";
  const auto import_text = [](const std::string& text, const std::string& prefix) {
    return import_model(std::as_bytes(std::span(text)), "m.json", {.prefix = prefix});
  };
  const std::string others =
      R"(,"conv.weight":[[[1,2],[3]]],"bn.num_batches_tracked":3,"fc.weight":[[5],[6]],"note":"x","none":null,"o":{"p":[]})";
  const std::string plain = import_text("{" + rnn + "}", "").value().model.text();
  CHECK(import_text("{" + rnn + others + "}", "rnn").value().model.text() == plain);
  CHECK(import_text("{" + rnn + others + "}", "rnn,fc").value().weights.at("fc_W").to_f32() ==
        std::vector<float>{5, 6});
  CHECK(import_text(R"({"best_loss":0.5,"epoch":3,"model":{)" + rnn + others + "}}", "rnn").value().model.text() ==
        plain);
  const auto check = [&](const std::string& text, const std::string& prefix, const std::string& wanted) {
    const Result<Imported> imported = import_text(text, prefix);
    REQUIRE(!imported);
    INFO(imported.error().message);
    CHECK(imported.error().message.find(wanted) != std::string::npos);
  };
  check("{" + rnn + R"(,"fc.weight":[[5],[6]]})", "", "fc.weight: is no part of the rnn layers");
  check("{" + rnn + R"(,"bn.count":3})", "", "bn.count: is no part of the rnn layers");
  check("{" + rnn + R"(,"note":"x"})", "", "note: must be an array of numbers, not string");
  check("{" + rnn + R"(,"fc.weight":[[5],[6,7]]})", "rnn,fc", "all rows must have as many");
  check("{" + rnn + R"(,"fc.weight":[[[5]]]})", "rnn,fc", "there is no module with the prefix \"fc\"");
  check("{" + rnn + R"(,"fc.weight":[[1]],"fc.bias":[[[5]]]})", "rnn,fc", "fc.bias: is [1,1,1] but must have 1 dims");
  check(R"({"model":{)" + rnn + R"(},"ema":{)" + rnn + "}}", "rnn",
        "there are several state_dicts: \"model\", \"ema\"");
}

TEST_CASE("a state_dict that makes no sense is refused with its tensor's name", "[import]") {
  const auto with = [](const std::string& name, Shape shape) {
    TensorMap tensors = small_lstm();
    std::int64_t size = 1;
    for (const std::int64_t dim : shape) size *= dim;
    tensors[name] = Tensor::from_f32(std::move(shape), std::vector<float>(static_cast<std::size_t>(size)));
    return tensors;
  };
  const auto without = [](const std::string& name) {
    TensorMap tensors = small_lstm();
    tensors.erase(name);
    return tensors;
  };
  const auto check = [](const TensorMap& tensors, const std::string& wanted, const ImportOptions& options = {}) {
    const std::string message = message_of(tensors, options);
    INFO(message);
    CHECK(message.find(wanted) != std::string::npos);
  };
  check(without("weight_ih_l0"), "no tensor is called weight_ih_l0");
  check(without("weight_hh_l0"), "weight_hh_l0");
  check(without("weight_hh_l1"), "weight_hh_l1");
  check(without("bias_ih_l1"), "there are both or none");
  check(with("weight_hh_l0", {8, 3}), "is [8,3], which is of no RNN (1 gate), GRU (3) or LSTM (4)");
  check(with("weight_hh_l0", {8}), "is [8] but must have 2 dims");
  check(with("weight_ih_l0", {6, 3}), "is [6,3] but must be [8,3]");
  check(with("weight_ih_l1", {8, 5}), "is [8,5] but must be [8,2]");
  check(with("bias_hh_l0", {7}), "is [7] but must be [8]");
  check(with("weight_ih_l3", {8, 2}), "is no part of the lstm layers");
  check(with("fc.weight", {4, 2}), "is no part of the lstm layers");
  check(with("weight_hr_l0", {3, 2}), "but must be");
  check(with("decoder.weight_ih_l0", {8, 2}), "there are several modules; choose by prefix one, or several");
  check(with("decoder.weight_ih_l0", {8, 2}), "there is no module with the prefix \"encoder\"", {.prefix = "encoder"});
  check(small_lstm(), "relu is for an RNN, but this is a lstm", {.relu = true});
}

}  // namespace rnnc::test
