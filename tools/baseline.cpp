#include "tools/baseline.hpp"

#include <utility>

#include "tools/exit_code.hpp"

namespace rnnc::tools {
namespace {

const std::vector<std::pair<std::string, std::string>>& titles() {
  static const std::vector<std::pair<std::string, std::string>> all = {{"onednn", "oneDNN"},
                                                                       {"onednn-bf16", "oneDNN"},
                                                                       {"onednn-u8", "oneDNN"},
                                                                       {"onnxruntime", "ONNX Runtime"},
                                                                       {"torch", "PyTorch"}};
  return all;
}

}  // namespace

std::vector<std::string> baseline_names() {
  std::vector<std::string> names;
  for (const auto& [name, title] : titles()) names.push_back(name);
  return names;
}

std::string baseline_title(const std::string& name) {
  for (const auto& [own, title] : titles())
    if (own == name) return title;
  return name;
}

Result<std::unique_ptr<BaselineLibrary>> load_baseline(const std::string& name, const std::string& library) {
  if (name == "onnxruntime") return load_onnx_runtime(library);
  if (name == "torch") return load_torch(library);
  if (!library.empty())
    return usage_error("--library",
                       "goes with --against onnxruntime or torch; the plug-in of oneDNN is found by "
                       "RNNC_PLUGIN_DIR");
  return load_onednn(name);
}

}  // namespace rnnc::tools
