// This file picks the reader of a file by the file's content, and is the one place that turns a Refusal into a Result.
#include <rnnc/default_float_environment.hpp>
#include <rnnc/import.hpp>

#include <cstring>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>

#include "import/audio_models.hpp"
#include "import/dnn_blob.hpp"
#include "import/file_content.hpp"
#include "import/file_error.hpp"
#include "import/keras/file.hpp"
#include "import/npz.hpp"
#include "import/onnx/network.hpp"
#include "import/other_formats.hpp"
#include "import/refusal.hpp"
#include "import/rnnoise.hpp"
#include "import/rnnoise_blob.hpp"
#include "import/safetensors.hpp"
#include "import/state_dict.hpp"
#include "import/tflite/import_tflite.hpp"

namespace rnnc {
namespace {

using files::JsonValue;

// An option that the format does not use is a mistake and not ignored.
void check_options(bool graph, bool state_dict, std::string_view file, const ImportOptions& options) {
  if (!graph && !options.node.empty())
    files::refuse(ErrorCode::Usage, file, "",
                  "--node is for a model of ONNX, TensorFlow Lite or Keras, which this is not; leave it out");
  if (!graph && !(options.inputs.empty() && options.shapes.empty() && options.carried.empty() &&
                  options.output.empty() && options.like == OnnxLike::Specification))
    files::refuse(
        ErrorCode::Usage, file, "",
        "--const, --shape, --carry, --take and --like are for a model of ONNX, TensorFlow Lite or Keras, which this is "
        "not; leave them out");
  if (!state_dict && (!options.prefix.empty() || options.relu))
    files::refuse(ErrorCode::Usage, file, "",
                  "--prefix and --relu are for a state_dict, which this is not; leave them out");
}

Imported import_json(std::string_view text, std::string_view file, const ImportOptions& options) {
  const auto json = files::parse_json(text, file, options.limits);
  const JsonValue root(json, file);
  const bool audio = root.has("architecture") || root.has("model_data") || root.has("layers");
  const std::optional<JsonValue> state_dict = audio ? std::nullopt : files::find_json_state_dict(root);
  check_options(false, state_dict.has_value(), file, options);
  if (state_dict)
    return files::import_state_dict(files::view_json_state_dict(*state_dict, options.prefix), file, options);
  if (root.has("architecture")) return files::import_nam(root);
  if (root.has("model_data")) return files::import_guitarml(root);
  if (root.has("layers")) return files::import_rtneural(root);
  if (root.has("mat1") && root.has("mat9")) return files::import_icu(root);
  files::unsupported(file, "",
                     "this JSON is no model that is known: RTNeural has the key layers, GuitarML model_data, NAM "
                     "architecture, a word segmenter of ICU mat1, a state_dict weight_ih_l0 or weight_ih");
}

Imported import_any(const files::FileContent& content, std::string_view file, const ImportOptions& options,
                    files::OnnxFiles& beside) {
  const FileLimits& limits = options.limits;
  const std::string_view text = content.text();
  if (text.size() > limits.max_file_bytes)
    files::refuse(ErrorCode::Limit, file, "",
                  "the file has " + std::to_string(text.size()) + " bytes, more than the limit of " +
                      std::to_string(limits.max_file_bytes) + "; raise the limit");
  const FileFormat format = format_of(content.bytes());
  // The size at the beginning of a safetensors file has every value, those that a pickle begins with too.
  if (const std::string other = files::about_other_format(text); format != FileFormat::Safetensors && !other.empty())
    files::unsupported(file, "", other);
  // Zip files are of two kinds, and HDF5 files may have weights alone.
  const bool is_container = format == FileFormat::Zip || format == FileFormat::Hdf5;
  if (format != FileFormat::Json)
    check_options(format == FileFormat::Onnx || format == FileFormat::Tflite || is_container,
                  format == FileFormat::Safetensors || is_container, file, options);
  switch (format) {
    case FileFormat::Json: return import_json(text, file, options);
    case FileFormat::Text: {
      Result<Model> model = parse(text, file);
      if (!model) throw files::Refusal{model.error()};
      std::vector<Note> warnings = model->warnings();
      return {.model = std::move(*model), .weights = {}, .warnings = std::move(warnings)};
    }
    case FileFormat::Onnx: return files::import_onnx(content, file, options, beside);
    case FileFormat::Tflite: return files::import_tflite(content, file, options);
    case FileFormat::Rnnoise:
      return text.starts_with(files::kDnnHead) ? files::import_rnnoise_blob(content, file)
                                               : files::import_rnnoise(text, file);
    case FileFormat::Zip: {
      const std::vector<files::ZipEntry> entries = files::list_zip(content.bytes(), file, limits);
      if (files::is_keras_zip(entries)) {
        check_options(true, false, file, options);
        return files::import_keras_zip(entries, content, file, options);
      }
      check_options(false, true, file, options);
      if (const std::string other = files::about_other_zip(entries); !other.empty())
        files::unsupported(file, "", other);
      const TensorMap tensors = files::read_npz(entries, file, limits);
      files::TensorViews views;
      for (const auto& [name, tensor] : tensors) views.emplace(name, files::TensorView::of(tensor));
      return files::import_state_dict(views, file, options);
    }
    case FileFormat::Hdf5: return files::import_keras_hdf5(content, file, options);
    case FileFormat::Safetensors: {
      const Result<files::TensorViews> tensors = files::view_safetensors(content, file, limits);
      if (!tensors) throw files::Refusal{tensors.error()};
      return files::import_state_dict(*tensors, file, options);
    }
  }
  files::unsupported(file, "", "the file is of no known format");
}

Result<Imported> import_content(const files::FileContent& content, std::string_view file, const ImportOptions& options,
                                bool is_file) try {
  const DefaultFloatEnvironment environment;
  files::OnnxFiles beside = is_file ? files::OnnxFiles(std::string(file)) : files::OnnxFiles();
  return import_any(content, file, options, beside);
} catch (const files::Refusal& refusal) {
  return refusal.error;
} catch (const std::bad_alloc&) {
  return files::out_of_memory(file);
}

}  // namespace

FileFormat format_of(std::span<const std::byte> content) {
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (text.size() > 8 && text.substr(4).starts_with(files::kTfliteMark)) return FileFormat::Tflite;
  if (text.size() > 8 && text[8] == '{' && text.substr(0, 8).find('\0') != std::string_view::npos)
    return FileFormat::Safetensors;
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) return FileFormat::Json;
  if (text.starts_with(files::kRnnoiseHead) || text.starts_with(files::kDnnHead)) return FileFormat::Rnnoise;
  if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) return FileFormat::Zip;
  if (text.starts_with("\x89HDF\r\n\x1a\n")) return FileFormat::Hdf5;
  // Every ONNX file begins with the field ir_version, a small number, and no text begins with such a byte.
  if (!text.empty() && static_cast<unsigned char>(text[0]) < ' ' && first == 0) return FileFormat::Onnx;
  return FileFormat::Text;
}

Result<Imported> import_model(std::span<const std::byte> content, std::string_view file, const ImportOptions& options) {
  return import_content(files::FileContent(content), file, options, false);
}

Result<Imported> import_model_file(const std::string& path, const ImportOptions& options) {
  const auto content = files::FileContent::open(path, options.limits.max_file_bytes);
  if (!content) return content.error();
  return import_content(*content, path, options, true);
}

}  // namespace rnnc
