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
