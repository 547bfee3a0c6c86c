// The JSON of a model of Keras becomes its layers, and the calls of these layers in an order in which they can run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "import/json_value.hpp"

namespace rnnc::files {

struct KerasLayer {
  std::string kind;  // Keras's class
  std::string name;
  JsonValue config;
  bool is_function = false;             // of keras.ops: it knows no masks, and takes its values as they are
  std::int64_t dims_around = 0;         // the dims, of steps, that a TimeDistributed around it goes over
  std::vector<KerasLayer> layers = {};  // of a model within the model
};

/// The class of what stands between a model and one within it: it passes its values on, but for their masks.
inline constexpr const char* kKerasBoundary = "boundary of a model";

/// An output of a call: the layer, which of its calls, and which of the call's outputs.
struct KerasTensor {
  std::string layer;
  std::int64_t call = 0, output = 0;

  friend auto operator<=>(const KerasTensor&, const KerasTensor&) = default;
};

/// What a layer is given: a tensor, or a number.
struct KerasArgument {
  JsonValue place;
  std::optional<KerasTensor> tensor;
  double number = 0;
};

/// A layer that is applied once.
struct KerasCall {
  KerasLayer layer;
  std::int64_t number = 0;               // which of the layer's calls it is
  std::vector<KerasArgument> arguments;  // lists among them are written out
  std::vector<KerasArgument> states;     // the argument initial_state
  std::optional<KerasArgument> mask;     // the argument mask
  std::optional<JsonValue> key;          // of GetItem: what it takes of its argument
  std::optional<JsonValue> more;         // the arguments with names, for those layers that take others than these
  bool has_names = false;                // of the arguments, which stand in a dict
};

struct KerasModel {
  std::vector<KerasLayer> layers;   // all, in the order of the file
  std::vector<KerasCall> calls;     // in an order in which they can run; an InputLayer is a call without arguments
  std::vector<KerasTensor> inputs;  // of the InputLayers, in the order in which a call gives them
  std::vector<KerasArgument> outputs;
  bool has_names = false;  // of the inputs or outputs, whose order is then not that of the file
};

/// Returns the layer in an entry with class_name and config.
KerasLayer keras_layer(const JsonValue& entry);

/// Reads a Sequential or a functional model. Calls that no output needs are left out. A Sequential model may have no
/// InputLayer; its first layer then reads an output of a layer "". The calls of a model within the model are those of
/// its layers, whose names have that of the model before them: "encoder/lstm". Throws Refusal.
KerasModel keras_model(const JsonValue& root);

/// Checks that the layer's config has no keys but these and those that matter in training alone. A key that is not
/// known may be null or false.
void check_keras_keys(const KerasLayer& layer, const std::set<std::string>& keys);

/// Returns a key of a config that is true or false; `otherwise` where it is missing or null.
bool keras_flag(const JsonValue& config, const char* key, bool otherwise);

}  // namespace rnnc::files
