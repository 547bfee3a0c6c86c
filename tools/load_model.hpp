// From the flags to a cell or network with numbers for its dims, and its weights.
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

struct Source {
  Model model;
  ir::Cell cell;      // of `model`, dims still symbolic; none where `network` is meant
  TensorMap weights;  // empty where no --weights is given
  std::map<std::string, std::int64_t> dims;
  std::optional<ir::Network> network = {};
  // Of a model that has inputs by names of its own: those names, and what --state said of them.
  std::vector<std::string> graph_inputs = {};
  TensorMap states = {};
  std::vector<std::int32_t> lengths = {};
};

ImportOptions import_options(const PartFlags& flags);

/// The model, the cell or network that is meant and the weights. Errors: Usage (flags), and those of the readers.
/// `states` are --state's, of which those count that name an input of an ONNX graph.
Result<Source> load_source(const ModelFlags& flags, const std::vector<std::string>& states = {});

/// The cell with numbers for its dims. Errors: Usage where a dim is given that the cell lacks, or none is given that
/// the weights do not tell; ShapeMismatch, Limit; Unsupported where a network is meant.
Result<ir::Cell> bind(const Source& source);

/// The same of a source with a network.
Result<ir::Network> bind_network(const Source& source);

/// As --backend and JSON have it.
const char* name_of(Backend backend);

/// Compiles `source` for the CPU of `flags`, which names the cell it was loaded from; with
/// code that is kept where `cache` says so.
Result<Program> compile(const Source& source, const ModelFlags& flags, std::int64_t threads = 1, bool cache = true);

/// The CPU of --isa. Errors: Usage, Unsupported, naming the flag.
Result<compiler::Target> target_of(const ModelFlags& flags, bool must_run_here);

/// Every parameter has a tensor of its shape, and none is left over. Errors: InvalidData, ShapeMismatch.
Result<void> check_weights(const ir::Graph& graph, const TensorMap& weights);

/// Of a model without any weights, an error about a missing one says how to give them.
Error about_weights(Error error, const Source& source);

/// Errors: Limit where `bytes` is more than this machine's memory; `what` begins the message.
Result<void> check_memory(double bytes, const std::string& what);

/// Bytes of a graph's parameters in f32, and of a bound vector in elements.
double parameter_bytes(const ir::Graph& graph);
std::int64_t elements(const ir::Type& type);

}  // namespace rnnc::tools
