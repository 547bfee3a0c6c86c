#include "tools/random_data.hpp"

#include <algorithm>
#include <cmath>

#include "ir/scan.hpp"
#include "tools/interface.hpp"

namespace rnnc::tools {

std::vector<float> random_values(std::int64_t count, float most, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::uint64_t state = seed;
  for (float& value : values) {
    // splitmix64: Steele, Lea & Flood 2014.
    std::uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    value = most * (static_cast<float>(z >> 40) * 0x1p-23f - 1.0f);
  }
  return values;
}

std::vector<std::int32_t> random_lengths(std::int64_t steps, std::int64_t sequences, std::uint64_t seed) {
  std::vector<std::int32_t> lengths;
  for (const float value : random_values(sequences, 1, seed)) {
    const auto length = 1 + static_cast<std::int64_t>((value + 1) / 2 * static_cast<float>(steps));
    lengths.push_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(length, 1, steps)));
  }
  if (!lengths.empty()) lengths.back() = static_cast<std::int32_t>(steps);
  return lengths;
}

TensorMap random_weights(const ir::Network& network, std::uint64_t seed) {
  TensorMap weights;
  for (const ir::Weight& weight : ir::weights_of(network)) {
    const Shape shape = shape_of(weight.type);
    const float most = shape.empty() ? 1.0f : 1.0f / std::sqrt(static_cast<float>(shape.back()));
    weights[weight.name] =
        Tensor::from_f32(shape, random_values(elements(weight.type), most, ++seed * 0x2545f4914f6cdd1d));
  }
  return weights;
}

}  // namespace rnnc::tools
