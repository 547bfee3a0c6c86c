#include "extensions/load_program.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include <rnnc/artifact.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/executor.hpp>
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

Result<TensorMap> read_files(const ProgramSource& source, TensorMap imported) {
  if (!source.weights.path.empty()) return load_tensors(source.weights.path);
  if (!source.weights.empty()) return parse_tensors(source.weights.content);
  if (!source.model.path.ends_with(kText)) return imported;
  const std::filesystem::path beside = std::filesystem::path(source.model.path).replace_extension(".safetensors");
  return std::filesystem::exists(beside) ? load_tensors(beside.string()) : Result<TensorMap>(std::move(imported));
}

Result<TensorMap> read_weights(const ProgramSource& source, TensorMap imported) {
  Result<TensorMap> weights = read_files(source, std::move(imported));
  if (!weights) return weights;
  for (const auto& [name, tensor] : source.tensors)
    if (!weights->emplace(name, tensor).second)
      return Error{
          ErrorCode::InvalidData,
          {},
          "the parameter " + name + " has two values: one beside the model, and one given by name; leave out one"};
  return weights;
}

Result<Program> load(const ProgramSource& source) {
  if (!source.weights.empty() || !source.tensors.empty() || !source.cell.empty() || !source.dims.empty())
    return Error{ErrorCode::Usage,
                 {source.model.path},
                 "an artifact has its weights and sizes inside; leave out the weights, the cell and the dims"};
  return load_artifact(source.model.path, {.threads = source.threads});
}

}  // namespace

Result<void> read_options(std::string_view text, ProgramSource& source) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (word.empty()) continue;
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string name(word.substr(0, equals));
    const std::string_view value = word.substr(std::min(equals + 1, word.size()));
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool is_number = !name.empty() && error == std::errc() && end == value.data() + value.size();
    if (name == "cell" && !value.empty())
      source.cell = value;
    else if (name == "threads" && is_number && number > 0 && number <= kMaxThreads)
      source.threads = static_cast<int>(number);
    else if (name != "threads" && is_number)
      source.dims[name] = number;
    else
      return Error{ErrorCode::Usage,
                   {},
                   "'" + std::string(word) +
                       "' is no option of a model; give sizes and names, as in 'H=16 cell=encoder threads=2'"};
  }
  return {};
}

Result<Program> load_program(const ProgramSource& source) {
  if (source.model.path.ends_with(kArtifact)) return load(source);
  Result<Imported> imported = read_model(source.model);
  if (!imported) return imported.error();
  const Result<TensorMap> weights = read_weights(source, std::move(imported->weights));
  if (!weights) return weights.error();
  return compile(imported->model, *weights, {.cell = source.cell, .dims = source.dims, .threads = source.threads});
}

}  // namespace rnnc::extensions
