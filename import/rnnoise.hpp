// RNNoise's network in the text that ffmpeg's arnndn and rnnoise-nu read becomes a cell.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>

namespace rnnc::files {

/// The first line of such a file.
inline constexpr std::string_view kRnnoiseHead = "rnnoise-nu model file version ";

/// Reads a model whose text begins with kRnnoiseHead. Throws Refusal.
Imported import_rnnoise(std::string_view text, std::string_view file);

}  // namespace rnnc::files
