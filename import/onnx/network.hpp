// An ONNX graph becomes a network, in which recurrent nodes are scans and the other nodes expressions; or, where no
// input has a time, the cell of one step.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>
#include "import/file_content.hpp"
#include "import/onnx/graph.hpp"

namespace rnnc::files {

/// Imports a file; `beside` are the files in its folder. Throws Refusal.
Imported import_onnx(const FileContent& content, std::string_view file, const ImportOptions& options,
                     OnnxFiles& beside);

/// Imports a model of another format that was written as an ONNX graph. Tensors that lie in the file are given back to
/// `content`.
Imported import_graph(OnnxModel model, const FileContent& content, std::string_view file, const ImportOptions& options,
                      OnnxFiles& beside);

}  // namespace rnnc::files
