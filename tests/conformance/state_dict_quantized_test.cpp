// state_dicts whose weights are integers with scales (torch/make_quantized.py): imported modules give PyTorch's numbers
// of the floats that the integers stand for, w8 multiplies the integers, and integers that do not say what they stand
// for are refused.
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include <rnnc/import.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/packed_row.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

const std::string kFile = RNNC_SOURCE_DIR "/tests/conformance/torch/quantized.safetensors";
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

ir::Vector doubles(const Tensor& tensor) {
  ir::Vector values(static_cast<std::size_t>(tensor.elements()));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

Tensor integers(Shape shape, std::vector<std::int8_t> values, ElementType type = ElementType::I8) {
  const auto bytes = std::as_bytes(std::span(values));
  return {type, std::move(shape), {bytes.begin(), bytes.end()}};
}

// An nn.RNN of one input and two units, whose recurrent weights are integers.
TensorMap good() {
  return {{"weight_ih_l0", Tensor::from_f32({2, 1}, {1, 2})},
          {"weight_hh_l0", integers({2, 2}, {1, -2, 3, 4})},
          {"weight_hh_l0_scale", Tensor::from_f32({2}, {0.5f, 0.25f})}};
}

Result<Imported> import(const TensorMap& tensors, const ImportOptions& options = {}) {
  const std::string path = std::filesystem::temp_directory_path() / ("rnnc_quantised_" + std::to_string(getpid()));
  save_safetensors(path, tensors).value();
  Result<Imported> result = import_model_file(path, options);
  std::filesystem::remove(path);
  return result;
}

// The message of a refusal without the name of the file.
std::string refusal(const TensorMap& tensors, const ImportOptions& options = {}) {
  const Result<Imported> result = import(tensors, options);
  if (result.ok()) return "none";
  return result.error().message;
}

}  // namespace

TEST_CASE("integers of a state_dict give PyTorch's numbers of the floats that they stand for",
          "[conformance][import]") {
  const TensorMap data = load_safetensors(kFile).value();
  for (const std::string prefix : {"lstm", "gru", "rows,fc", "groups"}) {
    INFO(prefix);
    const Imported imported = import_model_file(kFile, {.prefix = prefix}).value();
    const std::string own = prefix.substr(0, prefix.find(','));
    const Tensor& x = data.at(own + ".x");
    const auto y = run_imported(imported, x.to_f32(), x.shape[0], x.shape[1], "host");
    CHECK(largest_difference(y, doubles(data.at(own + ".y"))) <= 2e-6);
  }
}

TEST_CASE("with w8 the integers of a state_dict are those of its file", "[conformance][import][integers]") {
  const TensorMap data = load_safetensors(kFile).value();
  const Imported imported = import_model_file(kFile, {.prefix = "rows"}).value();
  const Tensor& file = data.at("rows.weight_hh_l0");
  const std::vector<float> scales = data.at("rows.weight_hh_l0_scale").to_f32();
  const char* const gates[] = {"l0.Ur", "l0.Uz", "l0.Un"};
  for (std::int64_t row = 0; row < file.shape[0]; ++row) {
    INFO("row " << row);
    const std::vector<float> weights = imported.weights.at(gates[row / 6]).to_f32(), all = file.to_f32();
    const auto begin = weights.begin() + row % 6 * 6, from = all.begin() + row * 6;
    CHECK(keeps_integers({begin, begin + 6}, {from, from + 6}, scales[static_cast<std::size_t>(row)]));
  }
}

TEST_CASE("a state_dict whose scales are in another form has the same weights", "[import]") {
  const std::vector<float> wanted = {0.5f, -1.0f, 0.75f, 1.0f};
  CHECK(import(good()).value().weights.at("l0.U").to_f32() == wanted);
  TensorMap cell = good();
  for (const char* end : {"", "_scale"}) {
    auto node = cell.extract("weight_hh_l0" + std::string(end));
    node.key() = "weight_hh" + std::string(end);
    cell.insert(std::move(node));
  }
  cell["weight_ih"] = cell.extract("weight_ih_l0").mapped();
  CHECK(import(cell).value().weights.at("l0.U").to_f32() == wanted);
  TensorMap shifted = good();
  shifted["weight_hh_l0"] = integers({2, 2}, {2, -1, 4, 5}, ElementType::U8);
  shifted["weight_hh_l0"].bytes[1] = std::byte{255};
  shifted["weight_hh_l0_zero_point"] = integers({2}, {1, 1});
  CHECK(import(shifted).value().weights.at("l0.U").to_f32() == std::vector<float>{0.5f, 127.0f, 0.75f, 1.0f});
  TensorMap zero = good();
  zero["weight_hh_l0_scale"] = Tensor::from_f32({}, {0});
  CHECK(import(zero).value().weights.at("l0.U").to_f32() == std::vector<float>(4, 0.0f));
}

TEST_CASE("integers of a state_dict are never read as floats", "[errors][import]") {
  TensorMap bare = good();
  bare.erase("weight_hh_l0_scale");
  CHECK(refusal(bare) ==
        "weight_hh_l0: holds whole numbers (I8), and no \"weight_hh_l0_scale\" says which floats they stand for; save "
        "the floats, or the scale of each row beside them");
  TensorMap long_integers = good();
  long_integers["weight_ih_l0"] = Tensor{ElementType::I64, {2, 1}, std::vector<std::byte>(16)};
  CHECK(refusal(long_integers) ==
        "weight_ih_l0: holds whole numbers (I64), and no \"weight_ih_l0_scale\" says which floats they stand for; save "
        "the floats, or the scale of each row beside them");
}

TEST_CASE("scales of a state_dict are finite numbers that fit its rows", "[errors][import]") {
  const auto with = [](const std::string& name, Tensor tensor) {
    TensorMap tensors = good();
    tensors[name] = std::move(tensor);
    return tensors;
  };
  const std::string scale = "weight_hh_l0_scale", zero = "weight_hh_l0_zero_point";
  CHECK(refusal(with(scale, Tensor::from_f32({2, 1}, {0.5f, kNan}))) ==
        "weight_hh_l0: cannot be read: scale 1 is nan; every scale must be a finite number: quantise the model again");
  CHECK(refusal(with(scale, Tensor::from_f32({3}, {1, 1, 1}))) ==
        "weight_hh_l0: is [2,2] and its scales are [3]; there must be one, one for each row, or some for each row that "
        "have as many columns as each other");
  CHECK(refusal(with(zero, integers({1}, {1}))) ==
        "weight_hh_l0: is [2,2] and its scales are [2], its zero points [1]; there must be one, one for each row, or "
        "some for each row that have as many columns as each other");
  CHECK(refusal(with(scale, integers({1}, {1}))) == "weight_hh_l0: has scales of I8, which must be floats");
  CHECK(refusal(with(zero, Tensor::from_f32({2}, {1, 1}))) ==
        "weight_hh_l0: has zero points of F32, which must be integers");
  TensorMap bias = with("bias_ih_l0", integers({2}, {1, 1}));
  bias["bias_hh_l0"] = Tensor::from_f32({2}, {0, 0});
  bias["bias_ih_l0_scale"] = Tensor::from_f32({}, {1});
  CHECK(refusal(bias) == "bias_ih_l0: is [2], but integers are read of matrices alone");
}

TEST_CASE("scales of activations are refused, unless they say that there are none", "[errors][import]") {
  TensorMap tensors;
  for (auto& [name, tensor] : good()) tensors["rnn." + name] = tensor;
  tensors["fc.weight._data"] = integers({1, 2}, {3, 4});
  tensors["fc.weight._scale"] = Tensor::from_f32({1, 1}, {0.5f});
  tensors["fc.input_scale"] = Tensor::from_f32({}, {1});
  CHECK(import(tensors, {.prefix = "rnn,fc"}).value().weights.at("fc_W").to_f32() == std::vector<float>{1.5f, 2.0f});
  tensors["fc.input_scale"] = Tensor::from_f32({}, {0.1f});
  CHECK(refusal(tensors, {.prefix = "rnn,fc"}) ==
        "fc.input_scale: is the scale of activations of 8 bits, which are floats here; quantise the weights alone");
}

}  // namespace rnnc::test
