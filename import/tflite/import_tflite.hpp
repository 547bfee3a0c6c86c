// A TensorFlow Lite model becomes a network as an ONNX model does.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>
#include "import/file_content.hpp"

namespace rnnc::files {

inline constexpr std::string_view kTfliteMark = "TFL3";  // at byte 4 of a file

/// Throws Refusal.
Imported import_tflite(const FileContent& content, std::string_view file, const ImportOptions& options);

}  // namespace rnnc::files
