#include "import/keras/file.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "import/file_error.hpp"
#include "import/hdf5.hpp"
#include "import/json_value.hpp"
#include "import/keras/folders.hpp"
#include "import/keras/import_keras.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::string_view kConfig = "config.json", kWeights = "model.weights.h5", kMetadata = "metadata.json";

std::string_view text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const ZipEntry* find(const std::vector<ZipEntry>& entries, std::string_view name) {
  const auto found = std::ranges::find(entries, name, &ZipEntry::name);
  return found == entries.end() ? nullptr : &*found;
}

// The layers of a model nest deeper than other JSON: a layer in a layer in a list, and the settings of each.
FileLimits deep(FileLimits limits) {
  limits.max_nesting = std::max(limits.max_nesting, 32);
  return limits;
}

}  // namespace

Imported import_keras_hdf5(const FileContent& content, std::string_view file, const ImportOptions& options) {
  const Hdf5File hdf5 = read_hdf5(content.bytes(), file, options.limits);
  const auto config = hdf5.texts.find("model_config");
  const bool is_whole = config != hdf5.texts.end();
  if (options.relu || (is_whole && !options.prefix.empty()))
    refuse(ErrorCode::Usage, file, "",
           "--prefix is for a file of weights alone, which this is not, and --relu for PyTorch's; leave them out");
  const auto version = hdf5.texts.find("keras_version");
  const std::string place = std::string(file) + (is_whole ? ", model_config" : "");
  const auto json = parse_json(is_whole ? config->second : configuration_of_folders(hdf5, options.prefix, file), place,
                               deep(options.limits));
  const std::string_view written_by = !is_whole                     ? "3"
                                      : version == hdf5.texts.end() ? "2"
                                                                    : std::string_view(version->second);
  return import_keras(JsonValue(json, place), written_by, hdf5, !is_whole, content, options);
}

bool is_keras_zip(const std::vector<ZipEntry>& entries) { return find(entries, kConfig) != nullptr; }

Imported import_keras_zip(const std::vector<ZipEntry>& entries, const FileContent& content, std::string_view file,
                          const ImportOptions& options) {
  const FileLimits& limits = options.limits;
  for (const std::string_view name : {kConfig, kWeights, kMetadata})
    if (find(entries, name) == nullptr)
      invalid(file, in_quotes(name), "is missing in this file of Keras; save the model again");
  const std::string place = std::string(file) + ", " + std::string(kConfig);
  const std::string about = std::string(file) + ", " + std::string(kMetadata);
  const std::vector<std::byte> config = unpack(*find(entries, kConfig), file),
                               metadata = unpack(*find(entries, kMetadata), file);
  const std::vector<std::byte> weights = unpack(*find(entries, kWeights), file);
  const auto json = parse_json(text_of(config), place, deep(limits)),
             more = parse_json(text_of(metadata), about, limits);
  const Hdf5File hdf5 = read_hdf5(weights, std::string(file) + ", " + std::string(kWeights), limits);
  return import_keras(JsonValue(json, place), JsonValue(more, about).at("keras_version").text(), hdf5, false, content,
                      options);
}

}  // namespace rnnc::files
