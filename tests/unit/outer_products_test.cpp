// Sums of outer products stay within their scratch and their sums on every instruction set, and have the same bits
// where products are fused.
#include "compiler/gradient/outer_products.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "runtime/aligned_buffer.hpp"
#include "runtime/portable.hpp"
#include "runtime/portable_kernels.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

namespace rnnc::compiler {
namespace {

constexpr float kMark = 123.5F;  // behind what may be written

std::vector<std::string> levels() {
  std::vector<std::string> names;
  for (const char* level : {"generic", "x86-64-v2", "x86-64-v3", "x86-64-v4"})
    if (runtime::portable_kernels(level)) names.push_back(level);
  return names;
}

struct Sums {
  std::vector<float> first, second;
};

// Adds to two sums of `rows` and `rows + 1` rows, whose left factors lie side by side.
Sums add(const std::string& level, std::int64_t count, std::int64_t rows, std::int64_t columns,
         const std::vector<float>& left, const std::vector<float>& right) {
  const std::int64_t width = 2 * rows + 1, scratch = outer_scratch(rows) + outer_scratch(rows + 1);
  std::vector<const float*> left_rows, right_rows;
  for (std::int64_t r = 0; r < count; ++r) {
    left_rows.push_back(left.data() + r * width);
    right_rows.push_back(right.data() + r * columns);
  }
  Sums sums{std::vector<float>(static_cast<std::size_t>(rows * columns + 1), 1.0F),
            std::vector<float>(static_cast<std::size_t>((rows + 1) * columns + 1), 2.0F)};
  sums.first.back() = sums.second.back() = kMark;
  const runtime::AlignedBuffer memory(scratch + 4096);
  std::fill_n(memory.data() + scratch, 4096, kMark);
  const OuterSum wanted[] = {{sums.first.data(), columns, 0, rows}, {sums.second.data(), columns, rows, rows + 1}};
  outer_products_for(level)({.rows = count,
                             .left = left_rows.data(),
                             .right = right_rows.data(),
                             .right_count = columns,
                             .sums = wanted,
                             .scratch = memory.data()});
  CHECK(std::count(memory.data() + scratch, memory.data() + scratch + 4096, kMark) == 4096);
  CHECK(sums.first.back() == kMark);
  CHECK(sums.second.back() == kMark);
  return sums;
}

}  // namespace

TEST_CASE("sums of outer products stay within their memory, and are right, at every level", "[gradient]") {
  test::Random random(5);
  for (const std::int64_t rows : {1, 2, 5, 6, 7, 8, 13, 31, 32, 37, 48, 65})
    for (const std::int64_t columns : {1, 15, 33, 64})
      for (const std::int64_t count : {1, 7, 128}) {
        INFO(rows << " rows, " << columns << " columns, sum over " << count);
        const auto left = random.vector(static_cast<std::size_t>(count * (2 * rows + 1)), -1, 1);
        const auto right = random.vector(static_cast<std::size_t>(count * columns), -1, 1);
        std::map<bool, Sums> first_of;  // by whether products are fused
        for (const std::string& level : levels()) {
          INFO(level);
          const Sums sums = add(level, count, rows, columns, left, right);
          double most = 0;
          for (std::int64_t i = 0; i < 2 * rows + 1; ++i)
            for (std::int64_t k = 0; k < columns; ++k) {
              double expected = i < rows ? 1 : 2;
              for (std::int64_t r = 0; r < count; ++r)
                expected += static_cast<double>(left[static_cast<std::size_t>(r * (2 * rows + 1) + i)]) *
                            static_cast<double>(right[static_cast<std::size_t>(r * columns + k)]);
              const float found = i < rows ? sums.first[static_cast<std::size_t>(i * columns + k)]
                                           : sums.second[static_cast<std::size_t>((i - rows) * columns + k)];
              most = std::max(most, std::fabs(static_cast<double>(found) - expected));
            }
          CHECK(most <= 3e-5);
          const auto [same, is_first] = first_of.try_emplace(level == "x86-64-v3" || level == "x86-64-v4", sums);
          if (is_first) continue;
          CHECK(same->second.first == sums.first);
          CHECK(same->second.second == sums.second);
        }
      }
}

}  // namespace rnnc::compiler
