// RNNoise's network in the weights_blob.bin of its version 0.2 becomes a network of two convolutions, three GRUs and
// two dense layers: features of a frame in; gains of the bands and the probability of speech out.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>
#include "import/file_content.hpp"

namespace rnnc::files {

/// Reads a model whose content begins with kDnnHead (dnn_blob.hpp). Throws Refusal.
Imported import_rnnoise_blob(const FileContent& content, std::string_view file);

}  // namespace rnnc::files
