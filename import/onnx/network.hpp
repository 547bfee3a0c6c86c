// An ONNX graph becomes a network: recurrent nodes become scans, and the nodes between and behind them become
// expressions.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>
#include "import/file_content.hpp"

namespace rnnc::files {

/// Imports a file. Throws Refusal.
Imported import_onnx(const FileContent& content, std::string_view file, const ImportOptions& options);

}  // namespace rnnc::files
