// A file of Keras is opened: HDF5 with the layers as an attribute, or a zip file (.keras) with layers and weights as
// entries.
#pragma once

#include <string_view>
#include <vector>

#include <rnnc/import.hpp>
#include "import/file_content.hpp"
#include "import/zip.hpp"

namespace rnnc::files {

/// Each reads a model. Throws Refusal.
Imported import_keras_hdf5(const FileContent& content, std::string_view file, const ImportOptions& options);
Imported import_keras_zip(const std::vector<ZipEntry>& entries, const FileContent& content, std::string_view file,
                          const ImportOptions& options);

bool is_keras_zip(const std::vector<ZipEntry>& entries);

}  // namespace rnnc::files
