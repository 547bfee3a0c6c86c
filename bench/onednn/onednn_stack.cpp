#include "bench/onednn/onednn_stack.hpp"

namespace rnnc::bench {

Result<OnednnStack> OnednnStack::make(const std::string& cell, const std::vector<std::vector<TensorMap>>& layers,
                                      std::int64_t steps, std::int64_t batch, int threads, Numbers numbers) {
  OnednnStack stack;
  for (const std::vector<TensorMap>& directions : layers) {
    Result<OnednnCell> layer = OnednnCell::make(cell, directions, steps, batch, threads, numbers);
    if (!layer) return layer.error();
    stack.layers_.push_back(std::move(*layer));
  }
  for (std::size_t i = 1; i < stack.layers_.size(); ++i) stack.layers_[i].read_from(stack.layers_[i - 1]);
  return stack;
}

void OnednnStack::run() {
  for (OnednnCell& layer : layers_) layer.run();
}

}  // namespace rnnc::bench
