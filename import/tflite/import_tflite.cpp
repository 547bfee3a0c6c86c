#include "import/tflite/import_tflite.hpp"

#include "import/onnx/network.hpp"
#include "import/refusal.hpp"
#include "import/tflite/graph.hpp"

namespace rnnc::files {

Imported import_tflite(const FileContent& content, std::string_view file, const ImportOptions& options) {
  if (options.like != OnnxLike::Specification)
    refuse(ErrorCode::Usage, file, "", "--like is for an ONNX model, which this is not; leave it out");
  TfliteGraph graph(parse_tflite(content.text(), file), content.bytes().size(), file);
  OnnxModel model = graph.write();
  OnnxFiles none;
  Imported imported = import_graph(std::move(model), content, file, options, none);
  imported.leaves_unrounded = graph.leaves_rounding_out();
  return imported;
}

}  // namespace rnnc::files
