// Layers that run one behind the other become a network of standard cells. Keras's gates are in the order i f c o and z
// r h, its kernels [I, G*H]. Layers that matter in training alone are left out; masks, and whatever else changes
// numbers and is not known here, are refused.
#include "import/keras.hpp"

#include <cmath>
#include <map>
#include <optional>

#include "import/file_error.hpp"
#include "import/identifiers.hpp"
#include "import/keras_activation.hpp"
#include "import/keras_layers.hpp"
#include "import/keras_weights.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

struct Kind {
  const char* cell;
  std::vector<std::string> gates;  // in Keras's order, by the names of the standard cells
};

class Importer {
 public:
  Importer(const JsonValue& root, std::string_view version, const Hdf5File& hdf5, bool by_folder)
      : root_(root), activations_(version), weights_(hdf5, root.file(), by_folder) {}

  Imported run() {
    const std::vector<KerasLayer> chain = keras_chain(root_);
    for (const KerasLayer& layer : chain) {
      weights_.begin_layer(layer.kind, layer.name);
      add(layer);
    }
    if (!recurrent_) root_.unsupported("there is no recurrent layer in the model");
    const std::string input = tokens_ ? "seq f32" : "seq f32[" + std::to_string(inputs_) + "]";
    const std::string text = "// from a model of Keras\nnetwork model {\n  input x : " + input + "\n" + params_ + "\n" +
                             body_ + "  output " + top_ + "\n}\n" + cells_;
    Result<Model> model = parse(text, root_.file());
    if (!model) throw Refusal{model.error()};
    return {std::move(*model), std::move(tensors_)};
  }

 private:
  void add(const KerasLayer& layer) {
    const std::string& kind = layer.kind;
    if (kind == "LSTM" || kind == "GRU" || kind == "SimpleRNN") return recurrent(layer);
    if (kind == "Bidirectional") return bidirectional(layer);
    if (kind == "Dense") return dense(layer);
    if (kind == "TimeDistributed") return time_distributed(layer);
    if (kind == "Embedding") return embedding(layer);
    if (kind == "BatchNormalization") return batch_normalization(layer);
    if (kind == "LayerNormalization") return layer_normalization(layer);
    if (kind == "GlobalAveragePooling1D" || kind == "GlobalMaxPooling1D") return pooling(layer);
    if (kind == "Activation" || kind == "ReLU" || kind == "LeakyReLU" || kind == "ELU" || kind == "Softmax")
      return let(name_of(layer), activations_.of_layer(layer).apply(top_));
    if (kind == "Dropout" || kind == "SpatialDropout1D" || kind == "GaussianNoise" || kind == "GaussianDropout" ||
        kind == "ActivityRegularization")
      return;
    layer.config.unsupported("layers of class " + in_quotes(kind) + " cannot be imported, as " + in_quotes(layer.name) +
                             " is");
  }

  void let(const std::string& name, const std::string& value) {
    if (value == top_) return;
    body_ += "  " + name + " = " + value + "\n";
    top_ = name;
  }

  std::string name_of(const KerasLayer& layer) { return names_.make(layer.name); }

  std::string param(const std::string& name, Tensor tensor) {
    std::string dims;
    for (const std::int64_t dim : tensor.shape) dims += (dims.empty() ? "" : ", ") + std::to_string(dim);
    params_ += "  param " + name + " : f32[" + dims + "]\n";
    tensors_[name] = std::move(tensor);
    return name;
  }

  std::string vector_param(const std::string& name, const Matrix& row) {
    return param(name, Tensor::from_f32({row.columns}, row.values));
  }

  // Checks the width of what a layer reads. The first layer with weights says how wide the input is.
  void reads(const KerasLayer& layer, std::int64_t width) {
    if (inputs_ == 0) inputs_ = width_ = width;
    if (width != width_)
      layer.config.wrong("takes " + std::to_string(width) + " features but the layer below gives " +
                         std::to_string(width_) + "; save the model again");
  }

  void expect(const KerasLayer& layer, const std::string& role, const Matrix& found, std::int64_t rows,
              std::int64_t columns) const {
    if (found.rows != rows || found.columns != columns)
      layer.config.wrong("its " + role + " is " + std::to_string(found.rows) + " x " + std::to_string(found.columns) +
                         " but must be " + std::to_string(rows) + " x " + std::to_string(columns) +
                         "; save the model again");
  }

  void a_sequence(const KerasLayer& layer) const {
    if (!is_sequence_) layer.config.unsupported("reads a sequence, but the layer below gives one vector");
  }

  static bool flag(const JsonValue& config, const char* key, bool otherwise) {
    return config.has(key) && !config.at(key).is_null() ? config.at(key).flag() : otherwise;
  }

  static void must_be_off(const JsonValue& config, std::initializer_list<const char*> keys) {
    for (const char* key : keys)
      if (config.has(key) && !config.at(key).is_off())
        config.at(key).unsupported("is on, which cannot be imported; save a model without it");
  }

  // Reads one direction of a recurrent layer, and returns its cell as it stands in the network.
  std::string scan(const KerasLayer& layer, const std::string& part, const std::string& prefix, std::int64_t& hidden) {
    const JsonValue& config = layer.config;
    check_keras_keys(layer, {"units", "activation", "recurrent_activation", "use_bias", "return_sequences",
                             "return_state", "go_backwards", "time_major", "reset_after", "zero_output_for_mask"});
    must_be_off(config, {"return_state", "time_major"});
    hidden = config.at("units").size();
    const bool has_bias = flag(config, "use_bias", true), reset_after = flag(config, "reset_after", false);
    const Kind kind = layer.kind == "LSTM"  ? Kind{"lstm", {"i", "f", "g", "o"}}
                      : layer.kind == "GRU" ? Kind{reset_after ? "gru" : "gru_cho", {"z", "r", "n"}}
                                            : Kind{"rnn", {""}};
    std::vector<std::string> roles = {"kernel", "recurrent_kernel"};
    if (has_bias) roles.push_back("bias");
    const std::vector<Matrix> found = weights_.take(part, roles);
    const auto gates = static_cast<std::int64_t>(kind.gates.size());
    reads(layer, found[0].rows);
    expect(layer, "kernel", found[0], width_, gates * hidden);
    expect(layer, "recurrent kernel", found[1], hidden, gates * hidden);
    const bool two_biases = kind.cell == std::string("gru");
    const Matrix bias =
        has_bias ? found[2]
                 : Matrix{two_biases ? 2 : 1, gates * hidden,
                          std::vector<float>(static_cast<std::size_t>((two_biases ? 2 : 1) * gates * hidden))};
    expect(layer, "bias", bias, two_biases ? 2 : 1, gates * hidden);
    for (std::int64_t g = 0; g < gates; ++g) {
      const std::string& gate = kind.gates[static_cast<std::size_t>(g)];
      const std::int64_t begin = g * hidden, end = begin + hidden;
      tensors_[prefix + "W" + gate] = found[0].column_range(begin, end).transposed().tensor();
      tensors_[prefix + "U" + gate] = found[1].column_range(begin, end).transposed().tensor();
      const Matrix own = bias.column_range(begin, end);
      std::vector<float> b = own.row_range(0, 1).values;
      const std::vector<float> inside = two_biases ? own.row_range(1, 2).values : std::vector<float>();
      if (gate == "n" && two_biases)  // the recurrent bias stays inside the product with r
        tensors_[prefix + "bun"] = Tensor::from_f32({hidden}, inside);
      else
        for (std::size_t k = 0; k < inside.size(); ++k) b[k] += inside[k];
      tensors_[prefix + "b" + gate] = Tensor::from_f32({hidden}, b);
    }
    recurrent_ = true;
    return cell_of(layer, kind.cell) + "<H=" + std::to_string(hidden) + ">(" + top_ + ")";
  }

  // Returns the name of the standard cell, or of one with other activations that is written behind the network.
  std::string cell_of(const KerasLayer& layer, const std::string& standard) {
    const Activation own = activations_.named(layer.config, "activation");
    const Activation gates =
        standard == "rnn" ? activations_.plain("sigmoid") : activations_.named(layer.config, "recurrent_activation");
    if (own.function == "tanh" && gates.function == "sigmoid") return standard;
    if (standard == "rnn" && (own.function == "relu" || own.function == "sigmoid")) return "rnn_" + own.function;
    std::string text = standard_cell(standard).value().text();
    // One activation may be the other one's name, or a part of it.
    text = replace_calls(replace_calls(text, "tanh", activations_.plain("own_activation")), "sigmoid", gates);
    text = replace_calls(text, "own_activation", own);
    const auto [at, is_new] = own_cells_.emplace(text, standard + "_" + std::to_string(own_cells_.size() + 1));
    if (is_new) cells_ += "\n" + text.replace(text.find("cell " + standard), 5 + standard.size(), "cell " + at->second);
    return at->second;
  }

  void recurrent(const KerasLayer& layer) {
    a_sequence(layer);
    const std::string name = name_of(layer);
    std::int64_t hidden = 0;
    const std::string call = scan(layer, "", name + ".", hidden);
    const bool backwards = flag(layer.config, "go_backwards", false);
    is_sequence_ = flag(layer.config, "return_sequences", false);
    if (backwards && is_sequence_)
      layer.config.at("go_backwards")
          .unsupported(
              "with return_sequences gives a sequence in turned order, which cannot be imported; "
              "Bidirectional, or the last step alone, can");
    body_ += "  " + name + " = " + (backwards ? "reverse " : "") + call + "\n";
    top_ = is_sequence_ ? name : name + ".h";
    width_ = hidden;
  }

  void bidirectional(const KerasLayer& layer) {
    a_sequence(layer);
    const JsonValue& config = layer.config;
    check_keras_keys(layer, {"layer", "backward_layer", "merge_mode"});
    const KerasLayer forward = keras_layer(config.at("layer"));
    if (forward.kind != "LSTM" && forward.kind != "GRU" && forward.kind != "SimpleRNN")
      config.at("layer").unsupported("is of class " + in_quotes(forward.kind) + "; known are LSTM, GRU and SimpleRNN");
    KerasLayer backward = config.has("backward_layer") && !config.at("backward_layer").is_null()
                              ? keras_layer(config.at("backward_layer"))
                              : forward;
    if (flag(forward.config, "go_backwards", false) || backward.kind != forward.kind)
      config.at("layer").unsupported("must run forwards, and both directions must be of one class");
    const std::string name = name_of(layer);
    std::int64_t hidden = 0, other = 0;
    const std::string call = scan(forward, "forward", name + ".fwd.", hidden);
    if (scan(backward, "backward", name + ".bwd.", other) != call)
      config.at("backward_layer").unsupported("differs from the forward layer in more than its weights");
    is_sequence_ = flag(forward.config, "return_sequences", false);
    const std::string mode = config.has("merge_mode") ? config.at("merge_mode").text() : "concat";
    if (mode != "concat" && mode != "sum" && mode != "ave" && mode != "mul")
      config.at("merge_mode").unsupported(in_quotes(mode) + " is not known; known are concat sum ave mul");
    const std::string merge = is_sequence_ && mode != "concat" ? " merge " + (mode == "ave" ? "mean" : mode) : "";
    body_ += "  " + name + " = bidirectional " + call + merge + "\n";
    top_ = name;
    width_ = mode == "concat" ? 2 * hidden : hidden;
    if (is_sequence_) return;
    const std::string h = name + ".fwd.h", g = name + ".bwd.h";
    let(name_of(layer), mode == "concat" ? "concat(" + h + ", " + g + ")"
                        : mode == "sum"  ? h + " + " + g
                        : mode == "mul"  ? h + " * " + g
                                         : "0.5 * (" + h + " + " + g + ")");
  }

  void dense(const KerasLayer& layer) {
    check_keras_keys(layer, {"units", "activation", "use_bias"});
    const bool has_bias = flag(layer.config, "use_bias", true);
    const auto found =
        weights_.take("", has_bias ? std::vector<std::string>{"kernel", "bias"} : std::vector<std::string>{"kernel"});
    reads(layer, found[0].rows);
    const std::int64_t units = layer.config.at("units").size();
    expect(layer, "kernel", found[0], width_, units);
    const std::string name = name_of(layer);
    std::string sum = param(name + "_W", found[0].transposed().tensor()) + " @ " + top_;
    if (has_bias) {
      expect(layer, "bias", found[1], 1, units);
      sum += " + " + vector_param(name + "_b", found[1]);
    }
    width_ = units;
    let(name, activations_.named(layer.config, "activation").apply(sum));
  }

  // A dense layer is applied to each step by itself in any case.
  void time_distributed(const KerasLayer& layer) {
    check_keras_keys(layer, {"layer"});
    KerasLayer inner = keras_layer(layer.config.at("layer"));
    if (inner.kind != "Dense")
      layer.config.at("layer").unsupported("is of class " + in_quotes(inner.kind) + "; known is Dense");
    inner.name = layer.name;
    dense(inner);
  }

  void embedding(const KerasLayer& layer) {
    check_keras_keys(layer, {"output_dim", "mask_zero"});
    must_be_off(layer.config, {"mask_zero"});
    if (top_ != "x") layer.config.unsupported("is not the first layer, so that it reads no tokens");
    const Matrix table = weights_.take("", {"embeddings"})[0];
    tokens_ = true;
    inputs_ = 1;
    width_ = table.columns;
    const std::string name = name_of(layer);
    let(name, "lookup(" + param(name + "_table", table.tensor()) + ", x)");
  }

  // Everything is known in inference, so that one factor and one summand of each feature are left.
  void batch_normalization(const KerasLayer& layer) {
    const JsonValue& config = layer.config;
    check_keras_keys(layer, {"axis", "epsilon", "center", "scale"});
    last_axis(config);
    std::vector<std::string> roles = {"moving_mean", "moving_variance"};
    const bool center = flag(config, "center", true), scale = flag(config, "scale", true);
    if (center) roles.insert(roles.begin(), "beta");
    if (scale) roles.insert(roles.begin(), "gamma");
    const std::vector<Matrix> found = weights_.take("", roles);
    reads(layer, found[0].columns);
    for (std::size_t i = 0; i < found.size(); ++i) expect(layer, roles[i], found[i], 1, width_);
    const std::vector<float>&mean = found[found.size() - 2].values, &variance = found.back().values;
    Matrix factor{1, width_, scale ? found[0].values : std::vector<float>(mean.size(), 1)};
    Matrix shift{1, width_, center ? found[scale ? 1 : 0].values : std::vector<float>(mean.size(), 0)};
    const double epsilon = config.at("epsilon").number();
    for (std::size_t i = 0; i < mean.size(); ++i) {
      const double by = factor.values[i] / std::sqrt(variance[i] + epsilon);
      if (!std::isfinite(by)) config.wrong("has a variance of which no root can be taken");
      factor.values[i] = static_cast<float>(by);
      shift.values[i] = static_cast<float>(shift.values[i] - by * mean[i]);
    }
    const std::string name = name_of(layer);
    const std::string by = vector_param(name + "_factor", factor);
    let(name, by + " * " + top_ + " + " + vector_param(name + "_shift", shift));
  }

  void layer_normalization(const KerasLayer& layer) {
    const JsonValue& config = layer.config;
    check_keras_keys(layer, {"axis", "epsilon", "center", "scale"});
    last_axis(config);
    if (!flag(config, "center", true) || !flag(config, "scale", true))
      config.unsupported("has no gamma or no beta; only a layer with both can be imported");
    const std::vector<Matrix> found = weights_.take("", {"gamma", "beta"});
    reads(layer, found[0].columns);
    for (const Matrix& each : found) expect(layer, "gamma or beta", each, 1, width_);
    const std::string name = name_of(layer);
    const std::string gamma = vector_param(name + "_gamma", found[0]), beta = vector_param(name + "_beta", found[1]);
    let(name, "layer_norm(" + top_ + ", " + gamma + ", " + beta + ", " + text_of(config.at("epsilon").number()) + ")");
  }

  // The axis counts the batch and, where there is one, the time: of a sequence 2 is the last.
  void last_axis(const JsonValue& config) const {
    if (!config.has("axis")) return;
    const JsonValue axis = config.at("axis").is_array() && config.at("axis").elements().size() == 1
                               ? config.at("axis").elements()[0]
                               : config.at("axis");
    if (const double value = axis.number(); value != -1 && value != (is_sequence_ ? 2 : 1))
      axis.unsupported("must be the last one");
  }

  void pooling(const KerasLayer& layer) {
    check_keras_keys(layer, {"data_format", "keepdims"});
    must_be_off(layer.config, {"keepdims"});
    if (layer.config.has("data_format") && layer.config.at("data_format").text() != "channels_last")
      layer.config.at("data_format").unsupported("must be channels_last");
    a_sequence(layer);
    is_sequence_ = false;
    let(name_of(layer), (layer.kind == "GlobalMaxPooling1D" ? "max(" : "mean(") + top_ + ")");
  }

  const JsonValue& root_;
  KerasActivations activations_;
  KerasWeights weights_;
  std::string params_, body_, cells_, top_ = "x";
  std::map<std::string, std::string> own_cells_;  // names by text
  Identifiers names_;
  std::int64_t inputs_ = 0, width_ = 0;
  bool is_sequence_ = true, tokens_ = false, recurrent_ = false;
  TensorMap tensors_;
};

}  // namespace

Imported import_keras(const JsonValue& root, std::string_view version, const Hdf5File& weights, bool by_folder) {
  return Importer(root, version, weights, by_folder).run();
}

}  // namespace rnnc::files
