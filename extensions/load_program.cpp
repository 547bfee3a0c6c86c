#include "extensions/load_program.hpp"

#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include <rnnc/artifact.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

namespace rnnc::extensions {
namespace {

constexpr std::string_view kArtifact = ".rnnc", kText = ".rnn";

std::span<const std::byte> bytes_of(const std::string& content) { return std::as_bytes(std::span(content)); }

Result<Imported> read_model(const Source& model) {
  return model.path.empty() ? import_model(bytes_of(model.content), "model") : import_model_file(model.path);
}

// Tells compressed files of NumPy from safetensors by their first letters.
Result<TensorMap> parse_tensors(const std::string& content) {
  return content.starts_with("PK") ? parse_npz(bytes_of(content), "weights")
                                   : parse_safetensors(bytes_of(content), "weights");
}

Result<TensorMap> read_weights(const ProgramSource& source, TensorMap imported) {
  if (!source.weights.path.empty()) return load_tensors(source.weights.path);
  if (!source.weights.empty()) return parse_tensors(source.weights.content);
  if (!source.model.path.ends_with(kText)) return imported;
  const std::filesystem::path beside = std::filesystem::path(source.model.path).replace_extension(".safetensors");
  return std::filesystem::exists(beside) ? load_tensors(beside.string()) : Result<TensorMap>(std::move(imported));
}

Result<Program> load(const ProgramSource& source) {
  if (!source.weights.empty() || !source.cell.empty() || !source.dims.empty())
    return Error{ErrorCode::Usage,
                 {source.model.path},
                 "an artifact has its weights and sizes inside; leave out the weights, the cell and the dims"};
  return load_artifact(source.model.path, {.threads = source.threads});
}

}  // namespace

Result<Program> load_program(const ProgramSource& source) {
  if (source.model.path.ends_with(kArtifact)) return load(source);
  Result<Imported> imported = read_model(source.model);
  if (!imported) return imported.error();
  const Result<TensorMap> weights = read_weights(source, std::move(imported->weights));
  if (!weights) return weights.error();
  return compile(imported->model, *weights, {.cell = source.cell, .dims = source.dims, .threads = source.threads});
}

}  // namespace rnnc::extensions
