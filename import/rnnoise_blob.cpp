// The file does not say which layer reads what; RNNoise does (src/rnn.c). A convolution sees three frames, the oldest
// first; the gates of a GRU are z r n, and recurrent weights in blocks have their diagonal apart.
#include "import/rnnoise_blob.hpp"

#include <set>
#include <string>

#include "import/dnn_blob.hpp"
#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kFrames = 3;
constexpr std::string_view kBlobGates[] = {"z", "r", "n"};

class BlobReader {
 public:
  BlobReader(const FileContent& content, std::string_view file) : arrays_(read_dnn_blob(content, file)), file_(file) {}

  Imported run() {
    const std::int64_t features = inputs_of_first();
    const std::int64_t first = convolution("conv1", "x", features);
    const std::int64_t second = convolution("conv2", "conv1", first);
    std::int64_t below = second, all = second;
    std::string seen = "conv2", before = "conv2";
    for (const std::string name : {"gru1", "gru2", "gru3"}) {
      below = gru(name, before, below);
      seen += ", " + name;
      before = name;
      all += below;
    }
    body_ += "  seen = concat(" + seen + ")\n";
    dense("dense_out", all);
    if (dense("vad_dense", all) != 1) invalid(file_, "vad_dense_bias", "must be one number, the probability of speech");
    check_all_used();
    const std::string text =
        "// from a model of RNNoise: features of a frame in; gains of the bands and the probability of speech out\n"
        "network model {\n  input x : seq f32[" +
        std::to_string(features) + "]\n" + params_ + "\n" + body_ + "  output concat(dense_out, vad_dense)\n}\n" +
        cells_;
    Result<Model> model = parse(text, file_);
    if (!model) throw Refusal{model.error()};
    Imported result{std::move(*model), std::move(weights_)};
    result.leaves_unrounded = integers_;
    return result;
  }

 private:
  // The first layer has floats, and is never sparse.
  std::int64_t inputs_of_first() const {
    const std::int64_t outputs = dnn_outputs(arrays_, "conv1", file_);
    const auto weights = arrays_.find("conv1_weights_float");
    if (weights == arrays_.end())
      unsupported(file_, "conv1_weights_float",
                  "is missing: this is no network of RNNoise 0.2, the only one that is read");
    const std::int64_t inputs = weights->second.elements() / outputs;
    if (inputs < 1 || inputs % kFrames != 0 || weights->second.elements() % outputs != 0)
      invalid(file_, "conv1_weights_float",
              "has " + std::to_string(weights->second.elements()) + " numbers, not 3 frames for each of " +
                  std::to_string(outputs) + " outputs");
    return inputs / kFrames;
  }

  DnnLayer layer(const std::string& name, std::int64_t inputs) {
    DnnLayer result = read_dnn_layer(arrays_, name, inputs, file_);
    integers_ = integers_ || result.integers;
    layers_.insert(name);
    return result;
  }

  static void param(std::string& text, TensorMap& weights, const std::string& prefix, const std::string& name,
                    Tensor tensor) {
    text += "  param " + name + " : f32[" + std::to_string(tensor.shape[0]) +
            (tensor.shape.size() > 1 ? ", " + std::to_string(tensor.shape[1]) : "") + "]\n";
    weights[prefix + name] = std::move(tensor);
  }

  // Reads a layer into a matrix and a bias, whose names end in W and b. Returns the number of outputs.
  std::int64_t affine(const std::string& name, std::int64_t inputs, std::string& params, const std::string& prefix,
                      const std::string& own) {
    const DnnLayer read = layer(name, inputs);
    param(params, weights_, prefix, own + "W", read.matrix.part(read.matrix.shape, 0));
    param(params, weights_, prefix, own + "b", Tensor::from_f32({read.matrix.shape[0]}, read.bias));
    return read.matrix.shape[0];
  }

  // The two frames before are states.
  std::int64_t convolution(const std::string& name, const std::string& below, std::int64_t inputs) {
    std::string params;
    const std::int64_t outputs = affine(name, kFrames * inputs, params, name + ".", "");
    const std::string size = std::to_string(inputs);
    cells_ += "cell " + name + "_cell {\n  input x : f32[" + size + "]\n  state older : f32[" + size +
              "]\n  state old : f32[" + size + "]\n" + params +
              "\n  older' = old\n  old' = x\n  output tanh(W @ concat(older, old, x) + b)\n}\n";
    body_ += "  " + name + " = " + name + "_cell(" + below + ")\n";
    return outputs;
  }

  std::int64_t dense(const std::string& name, std::int64_t inputs) {
    const std::int64_t outputs = affine(name, inputs, params_, "", name + "_");
    body_ += "  " + name + " = sigmoid(" + name + "_W @ seen + " + name + "_b)\n";
    return outputs;
  }

  std::int64_t gru(const std::string& name, const std::string& below, std::int64_t inputs) {
    const std::int64_t rows = dnn_outputs(arrays_, name + "_recurrent", file_), units = rows / 3;
    if (rows % 3 != 0)
      invalid(file_, name + "_recurrent_bias", "has " + std::to_string(rows) + " numbers, not 3 gates");
    const DnnLayer U = layer(name + "_recurrent", units), W = layer(name + "_input", inputs);
    if (W.matrix.shape[0] != rows)
      invalid(file_, name + "_input_bias",
              "has " + std::to_string(W.matrix.shape[0]) + " numbers but must have " + std::to_string(rows));
    const auto part = [&](const std::vector<float>& of, std::int64_t gate) {
      const auto begin = of.begin() + gate * units;
      return std::vector<float>(begin, begin + units);
    };
    for (std::int64_t g = 0; g < 3; ++g) {
      const std::string gate(kBlobGates[g]);
      const auto add = [&](const char* own, Tensor tensor) { weights_[name + "." + own + gate] = std::move(tensor); };
      add("W", W.matrix.part({units, inputs}, g * units * inputs));
      add("U", U.matrix.part({units, units}, g * units * units));
      if (!U.diagonal.empty()) add("d", Tensor::from_f32({units}, part(U.diagonal, g)));
      std::vector<float> bias = part(W.bias, g);
      const std::vector<float> inner = part(U.bias, g);
      if (gate == "n")  // the recurrent bias stays inside the product with r
        add("bu", Tensor::from_f32({units}, inner));
      else
        for (std::size_t k = 0; k < bias.size(); ++k) bias[k] += inner[k];
      add("b", Tensor::from_f32({units}, bias));
    }
    body_ += "  " + name + " = " + (U.diagonal.empty() ? "gru" : "gru_rnnoise") + "<H=" + std::to_string(units) + ">(" +
             below + ")\n";
    return units;
  }

  // Arrays of the layers that are read are known: subias is the bias for products of unsigned bytes, and the integers
  // beside floats are the same weights.
  void check_all_used() const {
    for (const auto& [array, values] : arrays_) {
      bool known = false;
      for (const std::string& layer : layers_)
        for (const char* end :
             {"_bias", "_subias", "_scale", "_weights_float", "_weights_int8", "_weights_idx", "_weights_diag"})
          known = known || array == layer + end;
      if (!known) unsupported(file_, array, "is no part of the network of RNNoise 0.2, the only one that is read");
    }
  }

  std::map<std::string, TensorView> arrays_;
  std::string_view file_;
  std::string params_, body_, cells_;
  TensorMap weights_;
  std::set<std::string> layers_;  // that were read
  bool integers_ = false;
};

}  // namespace

Imported import_rnnoise_blob(const FileContent& content, std::string_view file) {
  return BlobReader(content, file).run();
}

}  // namespace rnnc::files
