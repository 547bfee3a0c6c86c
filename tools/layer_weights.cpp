#include "tools/layer_weights.hpp"

#include "ir/scan.hpp"

namespace rnnc::tools {

std::vector<std::vector<TensorMap>> weights_by_layer(const BenchJob& job) {
  std::vector<std::vector<TensorMap>> layers;
  for (const ir::Node& node : job.network.nodes) {
    if (node.op != ir::Op::Scan) continue;
    std::vector<TensorMap>& directions = layers.emplace_back();
    for (const std::string& prefix : ir::scan_prefixes(node)) {
      TensorMap& own = directions.emplace_back();
      for (const auto& [name, tensor] : job.source.weights)
        if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), tensor);
    }
  }
  return layers;
}

}  // namespace rnnc::tools
