// A node of the operator Recurrent, as ONNX Runtime shows it when a session is made: its attributes, and the weights
// among its inputs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "extensions/load_program.hpp"
#include "extensions/onnxruntime/interface.hpp"

namespace rnnc::onnxruntime {

/// The inputs and outputs of a node, in their order; a node may leave out all but x and y. Behind lengths come states,
/// and behind those the weights that the attribute `parameters` names. An operator has a fixed number of both, so that
/// a node may name kMostStates states, and kMostInputs states and weights together.
enum Input : std::size_t { kX, kLengths, kStates };
enum Output : std::size_t { kY, kFinalStates };
inline constexpr std::size_t kMostStates = 64, kMostInputs = 512;

struct Node {
  std::string name;
  extensions::ProgramSource source;
  std::size_t weights;  // so many of the last inputs are weights
};

/// Returns a message with the name of the node before it.
std::string message_of(const std::string& node, const std::string& message);

/// Reads `model`, the text or the content of a file that import_model reads, `weights`, the content of a file of
/// tensors, `parameters`, the names of the inputs that are weights, and `options` as read_options. Throws a Refusal, as
/// of weights that are not constant.
Node read_node(const OrtApi& api, const OrtKernelInfo& info);

struct Values {
  void* data = nullptr;  // null if the node leaves the input out
  std::vector<std::int64_t> shape = {};
};

/// Returns where a tensor of ONNX Runtime's lies; `value` may be null. Throws a Refusal.
Values values_of(const OrtApi& api, const OrtValue* value);

}  // namespace rnnc::onnxruntime
