// `rnnc bench --against onednn` and its plug-in hand each other these structures and functions of C, so that the
// program and a plug-in of another build or compiler understand each other, or find out that they do not.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rnnc::bench {

/// Is counted up with every change of what stands below.
inline constexpr std::uint32_t kPluginVersion = 2;
inline constexpr const char* kPluginFile = "librnnc_bench_onednn.so";
/// The one function that the plug-in exports, a PluginEntry.
inline constexpr const char* kPluginEntry = "rnnc_bench_onednn";

struct PluginTensor {
  const char* name;
  const float* values;
  const std::int64_t* shape;
  std::int64_t rank;
};

/// The weights of one direction of a layer, under the names of the standard cell's parameters.
struct PluginWeights {
  const PluginTensor* tensors;
  std::int64_t count;
};

struct PluginRequest {
  const char* cell;
  const PluginWeights* weights;  // [layers][directions]
  std::int64_t layers, directions, steps, batch, threads;
  std::int32_t numbers;  // 0 f32, 1 bf16, 2 unsigned bytes
};

struct PluginFailure {
  std::int32_t is_unsupported;  // else the data is wrong
  char message[512];
};

struct PluginValues {
  float* values;  // null where there are none
  std::int64_t count;
};

/// Functions that take a `stack` take what `make` gave. None of them throws.
struct Plugin {
  std::uint32_t version;                    // kPluginVersion; stands first in every version
  const char* (*library_version)();         // of the oneDNN that is loaded: "2.6.3"
  const char* (*cell)(std::int64_t index);  // the name of a standard cell that oneDNN has; null behind the last
  void* (*make)(const PluginRequest*, PluginFailure*);  // states are zero; null where the failure says why
  void (*free)(void* stack);
  PluginValues (*input)(void* stack);                          // [T, B, I], to be filled
  PluginValues (*output)(void* stack);                         // [T, B, directions * H]
  PluginValues (*final_state)(void* stack, const char* name);  // of the last layer: [directions, B, H]
  const char* (*run)(void* stack);                             // null, or what went wrong
  const char* (*difference)(void* stack);  // null, or in what its mathematics differ from the cell's
};

using PluginEntry = const Plugin*();

}  // namespace rnnc::bench
