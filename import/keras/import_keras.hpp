// A model of Keras becomes a network: the layers as JSON, and their weights in HDF5.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>
#include "import/file_content.hpp"
#include "import/hdf5.hpp"
#include "import/json_value.hpp"

namespace rnnc::files {

/// Reads a model of Keras 2 or Keras 3. `root` is the JSON of the model, `version` the text that Keras writes of its
/// own version. Where `by_folder`, layers have the names of their folders in the file. Throws Refusal.
Imported import_keras(const JsonValue& root, std::string_view version, const Hdf5File& weights, bool by_folder,
                      const FileContent& content, const ImportOptions& options);

}  // namespace rnnc::files
