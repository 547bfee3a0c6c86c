// Names and tensors of rnnc become the structures of C in bench/onednn/plugin.hpp, which the plug-in takes.
#include "tools/onednn_plugin.hpp"

#include <dlfcn.h>

#include <deque>
#include <filesystem>
#include <stdexcept>

#include "ir/environment.hpp"

namespace rnnc::tools {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> folders() {
  if (const std::string asked = read_environment().plugin_dir; !asked.empty()) return {asked};
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  if (unknown) return {RNNC_INSTALLED_PLUGINS};
  return {program.parent_path(), (program.parent_path() / RNNC_PLUGINS_FROM_PROGRAM).lexically_normal()};
}

Error plugin_error(const std::string& file, const std::string& message, const std::string& remedy) {
  return {ErrorCode::Unsupported, {}, "--against onednn: " + file + " " + message, {{{}, remedy}}};
}

const std::string kHowToGet =
    "it comes with a build of rnnc that has oneDNN: install libdnnl-dev, and configure with -DRNNC_ONEDNN=ON; `cmake "
    "--install` has it as component onednn";

// The version of the plug-in is read before all else, since the rest of its structure may differ between versions.
Result<const bench::Plugin*> open(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = dlerror();
    return plugin_error(path, std::string("cannot be loaded: ") + (why ? why : "the system does not say why"),
                        kHowToGet);
  }
  const auto entry = reinterpret_cast<bench::PluginEntry*>(dlsym(library, bench::kPluginEntry));
  if (entry == nullptr) return plugin_error(path, "is no plug-in of rnnc", kHowToGet);
  const bench::Plugin* const plugin = entry();
  if (plugin->version != bench::kPluginVersion)
    return plugin_error(path,
                        "is a plug-in of version " + std::to_string(plugin->version) +
                            ", and this rnnc needs version " + std::to_string(bench::kPluginVersion),
                        "take program and plug-in from one build");
  return plugin;
}

// Holds the values of `layers` and pointers to these values, and to the names and shapes in `layers`. The pointers are
// valid as long as this object and `layers` live.
class Weights {
 public:
  explicit Weights(const std::vector<std::vector<TensorMap>>& layers) {
    for (const std::vector<TensorMap>& directions : layers)
      for (const TensorMap& tensors : directions) add(tensors);
  }

  const bench::PluginWeights* data() const { return weights_.data(); }

 private:
  void add(const TensorMap& tensors) {
    std::vector<bench::PluginTensor>& to = tensors_.emplace_back();
    for (const auto& [name, tensor] : tensors) {
      const std::vector<float>& values = values_.emplace_back(tensor.to_f32());
      to.push_back({name.c_str(), values.data(), tensor.shape.data(), std::ssize(tensor.shape)});
    }
    weights_.push_back({to.data(), std::ssize(to)});
  }

  std::deque<std::vector<float>> values_;
  std::deque<std::vector<bench::PluginTensor>> tensors_;
  std::vector<bench::PluginWeights> weights_;
};

}  // namespace

Result<OnednnPlugin> OnednnPlugin::load() {
  std::string looked;
  for (const fs::path& folder : folders()) {
    const fs::path path = folder / bench::kPluginFile;
    std::error_code ignored;
    if (fs::exists(path, ignored)) {
      const Result<const bench::Plugin*> plugin = open(path.string());
      if (!plugin) return plugin.error();
      return OnednnPlugin(**plugin);
    }
    looked += (looked.empty() ? "" : " and ") + folder.string();
  }
  return plugin_error(bench::kPluginFile, "is not in " + looked, kHowToGet);
}

std::vector<std::string> OnednnPlugin::cells() const {
  std::vector<std::string> names;
  while (const char* const name = plugin_->cell(std::ssize(names))) names.emplace_back(name);
  return names;
}

Result<OnednnStack> OnednnPlugin::make(const std::string& cell, const std::vector<std::vector<TensorMap>>& layers,
                                       std::int64_t steps, std::int64_t batch, std::int64_t threads,
                                       OnednnNumbers numbers) const {
  const Weights weights(layers);
  const bench::PluginRequest request{cell.c_str(),
                                     weights.data(),
                                     std::ssize(layers),
                                     std::ssize(layers.front()),
                                     steps,
                                     batch,
                                     threads,
                                     static_cast<std::int32_t>(numbers)};
  bench::PluginFailure failure{};
  if (void* const stack = plugin_->make(&request, &failure)) return OnednnStack(*plugin_, stack);
  return Error{failure.is_unsupported ? ErrorCode::Unsupported : ErrorCode::InvalidData, {}, failure.message, {}};
}

void OnednnStack::run() {
  if (const char* const failure = plugin_->run(stack_.get()))
    throw std::runtime_error(std::string("oneDNN: ") + failure);
}

}  // namespace rnnc::tools
