// Layers one above the other as one cell: its step is a step of all layers, so it runs sample by sample. Names are
// those of the standard cells, with the layer's number behind them where there are several recurrent layers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/import.hpp>
#include "import/matrix.hpp"

namespace rnnc::files {

/// A recurrent layer with its gates stacked: letters in the order of the rows, of those of the standard cells.
struct GateWeights {
  std::string gates;      // "ifgo", "zrn", "" for an RNN
  Matrix W, U;            // [G*H, I], [G*H, H]
  std::vector<float> b;   // [G*H], or none
  std::vector<float> bu;  // the recurrent product's, or none; added to b except for a GRU's n

  std::int64_t hidden() const { return U.columns; }
};

class LayerStack {
 public:
  /// Of `recurrent` recurrent layers. `comment` says where the model comes from.
  LayerStack(std::string name, std::string comment, std::int64_t input_size, std::size_t recurrent,
             std::string_view file);

  // Each throws Refusal where the sizes do not fit the layer below; `what` names the layer in the file.
  void lstm(const GateWeights& weights, const std::string& what);
  void gru(const GateWeights& weights, bool reset_after, const std::string& what);
  void rnn(const GateWeights& weights, const std::string& what);
  void dense(const Matrix& W, const std::vector<float>& b, const std::string& what);
  void prelu(const std::vector<float>& alpha, const std::string& what);

  /// A function of one operand, by its name in the language, with what follows the operand: `elu`, ", 1".
  void apply(const std::string& function, const std::string& more = "");

  /// Adds the first features of the input to the top layer's.
  void add_input(const std::string& what);

  std::int64_t size() const { return size_; }  // of the top layer's output

  /// The cell; with initial states, a network around it whose parameters they are. They are of the recurrent layers in
  /// their order, h and then c each, and all of them or none.
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
  std::size_t recurrent_, layer_ = 0, lets_ = 0, denses_ = 0;
  std::string suffix_, declarations_, body_, top_ = "x";
  std::vector<std::string> states_;  // names, in the order of declaration
  TensorMap weights_;
};

}  // namespace rnnc::files
