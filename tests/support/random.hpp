// Random numbers that are the same on every platform and standard library: splitmix64 (Steele, Lea & Flood 2014).
// Draws that stand in one expression have no order; give each draw a statement of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rnnc::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// In [0, n); n >= 1 and small against 2^64, so the remainder's bias does not show.
  std::uint64_t below(std::uint64_t n) { return next() % n; }

  /// In [lo, hi), in 2^24 steps: the product is exact in double, so no platform rounds it differently.
  float uniform(float lo, float hi) {
    const double unit = static_cast<double>(next() >> 40) * 0x1p-24;
    return static_cast<float>(lo + unit * (static_cast<double>(hi) - lo));
  }

  bool chance(double probability) { return static_cast<double>(next() >> 40) * 0x1p-24 < probability; }

  std::vector<float> vector(std::size_t n, float lo, float hi) {
    std::vector<float> values(n);
    for (float& v : values) v = uniform(lo, hi);
    return values;
  }

  template <class Container>
  const auto& pick(const Container& container) {
    return container[below(std::size(container))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace rnnc::test
