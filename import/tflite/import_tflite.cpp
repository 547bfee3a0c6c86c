#include "import/tflite/import_tflite.hpp"

#include "import/onnx/network.hpp"
#include "import/tflite/graph.hpp"

namespace rnnc::files {

Imported import_tflite(const FileContent& content, std::string_view file, const ImportOptions& options) {
  TfliteGraph graph(parse_tflite(content.text(), file), content.bytes().size(), file);
  OnnxModel model = graph.write();
  OnnxFiles none;
  Imported imported = import_graph(std::move(model), content, file, options, none);
  imported.leaves_unrounded = graph.leaves_rounding_out();
  return imported;
}

}  // namespace rnnc::files
