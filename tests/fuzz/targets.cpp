#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <stdexcept>

namespace rnnc::fuzz {
namespace {

constexpr Target kTargets[] = {
    {"text", fuzz_text},         {"cell", fuzz_cell},       {"safetensors", fuzz_safetensors},
    {"npy", fuzz_npy},           {"rnnoise", fuzz_rnnoise}, {"zip", fuzz_zip},
    {"hdf5", fuzz_hdf5},         {"json", fuzz_json},       {"onnx", fuzz_onnx},
    {"artifact", fuzz_artifact}, {"cache", fuzz_cache},     {"saved_state", fuzz_state},
    {"plan", fuzz_plan},         {"tflite", fuzz_tflite},
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

const Target& find_target(std::string_view name) {
  const auto found = std::ranges::find(kTargets, name, &Target::name);
  require(found != std::end(kTargets), "there is no target " + std::string(name));
  return *found;
}

void require(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error(what);
}

}  // namespace rnnc::fuzz
