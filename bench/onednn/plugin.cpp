// The plug-in of `rnnc bench --against onednn`: takes requests as plugin.hpp has them to OnednnStack. oneDNN and OpenMP
// are linked here, so that the program does not need them.
#include "bench/onednn/plugin.hpp"

#include <cstdio>
#include <exception>
#include <string>

#include "bench/onednn/onednn_stack.hpp"

namespace rnnc::bench {
namespace {

struct Stack {
  OnednnStack layers;
  std::string failure;     // of the last run
  std::string difference;  // from the mathematics of the cell
};

OnednnStack& layers_of(void* stack) { return static_cast<Stack*>(stack)->layers; }

const char* library_version() {
  static const std::string version = OnednnCell::version();
  return version.c_str();
}

const char* cell(std::int64_t index) {
  static const std::vector<std::string> cells = OnednnCell::cells();
  return index < std::ssize(cells) ? cells[static_cast<std::size_t>(index)].c_str() : nullptr;
}

TensorMap tensors_of(const PluginWeights& weights) {
  TensorMap tensors;
  for (const PluginTensor& tensor : std::span(weights.tensors, static_cast<std::size_t>(weights.count))) {
    Shape shape(tensor.shape, tensor.shape + tensor.rank);
    std::int64_t size = 1;
    for (const std::int64_t extent : shape) size *= extent;
    tensors.emplace(tensor.name, Tensor::from_f32(std::move(shape), {tensor.values, tensor.values + size}));
  }
  return tensors;
}

void* fail(PluginFailure& failure, bool is_unsupported, const std::string& message) {
  failure.is_unsupported = is_unsupported ? 1 : 0;
  std::snprintf(failure.message, sizeof failure.message, "%s", message.c_str());
  return nullptr;
}

void* make(const PluginRequest* request, PluginFailure* failure) try {
  std::vector<std::vector<TensorMap>> layers(static_cast<std::size_t>(request->layers));
  const PluginWeights* next = request->weights;
  for (std::vector<TensorMap>& directions : layers)
    for (std::int64_t i = 0; i < request->directions; ++i) directions.push_back(tensors_of(*next++));
  Result<OnednnStack> made =
      OnednnStack::make(request->cell, layers, request->steps, request->batch, static_cast<int>(request->threads),
                        static_cast<Numbers>(request->numbers));
  if (!made) return fail(*failure, made.error().code == ErrorCode::Unsupported, made.error().message);
  std::string difference = made->difference();
  return new Stack{std::move(*made), "", std::move(difference)};
} catch (const std::exception& error) {
  return fail(*failure, false, std::string("oneDNN baseline: ") + error.what());
}

void free_stack(void* stack) { delete static_cast<Stack*>(stack); }

PluginValues values_of(std::span<const float> values) {
  return {const_cast<float*>(values.data()), std::ssize(values)};
}

PluginValues input(void* stack) { return values_of(layers_of(stack).input()); }
PluginValues output(void* stack) { return values_of(layers_of(stack).output()); }
PluginValues final_state(void* stack, const char* name) { return values_of(layers_of(stack).final_state(name)); }

const char* run(void* stack) try {
  layers_of(stack).run();
  return nullptr;
} catch (const std::exception& error) {
  return (static_cast<Stack*>(stack)->failure = error.what()).c_str();
}

const char* difference(void* stack) {
  const std::string& text = static_cast<Stack*>(stack)->difference;
  return text.empty() ? nullptr : text.c_str();
}

constexpr Plugin kPlugin = {kPluginVersion, library_version, cell,        make, free_stack,
                            input,          output,          final_state, run,  difference};

}  // namespace
}  // namespace rnnc::bench

// plugin.map has its name.
extern "C" const rnnc::bench::Plugin* rnnc_bench_onednn() { return &rnnc::bench::kPlugin; }
