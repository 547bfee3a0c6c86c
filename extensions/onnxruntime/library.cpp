// ONNX Runtime loads this library (register_custom_ops_library) and gains the operator Recurrent of the domain rnnc: a
// node has a model as an attribute and its weights there or as inputs, and runs whole sequences.
// docs/databases-and-servers.md describes the operator.
#include <memory>

#include "extensions/onnxruntime/interface.hpp"
#include "extensions/onnxruntime/kernel.hpp"

namespace rnnc::onnxruntime {
namespace {

ONNXTensorElementDataType input_type(const OrtCustomOp*, std::size_t index) noexcept {
  return index == kLengths ? ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
}

OrtCustomOpInputOutputCharacteristic input_kind(const OrtCustomOp*, std::size_t index) noexcept {
  return index == kX ? INPUT_OUTPUT_REQUIRED : INPUT_OUTPUT_OPTIONAL;
}

OrtCustomOpInputOutputCharacteristic output_kind(const OrtCustomOp*, std::size_t index) noexcept {
  return index == kY ? INPUT_OUTPUT_REQUIRED : INPUT_OUTPUT_OPTIONAL;
}

OrtStatus* create_kernel(const OrtCustomOp*, const OrtApi* api, const OrtKernelInfo* info, void** kernel) noexcept {
  return guarded(*api, [&] { *kernel = new Kernel(*api, *info); });
}

OrtStatus* compute(void* kernel, OrtKernelContext* context) noexcept {
  auto& node = *static_cast<Kernel*>(kernel);
  return guarded(node.api(), [&] { node.compute(*context); });
}

OrtCustomOp recurrent() {
  OrtCustomOp op{};
  op.version = kApiVersion;
  op.GetName = [](const OrtCustomOp*) { return "Recurrent"; };
  op.GetExecutionProviderType = [](const OrtCustomOp*) -> const char* { return nullptr; };  // the CPU's
  op.GetInputType = input_type;
  op.GetInputTypeCount = [](const OrtCustomOp*) -> std::size_t { return kStates + kMostInputs; };
  op.GetOutputType = [](const OrtCustomOp*, std::size_t) { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; };
  op.GetOutputTypeCount = [](const OrtCustomOp*) -> std::size_t { return kFinalStates + kMostStates; };
  op.KernelDestroy = [](void* kernel) { delete static_cast<Kernel*>(kernel); };
  op.GetInputCharacteristic = input_kind;
  op.GetOutputCharacteristic = output_kind;
  op.GetInputMemoryType = [](const OrtCustomOp*, std::size_t) { return OrtMemTypeDefault; };
  op.CreateKernelV2 = create_kernel;
  op.KernelComputeV2 = compute;
  return op;
}

// Sessions use the domain as long as they live, and nobody tells when the last one ends: the first registration makes
// it for the life of the process.
const OrtCustomOpDomain* domain(const OrtApi& api) {
  static const OrtCustomOp op = recurrent();
  static OrtCustomOpDomain* const made = [&] {
    OrtCustomOpDomain* domain = nullptr;
    check(api.CreateCustomOpDomain("rnnc", &domain));
    check(api.CustomOpDomain_Add(domain, &op));
    return domain;
  }();
  return made;
}

}  // namespace
}  // namespace rnnc::onnxruntime

/// ONNX Runtime finds this name in a library of operators.
extern "C" __attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(OrtSessionOptions* options,
                                                                               const OrtApiBase* base) noexcept {
  using namespace rnnc::onnxruntime;
  const OrtApi* const api = base->GetApi(kApiVersion);
  if (api == nullptr) {
    const std::string message =
        std::string("rnnc needs ONNX Runtime 1.17 or newer; this is ") + base->GetVersionString();
    return base->GetApi(1)->CreateStatus(ORT_NOT_IMPLEMENTED, message.c_str());
  }
  return guarded(*api, [&] { check(api->AddCustomOpDomain(options, const_cast<OrtCustomOpDomain*>(domain(*api)))); });
}
