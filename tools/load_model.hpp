// Flags become a cell or network with numbers for its dims, and its weights.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <rnnc/compile.hpp>
#include <rnnc/import.hpp>
#include <rnnc/model.hpp>
#include <rnnc/tensor.hpp>

#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"
#include "tools/flags.hpp"

namespace rnnc::tools {

/// Some models have inputs under names of their own. Holds these names, what --state said of them, and the file's own
/// example (Imported::example).
struct GivenByModel {
  std::vector<std::string> inputs;
  TensorMap states;
  std::vector<std::int32_t> lengths;
  TensorMap example;
  std::map<std::string, std::vector<float>> behind_the_end = {};  // a row of outputs, by their names
  ImportedGraph graph = {};                                       // of an ONNX file
  bool leaves_unrounded = false;                                  // Imported::leaves_unrounded
  FileFormat format = FileFormat::Text;
};

struct Source {
  Model model;
  ir::Cell cell;      // of `model`, dims still symbolic; none where `network` is meant
  TensorMap weights;  // empty where none are given, by --weights or beside the text
  std::map<std::string, std::int64_t> dims;
  GivenByModel given;
  std::optional<ir::Network> network = {};
  Ranges ranges = {};             // of --ranges
  std::string beside_unfit = {};  // a file beside the text with the name of its weights, but with other tensors

  const ir::Graph& graph() const { return network ? static_cast<const ir::Graph&>(*network) : cell; }
};

/// Imports what is meant of a model, with values of --state for the inputs of an ONNX graph, and tells on stderr which
/// outputs were left out. Errors: Usage, and those of the readers.
Result<Imported> import_part(const std::string& model, const PartFlags& part,
                             const std::vector<std::string>& states = {});

/// Loads the model, the cell or network that is meant, and the weights. Errors: Usage (flags), and those of the
/// readers. `states` are --state's, of which those count that name an input of an ONNX graph.
Result<Source> load_source(const ModelFlags& flags, const std::vector<std::string>& states = {});

/// Holds a model whose network is bound and has all of its weights.
struct BoundSource {
  Source source;
  ir::Network network;
};

/// Loads as load_source does. Errors: those of load_source and bind, and of a weight that is missing or of another
/// shape.
Result<BoundSource> load_with_weights(const ModelFlags& flags, const std::vector<std::string>& states = {});

/// Returns the network with numbers for its dims, or the network of one scan of the cell. Errors: Usage where a dim is
/// given that it lacks, or none is given that the weights do not tell; ShapeMismatch, Limit.
Result<ir::Network> bind(const Source& source);

/// Returns the network with the ranges of --ranges, if there are any. Errors: those of bind and of with_ranges.
Result<ir::Network> bind_with_ranges(const Source& source);

/// Returns the cell itself with numbers for its dims, and the ranges. Errors: those of bind_with_ranges, and
/// Unsupported where a network is meant.
Result<ir::Cell> bind_cell(const Source& source);

/// Returns the name that --backend and JSON have for `backend`.
const char* name_of(Backend backend);

/// Compiles `source` for the CPU of `flags`, the flags that `source` was loaded from. Where `cache`, generated code is
/// taken from the cache and kept there.
Result<Program> compile(const Source& source, const ModelFlags& flags, std::int64_t threads = 1, bool cache = true);

/// Returns the CPU of --isa. Errors: Usage, Unsupported, naming the flag.
Result<compiler::Target> target_of(const ModelFlags& flags, bool must_run_here);

/// Errors: Limit where `bytes` is more than the memory that the machine and the control group of the process have left;
/// `what` begins the message.
Result<void> check_memory(double bytes, const std::string& what);

/// Counts the bytes of a bound network's parameters in f32.
double parameter_bytes(const ir::Network& network);

}  // namespace rnnc::tools
