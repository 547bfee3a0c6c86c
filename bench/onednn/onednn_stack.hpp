// A stack has layers of oneDNN's, one primitive each, of which each reads the output of the one before where it lies.
#pragma once

#include "bench/onednn/onednn_cell.hpp"

namespace rnnc::bench {

class OnednnStack {
 public:
  /// `layers` has the weights of each layer's one or two directions. Errors: those of OnednnCell::make.
  static Result<OnednnStack> make(const std::string& cell, const std::vector<std::vector<TensorMap>>& layers,
                                  std::int64_t steps, std::int64_t batch, int threads, Numbers numbers = Numbers::F32);

  /// Says where the mathematics are not those of the cell; "" where they are.
  std::string difference() const { return layers_.front().difference(); }

  std::span<float> input() { return layers_.front().input(); }
  std::span<const float> output() const { return layers_.back().output(); }
  /// The final state `name` of the last layer.
  std::span<const float> final_state(const std::string& name) const { return layers_.back().final_state(name); }

  /// From states of zero over all steps.
  void run();

 private:
  std::vector<OnednnCell> layers_;
};

}  // namespace rnnc::bench
