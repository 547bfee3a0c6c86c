// An ONNX graph as a network: recurrent nodes as scans, what stands between and behind them as expressions.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>
#include "import/file_content.hpp"

namespace rnnc::files {

/// Throws Refusal.
Imported import_onnx(const FileContent& content, std::string_view file, const ImportOptions& options);

}  // namespace rnnc::files
