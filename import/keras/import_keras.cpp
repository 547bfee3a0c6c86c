#include "import/keras/import_keras.hpp"

#include "import/keras/graph.hpp"
#include "import/onnx/network.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {

Imported import_keras(const JsonValue& root, std::string_view version, const Hdf5File& weights, bool by_folder,
                      const FileContent& content, const ImportOptions& options) {
  if (options.like != OnnxLike::Specification)
    refuse(ErrorCode::Usage, root.file(), "", "--like is for an ONNX model, which this is not; leave it out");
  const KerasModel model = keras_model(root);
  const KerasWeights own(weights, root.file(), by_folder, model.layers);
  OnnxFiles none;
  return import_graph(KerasGraph(model, version, own, content.bytes().size(), root.file()).write(), content,
                      root.file(), options, none);
}

}  // namespace rnnc::files
