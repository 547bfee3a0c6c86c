// The text is a version and then whole numbers alone, six layers one behind the other. A layer begins with its inputs,
// its units and its activation; weights follow, input by input, in units of 1/256, gates in the order z r h, and
// biases. Which layer reads what is not in the file but in RNNoise: each layer below hands its output to some of those
// above.
#include "import/rnnoise.hpp"

#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "import/file_error.hpp"
#include "import/matrix.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kMostUnits = 128;  // RNNoise's and ffmpeg's MAX_NEURONS, which is that of inputs too
constexpr float kScale = 1.0f / 256;
constexpr std::string_view kSpace = " \t\r\n";
constexpr const char* kActivations[] = {"tanh", "sigmoid", "relu"};
constexpr std::string_view kGruGates[] = {"z", "r", "n"};

class Numbers {
 public:
  Numbers(std::string_view text, std::size_t begin, std::string_view file) : text_(text), file_(file), at_(begin) {}

  // A weight is a signed byte; ffmpeg takes larger ones too, but no program writes them.
  std::int64_t next(const std::string& what, std::int64_t least, std::int64_t most) {
    const std::size_t begin = text_.find_first_not_of(kSpace, at_);
    if (begin == std::string_view::npos) invalid(file_, what, "is missing: the file is cut short; copy it again");
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text_.data() + begin, text_.data() + text_.size(), value);
    at_ = static_cast<std::size_t>(end - text_.data());
    const bool whole = at_ == text_.size() || kSpace.find(text_[at_]) != std::string_view::npos;
    if (failure != std::errc() || !whole || value < least || value > most)
      invalid(file_, what,
              "there must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                  " at byte " + std::to_string(begin + 1) + ", not " +
                  in_quotes(text_.substr(begin, text_.find_first_of(kSpace, begin) - begin)));
    return value;
  }

  std::vector<float> weights(const std::string& what, std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = kScale * static_cast<float>(next(what, -128, 127));
    return values;
  }

  void check_end() const {
    if (const std::size_t rest = text_.find_first_not_of(kSpace, at_); rest != std::string_view::npos)
      invalid(file_, "",
              "behind the last layer, at byte " + std::to_string(rest + 1) + ", something follows; remove it");
  }

 private:
  std::string_view text_, file_;
  std::size_t at_;
};

class TextReader {
 public:
  TextReader(std::string_view text, std::size_t begin, std::string_view file)
      : numbers_(text, begin, file), file_(file) {}

  Imported run() {
    const std::string e = dense("input_dense", "x", -1);
    const std::int64_t dense_units = units_;
    const std::string v = gru("vad_gru", e, dense_units);
    const std::int64_t vad_units = units_;
    const std::string n = gru("noise_gru", "concat(" + e + ", " + v + ", x)", dense_units + vad_units + features_);
    const std::int64_t noise_units = units_;
    const std::string d = gru("denoise_gru", "concat(" + v + ", " + n + ", x)", vad_units + noise_units + features_);
    const std::string gains = dense("denoise_output", d, units_);
    const std::string speech = dense("vad_output", v, vad_units);
    if (units_ != 1) invalid(file_, "vad_output", "has " + std::to_string(units_) + " units but must have 1");
    numbers_.check_end();
    const std::string text =
        "// from a model of RNNoise: features of a frame in; gains of the bands and the probability of "
        "speech out\ncell model {\n  input x : f32[" +
        std::to_string(features_) + "]\n" + declarations_ + "\n" + body_ + "  output concat(" + gains + ", " + speech +
        ")\n}\n";
    Result<Model> model = parse(text, file_);
    if (!model) throw Refusal{model.error()};
    return {std::move(*model), std::move(weights_)};
  }

 private:
  struct Head {
    std::int64_t inputs, units;
    std::string activation;
  };

  // Reads what a layer begins with; `inputs` are those that the layers below give, -1 for the first layer, whose inputs
  // are the features. RNNoise and ffmpeg compute 42 of them.
  Head head(const std::string& name, std::int64_t inputs) {
    const Head head{numbers_.next(name + ", inputs", 1, kMostUnits), numbers_.next(name + ", units", 1, kMostUnits),
                    kActivations[numbers_.next(name + ", activation", 0, 2)]};
    if (inputs < 0) features_ = head.inputs;
    if (inputs >= 0 && head.inputs != inputs)
      invalid(file_, name,
              "takes " + std::to_string(head.inputs) + " inputs but the layers below give " + std::to_string(inputs) +
                  "; they must fit each other");
    units_ = head.units;
    return head;
  }

  std::string param(const std::string& name, Tensor tensor) {
    declarations_ += "  param " + name + " : f32[" + std::to_string(tensor.shape[0]) +
                     (tensor.shape.size() > 1 ? ", " + std::to_string(tensor.shape[1]) : "") + "]\n";
    weights_[name] = std::move(tensor);
    return name;
  }

  std::string dense(const std::string& name, const std::string& below, std::int64_t inputs) {
    const Head layer = head(name, inputs);
    const Matrix W{layer.inputs, layer.units, numbers_.weights(name + ", weights", layer.inputs * layer.units)};
    const std::string product = param(name + "_W", W.transposed().tensor());
    const std::string bias =
        param(name + "_b", Tensor::from_f32({layer.units}, numbers_.weights(name + ", bias", layer.units)));
    body_ += "  " + name + " = " + layer.activation + "(" + product + " @ " + below + " + " + bias + ")\n";
    return name;
  }

  // The reset gate stands before the product, and z keeps the old state. Returns the name of the new state.
  std::string gru(const std::string& name, const std::string& below, std::int64_t inputs) {
    const Head layer = head(name, inputs);
    const std::int64_t units = layer.units;
    const Matrix W{layer.inputs, 3 * units, numbers_.weights(name + ", input weights", layer.inputs * 3 * units)};
    const Matrix U{units, 3 * units, numbers_.weights(name + ", recurrent weights", units * 3 * units)};
    const Matrix b{1, 3 * units, numbers_.weights(name + ", bias", 3 * units)};
    declarations_ += "  state " + name + " : f32[" + std::to_string(units) + "]\n";
    const std::string in = below.starts_with("concat") ? name + "_in" : below;
    if (in != below) body_ += "  " + in + " = " + below + "\n";
    std::string gates[3];
    for (std::int64_t g = 0; g < 3; ++g) {
      const auto part = [&](const Matrix& matrix) { return matrix.column_range(g * units, (g + 1) * units); };
      const std::string gate(kGruGates[g]), own = name + "_" + gate;
      const std::string product = param(name + "_W" + gate, part(W).transposed().tensor()) + " @ " + in;
      const std::string recurrent = param(name + "_U" + gate, part(U).transposed().tensor()) + " @ ";
      const std::string bias = param(name + "_b" + gate, Tensor::from_f32({units}, part(b).values));
      const std::string seen = g == 2 ? "(" + gates[1] + " * " + name + ")" : name;
      body_ += "  " + own + " = " + (g == 2 ? layer.activation : "sigmoid") + "(" + product + " + " + recurrent + seen +
               " + " + bias + ")\n";
      gates[g] = own;
    }
    body_ += "  " + name + "' = " + gates[0] + " * " + name + " + (1 - " + gates[0] + ") * " + gates[2] + "\n";
    return name + "'";
  }

  Numbers numbers_;
  std::string_view file_;
  std::int64_t features_ = 0, units_ = 0;  // units of the layer that was read last
  std::string declarations_, body_;
  TensorMap weights_;
};

}  // namespace

Imported import_rnnoise(std::string_view text, std::string_view file) {
  const std::string_view rest = text.substr(kRnnoiseHead.size());
  const std::size_t end = rest.find_first_of("\r\n");
  if (const std::string_view version = rest.substr(0, end); version != "1")
    unsupported(file, "", "version " + in_quotes(version) + " of RNNoise's models is not known; known is 1");
  return TextReader(text, end == std::string_view::npos ? text.size() : kRnnoiseHead.size() + end, file).run();
}

}  // namespace rnnc::files
