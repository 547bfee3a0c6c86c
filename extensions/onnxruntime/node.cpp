#include "extensions/onnxruntime/node.hpp"

#include <cstring>
#include <memory>
#include <sstream>
#include <utility>

namespace rnnc::onnxruntime {
namespace {

// Reads an attribute, whose bytes may be any; one that is not there is "".
std::string attribute(const OrtApi& api, const OrtKernelInfo& info, const char* name) {
  std::size_t size = 0;
  if (OrtStatus* const status = api.KernelInfoGetAttribute_string(&info, name, nullptr, &size)) {
    api.ReleaseStatus(status);
    return "";
  }
  std::string value(size, '\0');
  check(api.KernelInfoGetAttribute_string(&info, name, value.data(), &size));
  value.resize(size == 0 ? 0 : size - 1);  // ONNX Runtime adds a zero
  return value;
}

std::string node_name(const OrtApi& api, const OrtKernelInfo& info) {
  std::size_t size = 0;
  check(api.KernelInfo_GetNodeName(&info, nullptr, &size));
  std::string name(size, '\0');
  check(api.KernelInfo_GetNodeName(&info, name.data(), &size));
  name.resize(size == 0 ? 0 : size - 1);
  return name;
}

Tensor copy_of(const Values& values) {
  Tensor tensor{.type = ElementType::F32, .shape = values.shape, .bytes = {}};
  tensor.bytes.resize(static_cast<std::size_t>(tensor.elements()) * sizeof(float));
  if (!tensor.bytes.empty()) std::memcpy(tensor.bytes.data(), values.data, tensor.bytes.size());
  return tensor;
}

// Copies the weights that are inputs, once: those that a session may change have no place in compiled code.
void read_weights(const OrtApi& api, const OrtKernelInfo& info, const std::string& parameters, Node& node) {
  const auto stop = [&](const std::string& message) { refuse(api, ORT_INVALID_GRAPH, message_of(node.name, message)); };
  std::vector<std::string> names;
  std::istringstream words(parameters);
  for (std::string name; words >> name;) names.push_back(name);
  std::size_t inputs = 0;
  check(api.KernelInfo_GetInputCount(&info, &inputs));
  node.weights = names.size();
  if (names.size() >= inputs)
    stop("the attribute parameters names " + std::to_string(names.size()) + " inputs behind x, and the node has " +
         std::to_string(inputs - 1));
  for (std::size_t i = 0; i < names.size(); ++i) {
    int is_constant = 0;
    const OrtValue* value = nullptr;
    check(api.KernelInfoGetConstantInput_tensor(&info, inputs - names.size() + i, &is_constant, &value));
    if (is_constant == 0 || value == nullptr)
      stop("the input for parameter " + names[i] +
           " is no constant, and weights are read once, when the session is made: make it an initializer that is no "
           "input of the graph");
    if (!node.source.tensors.emplace(names[i], copy_of(values_of(api, value))).second)
      stop("the attribute parameters names " + names[i] + " twice");
  }
}

}  // namespace

std::string message_of(const std::string& node, const std::string& message) {
  return "rnnc.Recurrent '" + node + "': " + message;
}

Node read_node(const OrtApi& api, const OrtKernelInfo& info) {
  Node node{.name = node_name(api, info),
            .source = {.model = {.content = attribute(api, info, "model")},
                       .weights = {.content = attribute(api, info, "weights")}},
            .weights = 0};
  const auto stop = [&](const std::string& message) { refuse(api, ORT_INVALID_GRAPH, message_of(node.name, message)); };
  if (node.source.model.empty()) stop("the attribute model is missing; it is the text of a model");
  const Result<void> options = extensions::read_options(attribute(api, info, "options"), node.source);
  if (!options) stop(options.error().to_string());
  read_weights(api, info, attribute(api, info, "parameters"), node);
  return node;
}

Values values_of(const OrtApi& api, const OrtValue* value) {
  if (value == nullptr) return {};
  OrtTensorTypeAndShapeInfo* info = nullptr;
  check(api.GetTensorTypeAndShape(value, &info));
  const auto release = [&api](OrtTensorTypeAndShapeInfo* owned) { api.ReleaseTensorTypeAndShapeInfo(owned); };
  const std::unique_ptr<OrtTensorTypeAndShapeInfo, decltype(release)> owner(info, release);
  Values values;
  std::size_t rank = 0;
  check(api.GetDimensionsCount(info, &rank));
  values.shape.resize(rank);
  check(api.GetDimensions(info, values.shape.data(), rank));
  check(api.GetTensorMutableData(const_cast<OrtValue*>(value), &values.data));
  return values;
}

}  // namespace rnnc::onnxruntime
