// This file has the targets of the readers in import/: tensors and other programs' models.
#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

#include <algorithm>

#include "tests/fuzz/targets.hpp"

namespace rnnc::fuzz {
namespace {

template <class T>
void require_message(const Result<T>& result) {
  require(!result.error().message.empty(), "an error says nothing");
}

void require_whole(const Tensor& tensor) {
  require(tensor.elements() >= 0 &&
              tensor.bytes.size() == static_cast<std::size_t>(tensor.elements()) * size_bytes(tensor.type),
          "a tensor's bytes are not its shape's");
}

void import(Bytes bytes, const ImportOptions& options) {
  const Result<Imported> imported = import_model(bytes, "fuzz", options);
  if (!imported) return require_message(imported);
  require(imported->model.networks().size() == 1 || imported->model.cells().size() >= 1,
          "a model has neither cell nor network");
  for (const auto& [name, tensor] : imported->weights) require_whole(tensor);
}

// A graph that takes as long as it may takes half a minute with sanitizers on a busy machine. A small part of that work
// is enough for all seeds, whose coverage is the same, so that all else is read as often as it can be.
ImportOptions of_little_work() {
  ImportOptions options;
  options.limits.max_graph_work /= 256;
  return options;
}

}  // namespace

void fuzz_safetensors(Bytes bytes) {
  const Result<TensorMap> tensors = parse_safetensors(bytes, "fuzz");
  if (!tensors) return require_message(tensors);
  for (const auto& [name, tensor] : *tensors) require_whole(tensor);
  if (format_of(bytes) == FileFormat::Safetensors) import(bytes, {});
}

void fuzz_npy(Bytes bytes) {
  const Result<Tensor> tensor = parse_npy(bytes, "fuzz");
  if (!tensor) return require_message(tensor);
  require_whole(*tensor);
  require(tensor->to_f32().size() == static_cast<std::size_t>(tensor->elements()), "elements are lost");
}

void fuzz_json(Bytes bytes) {
  if (format_of(bytes) != FileFormat::Json) return;
  import(bytes, {});
  import(bytes, {.prefix = "rnn"});
}

void fuzz_rnnoise(Bytes bytes) {
  if (format_of(bytes) == FileFormat::Rnnoise) import(bytes, {});
}

void fuzz_zip(Bytes bytes) {
  const Result<TensorMap> tensors = parse_npz(bytes, "fuzz");
  if (!tensors) require_message(tensors);
  if (tensors)
    for (const auto& [name, tensor] : *tensors) require_whole(tensor);
  if (format_of(bytes) == FileFormat::Zip) import(bytes, of_little_work());
}

void fuzz_hdf5(Bytes bytes) {
  if (format_of(bytes) == FileFormat::Hdf5) import(bytes, of_little_work());
}

void fuzz_onnx(Bytes bytes) {
  if (format_of(bytes) == FileFormat::Onnx) import(bytes, of_little_work());
}

void fuzz_tflite(Bytes bytes) {
  if (format_of(bytes) == FileFormat::Tflite) import(bytes, of_little_work());
}

}  // namespace rnnc::fuzz
