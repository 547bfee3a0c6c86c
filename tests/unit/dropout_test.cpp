#include <rnnc/dropout.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/support/catch.hpp"

namespace rnnc::test {

TEST_CASE("a mask in parts is the mask of the whole, and depends on the seed", "[dropout]") {
  std::vector<float> whole(1000), parts(1000), other(1000);
  fill_dropout(whole, 0.3F, 7);
  for (std::size_t begin = 0; begin < 1000; begin += 125)
    fill_dropout(std::span(parts).subspan(begin, 125), 0.3F, 7, begin);
  fill_dropout(other, 0.3F, 8);
  CHECK(parts == whole);
  CHECK(other != whole);
}

TEST_CASE("a mask leaves out its share and keeps the mean", "[dropout]") {
  constexpr std::size_t kCount = 200000;
  std::vector<float> mask(kCount);
  for (const float rate : {0.0F, 0.1F, 0.5F, 0.9F}) {
    fill_dropout(mask, rate, 3);
    const auto zeros = static_cast<double>(std::ranges::count(mask, 0.0F)) / kCount;
    CHECK(zeros == Approx(rate).margin(0.005));  // more than four standard deviations
    CHECK(std::accumulate(mask.begin(), mask.end(), 0.0) / kCount == Approx(1).margin(0.03));
  }
  fill_dropout(mask, 1, 3);
  CHECK(std::ranges::count(mask, 0.0F) == static_cast<std::ptrdiff_t>(kCount));
}

TEST_CASE("neighbouring seeds and elements have nothing in common", "[dropout]") {
  constexpr std::size_t kCount = 100000;
  std::vector<float> one(kCount), next(kCount);
  fill_dropout(one, 0.5F, 100);
  fill_dropout(next, 0.5F, 101);
  const auto agree = [](std::span<const float> a, std::span<const float> b) {
    std::size_t equal = 0;
    for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i] ? 1 : 0;
    return static_cast<double>(equal) / static_cast<double>(a.size());
  };
  CHECK(agree(one, next) == Approx(0.5).margin(0.01));
  CHECK(agree(std::span(one).first(kCount - 1), std::span(one).subspan(1)) == Approx(0.5).margin(0.01));
}

}  // namespace rnnc::test
