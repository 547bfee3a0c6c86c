// Files that other programs write become models with weights: ONNX, PyTorch's state_dict in safetensors, .npz or JSON,
// Keras's models, and the files of RTNeural, AIDA-X, GuitarML, NAM, RNNoise and ICU. A reader gives the model's own
// numbers or an error that names the part it cannot import; it ignores nothing that may change the numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/model.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>

namespace RNNC_API rnnc {

/// An input or output of an ONNX graph, beside what it is in the model.
struct GraphValue {
  static constexpr std::int64_t kSteps = -1, kSequences = -2;

  std::string name;  // in the graph
  // The model has it under this name, as an input, a state or an output; "" where it is none of them.
  std::string as = {};
  std::string next = {};  // of a state of a graph that is one step: the graph output that is its new value
  // The dims, the outermost first. Each is the product of its factors, the outermost first: numbers, kSteps and
  // kSequences. The numbers of all dims, in row-major order, count the elements of the value in the model.
  std::vector<std::vector<std::int64_t>> dims = {};
  // An output that has final states names the state of each of its elements, and the index in it.
  std::vector<std::pair<std::string, std::int64_t>> elements = {};
};

/// Tells what an ONNX graph is beside the model that was made of it. Other formats leave it empty.
struct ImportedGraph {
  bool is_step = false;                   // one call of the graph is one step
  bool has_halves = false;                // it computes in f16 or bf16 somewhere; the model is f32
  std::int64_t steps = 0, sequences = 0;  // the sizes that the file fixes for T and B; 0 for a size that it leaves open
  std::vector<GraphValue> inputs;         // those that are no constants
  std::vector<GraphValue> outputs, finals;  // the model's outputs, in its order, and what has final states
  TensorMap given = {};                     // ImportOptions::inputs, in the types that the graph declares
};

struct Imported {
  Model model;        // one network, or else one cell; the text has numbers for all dims
  TensorMap weights;  // by the names of its parameters, f32
  // ImportOptions::inputs gives these values for graph inputs that are no weights.
  TensorMap states = {};                   // by our names, [B, H], as in `rnnc run --state`
  std::vector<std::int32_t> lengths = {};  // [B]; empty where they are not given
  std::vector<std::string> inputs = {};    // the names that ImportOptions::inputs may have
  // Outputs of an ONNX graph that the model does not compute, since they cannot be written as its others.
  std::vector<std::string> left_out = {};
  bool leaves_unrounded = false;  // the file rounds activations to integers, which are f32 in the model
  // [O]: a row of y behind the end of a sequence by the graph, which computes of zeros there; a Program gives zeros.
  // Empty where these are zeros too, or depend on what is behind the ends in x.
  std::vector<float> behind_the_end = {};
  std::map<std::string, std::vector<float>> others_behind_the_end = {};  // the same of the outputs after y, by name
  TensorMap example = {};  // x and y, [T, B, I] and [T, B, O], of the file's own; empty where it has none
  ImportedGraph graph = {};
  // Model::warnings of a text. The text that a reader makes of another format has none that its user could mend.
  std::vector<Note> warnings = {};
};

/// Whose text of the ONNX operators is followed where the two differ.
enum class OnnxLike {
  Specification,
  OnnxRuntime,  // version 1.30; what cannot be written as a network is refused
};

struct ImportOptions {
  FileLimits limits = {};
  TensorMap inputs = {};  // values of an ONNX graph's inputs by their names there, in their ONNX shapes
  std::string node = {};  // of an ONNX graph: the recurrent node to import alone, at any place in the model
  // Shapes of an ONNX graph's inputs where the file leaves sizes open; -1 for a size that stays open.
  std::map<std::string, Shape> shapes = {};
  // The states of an ONNX graph that is one step, where neither the graph nor the names tell: an input, and the output
  // that is its new value. Of a graph of sequences: an initial state, and the final one that the next call begins with.
  std::map<std::string, std::string> carried = {};
  std::string output = {};  // of an ONNX graph: the output that becomes y (default: the first that is no state)
  OnnxLike like = OnnxLike::Specification;  // of an ONNX graph
  // The module of a PyTorch state_dict, which is needed if the file has several modules or other tensors. Several
  // names, with commas between, run one after the other: recurrent modules and torch.nn.Linear.
  std::string prefix = {};
  bool relu = false;  // a torch.nn.RNN whose nonlinearity is relu and not tanh, which the file does not say
  // The names of `inputs` whose values begin states that only their names tell; without this, their values stay.
  std::set<std::string> initial_states = {};
};

/// The format of a file, judged by its content.
enum class FileFormat { Text, Json, Safetensors, Onnx, Rnnoise, Zip, Hdf5, Tflite };

FileFormat format_of(std::span<const std::byte> content);

/// Reads a model of any of these formats.
///
/// Errors    InvalidData if the file is malformed or contradicts itself; Unsupported if it is neither but this version
///           cannot import it; Limit; File. `file` is its name in messages.
Result<Imported> import_model(std::span<const std::byte> content, std::string_view file = "<memory>",
                              const ImportOptions& options = {});
Result<Imported> import_model_file(const std::string& path, const ImportOptions& options = {});

}  // namespace rnnc
