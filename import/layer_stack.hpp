// A stack of layers becomes one cell, whose step is a step of all layers, so that it runs sample by sample. Names are
// those of the standard cells, with the number of the layer behind them if there are several recurrent layers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/import.hpp>
#include "import/matrix.hpp"

namespace rnnc::files {

/// A recurrent layer with its gates stacked: the letters of the gates in the order of the rows, as in the standard
/// cells.
struct GateWeights {
  std::string gates;      // "ifgo", "zrn", "" for an RNN
  Matrix W, U;            // [G*H, I], [G*H, H]
  std::vector<float> b;   // [G*H], or none
  std::vector<float> bu;  // the recurrent product's, or none; added to b except for a GRU's n

  std::int64_t hidden() const { return U.columns; }
};

class LayerStack {
 public:
  /// Begins a stack with `recurrent` recurrent layers. `comment` names the source of the model.
  LayerStack(std::string name, std::string comment, std::int64_t input_size, std::size_t recurrent,
             std::string_view file);

  // Each adds a layer. Each throws Refusal if the sizes do not fit the layer below; `what` names the layer in the file.
  void lstm(const GateWeights& weights, const std::string& what);
  void gru(const GateWeights& weights, bool reset_after, const std::string& what);
  void rnn(const GateWeights& weights, const std::string& what);
  void dense(const Matrix& W, const std::vector<float>& b, const std::string& what);
  void prelu(const std::vector<float>& alpha, const std::string& what);

  /// Adds a causal convolution over time. `taps` are the matrices of the steps that it sees, the oldest first,
  /// `dilation` steps apart; or, of a depthwise one, rows of one factor for each feature. What came before the first
  /// step is 0.
  void conv1d(const std::vector<Matrix>& taps, bool depthwise, const std::vector<float>& b, std::int64_t dilation,
              const std::string& what);

  /// Adds factor * v + shift for each feature.
  void scale(const std::vector<float>& factor, const std::vector<float>& shift, const std::string& what);

  /// Multiplies the first feature of the input, before any layer is added, or all of the top layer's output.
  void input_gain(float factor);
  void output_gain(float factor);

  /// Applies a function of one operand by its name in the language; `more` is the text behind the operand: `elu`, ",
  /// 1".
  void apply(const std::string& function, const std::string& more = "");

  /// Adds the first features of the input, behind its gain, to the output of the top layer.
  void add_input(const std::string& what);

  std::int64_t size() const { return size_; }  // of the top layer's output

  /// Returns the cell; or, with initial states, a network around the cell that has them as parameters. Initial states
  /// are those of the recurrent layers in their order, h and then c each: all of them or none.
  Imported build(const std::vector<std::vector<float>>& initial = {}) const;

 private:
  void add_gates(const GateWeights& weights, const std::string& what, bool keep_recurrent_bias);
  void finish_recurrent(std::int64_t hidden);
  std::string suffixed(const std::string& name) const { return name + suffix_; }
  std::string product(const std::string& gate) const;  // W x + U h + b
  std::string param(const std::string& name, Tensor tensor);
  std::string state(const std::string& name, std::int64_t size);
  std::string let(const std::string& name, const std::string& expression);

  std::string name_, comment_;
  std::string_view file_;
  std::int64_t input_size_, size_;
  std::size_t recurrent_, layer_ = 0, lets_ = 0, denses_ = 0, convs_ = 0;
  std::string suffix_, declarations_, body_, input_ = "x", top_ = "x";
  std::vector<std::string> states_;  // names, in the order of declaration
  TensorMap weights_;
};

}  // namespace rnnc::files
