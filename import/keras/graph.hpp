// The layers of a model of Keras become an ONNX graph.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "import/keras/activation.hpp"
#include "import/keras/layers.hpp"
#include "import/keras/weights.hpp"
#include "import/onnx/graph_writer.hpp"

namespace rnnc::files {

/// What a layer gives. The value in the graph has the batch before the dims of `shape`.
struct KerasValue {
  std::string name;       // in the graph; "" for a comparison, which is a mask and has no numbers
  Shape shape;            // of one sequence: [T,F] or [F] most often; -1 for a dim that is open, as T always is
  std::string mask;       // of its steps, [B,T,1], in the graph; "" for none
  bool is_whole = false;  // of whole numbers: tokens
};

/// Writes a model. Layers that matter in training alone give what they read; whatever changes numbers and is not known
/// here is refused.
class KerasGraph : public GraphWriter {
 public:
  KerasGraph(const KerasModel& model, std::string_view version, const KerasWeights& weights, std::size_t file_bytes,
             std::string_view file);

  /// Throws Refusal.
  OnnxModel write();

 private:
  using Values = std::vector<KerasValue>;
  struct Direction;
  struct Scan;

  void add_input_of_sequential();
  void add_input_of(const std::string& layer, const std::string& name, const JsonValue& place, Shape shape);
  std::int64_t repeats() const;
  const KerasValue& found(const KerasArgument& argument) const;
  const KerasValue& value(const KerasArgument& argument) const;
  void write_call(const KerasCall& call);
  Values apply(const KerasLayer& layer, Values inputs);

  // Each of these writes a layer of its kinds and returns what it gives; nothing where it is of another kind.
  Values recurrent(const KerasLayer& layer, const KerasValue& x);
  Values simple(const KerasLayer& layer, const KerasValue& x);
  Values convolution(const KerasLayer& layer, const KerasValue& x);
  Values shaped(const KerasLayer& layer, const KerasValue& x);
  Values merged(const KerasLayer& layer, const Values& inputs);
  Values compared(const KerasCall& call);
  Values item(const KerasCall& call);

  Direction direction_of(const KerasLayer& layer) const;
  Scan scan(const KerasLayer& owner, const Direction& how, const KerasValue& x);
  Values one_way(const KerasLayer& layer, const KerasValue& x);
  Values both_ways(const KerasLayer& layer, const KerasValue& x);
  std::string flipped(const std::string& y);

  Values dense(const KerasLayer& layer, const KerasValue& x);
  Values time_distributed(const KerasLayer& layer, const KerasValue& x);
  Values embedding(const KerasLayer& layer, const KerasValue& x);
  Values batch_normalization(const KerasLayer& layer, const KerasValue& x);
  Values layer_normalization(const KerasLayer& layer, const KerasValue& x);
  Values normalization(const KerasLayer& layer, const KerasValue& x);
  Values rms_normalization(const KerasLayer& layer, const KerasValue& x);
  Values prelu(const KerasLayer& layer, const KerasValue& x);
  Values pooling(const KerasLayer& layer, const KerasValue& x);
  Values masking(const KerasLayer& layer, const KerasValue& x);
  std::string mask_of(const KerasValue& x, float value);
  std::string kept(const std::string& mask, const std::string& x);
  std::string passed_on(const std::string& mask) const;
  std::string mask_behind(const KerasLayer& layer, const KerasValue& x) const;
  std::string joined_mask(const Values& inputs, bool is_concatenation) const;

  std::vector<KerasWeight> take(const std::vector<std::string>& roles, const std::string& part = "") const {
    return weights_.take(owner_, part, roles);
  }
  std::string constant(const std::string& role, const KerasWeight& weight);
  static void expect(const KerasLayer& layer, const std::string& role, const KerasWeight& found, const Shape& shape);
  static void a_sequence(const KerasLayer& layer, const KerasValue& x);
  static void no_mask(const KerasLayer& layer, const KerasValue& x);
  static std::string known_mask(const KerasLayer& layer, const KerasValue& x);
  static std::int64_t width(const KerasLayer& layer, const KerasValue& x);
  static void last_axis(const KerasLayer& layer, const KerasValue& x);
  static void must_be_off(const JsonValue& config, std::initializer_list<const char*> keys);

  const KerasModel& model_;
  int major_, minor_;   // of the version
  bool is_standalone_;  // written by a Keras before it became a part of TensorFlow
  KerasActivations activations_;
  const KerasWeights& weights_;
  std::map<KerasTensor, KerasValue> values_;
  std::map<std::pair<std::string, float>, std::string> masks_;  // by the value, and what its masked steps have
  std::map<std::pair<std::string, std::int64_t>, std::pair<KerasValue, float>> compared_;  // by the call of NotEqual
  std::map<std::pair<std::string, std::string>, std::string> constants_;                   // by layer and role
  std::string owner_;                 // the layer that is written, whose weights are taken
  std::vector<std::string> initial_;  // the states that the call is given
  std::set<std::int64_t> steps_;      // of the inputs that are sequences; -1 for any number
  bool has_recurrent_ = false;
};

}  // namespace rnnc::files
