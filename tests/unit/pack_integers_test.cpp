// A row of weights becomes the integers that docs/numerics.md says, and one that was integers before becomes these
// again.
#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/packed_row.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {

using runtime::NumberFormat;

TEST_CASE("the largest weight of a row is the largest integer, and the others are rounded to nearest", "[integers]") {
  const PackedRow packed(NumberFormat::W8, {0.5f, -1.27f, 0.004f, 0.0051f, 0});
  const int expected[] = {50, -127, 0, 1, 0};
  for (std::int64_t k = 0; k < 5; ++k) CHECK(packed.digit(k, 0) == expected[k]);
  CHECK(packed.step() == 1.27f / 127);
  for (std::int64_t k = 5; k < 8; ++k) CHECK(packed.digit(k, 0) == 0);  // the group is filled up
}

TEST_CASE("integers of 16 bits are balanced digits of base 255", "[integers]") {
  Random random(1);
  std::vector<float> row = random.vector(37, -1, 1);
  row[5] = 1;
  const PackedRow packed(NumberFormat::W16, row, true);
  std::int32_t high = 0, low = 0;
  for (std::int64_t k = 0; k < 37; ++k) {
    CHECK(std::abs(packed.digit(k, 0)) <= 127);
    CHECK(std::abs(packed.digit(k, 1)) <= 127);
    const int integer = 255 * packed.digit(k, 0) + packed.digit(k, 1);
    CHECK(integer == static_cast<int>(std::nearbyint(row[static_cast<std::size_t>(k)] * 32512)));
    high += packed.digit(k, 0);
    low += packed.digit(k, 1);
  }
  CHECK(packed.step() == 1.0f / 32512 * 255);
  // Elements that are 128 too large add 128 times the weights' digits: to the sum of high digits, and to that of low
  // ones from both sides.
  CHECK(packed.start(0) == -128 * high);
  CHECK(packed.start(1) == -128 * (high + low));
}

TEST_CASE("a row that was integers of 8 bits has the same integers again, up to a common factor", "[integers]") {
  Random random(2);
  for (const int largest : {127, 126, 100, 64, 63, 40, 7, 1})
    for (const float step : {1.0f, 0.0123f, 3.7e-5f, 117.3f}) {
      INFO(largest << " steps of " << step);
      std::vector<int> integers;
      std::vector<float> row;
      for (std::size_t k = 0; k < 60; ++k) {
        const auto width = static_cast<std::uint64_t>(2 * largest + 1);
        integers.push_back(k == 11 ? -largest : static_cast<int>(random.below(width)) - largest);
        row.push_back(static_cast<float>(integers.back()) * step);
      }
      const PackedRow packed(NumberFormat::W8, row);
      const int factor = packed.digit(11, 0) / -largest;
      REQUIRE(factor >= 1);
      for (std::size_t k = 0; k < 60; ++k) CHECK(packed.digit(static_cast<std::int64_t>(k), 0) == factor * integers[k]);
      CHECK(std::fabs(packed.step() * static_cast<float>(factor) / step - 1) < 1e-6f);
    }
}

}  // namespace rnnc::test
