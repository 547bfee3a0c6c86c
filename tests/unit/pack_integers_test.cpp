// A row of weights becomes the integers that docs/numerics.md says, and one that was integers before becomes these
// again.
#include "runtime/pack_integers.hpp"

#include <cmath>
#include <cstring>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

using runtime::NumberFormat;

// A panel of one gate and one block.
struct Packed {
  Packed(NumberFormat format, const std::vector<float>& row, bool shifted = false)
      : shape{.units = 3, .columns = std::ssize(row), .gates = 1, .lanes = 4, .format = format, .shifted = shifted},
        floats(static_cast<std::size_t>(shape.floats())) {
    pack_integers(shape, 0, 1, row, floats.data());
  }

  int digit(std::int64_t column, int which) const {
    const auto* bytes = reinterpret_cast<const std::int8_t*>(floats.data());
    const int digits = runtime::weight_digits(shape.format);
    return bytes[(column / 4 * digits + which) * 16 + 1 * 4 + column % 4];
  }
  float step() const { return floats[static_cast<std::size_t>(shape.scales() + 1)]; }
  std::int32_t start(int which) const {
    std::int32_t value = 0;
    std::memcpy(&value, floats.data() + shape.starts() + which * 4 + 1, sizeof value);
    return value;
  }

  runtime::PanelShape shape;
  std::vector<float> floats;
};

}  // namespace

TEST_CASE("the largest weight of a row is the largest integer, and the others are rounded to nearest", "[integers]") {
  const Packed packed(NumberFormat::W8, {0.5f, -1.27f, 0.004f, 0.0051f, 0});
  const int expected[] = {50, -127, 0, 1, 0};
  for (std::int64_t k = 0; k < 5; ++k) CHECK(packed.digit(k, 0) == expected[k]);
  CHECK(packed.step() == 1.27f / 127);
  for (std::int64_t k = 5; k < 8; ++k) CHECK(packed.digit(k, 0) == 0);  // the group is filled up
}

TEST_CASE("integers of 16 bits are balanced digits of base 255", "[integers]") {
  Random random(1);
  std::vector<float> row = random.vector(37, -1, 1);
  row[5] = 1;
  const Packed packed(NumberFormat::W16, row, true);
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
      const Packed packed(NumberFormat::W8, row);
      const int factor = packed.digit(11, 0) / -largest;
      REQUIRE(factor >= 1);
      for (std::size_t k = 0; k < 60; ++k) CHECK(packed.digit(static_cast<std::int64_t>(k), 0) == factor * integers[k]);
      CHECK(std::fabs(packed.step() * static_cast<float>(factor) / step - 1) < 1e-6f);
    }
}

}  // namespace rnnc::test
