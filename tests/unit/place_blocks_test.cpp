// Blocks of memory: each lies at the lowest place that no block of the same waves has.
#include <algorithm>
#include <numeric>

#include "runtime/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

using runtime::Block;

bool meet(const Block& a, const Block& b) { return a.first_wave <= b.last_wave && b.first_wave <= a.last_wave; }

// Tries every place that may be the lowest: 0, and the end of each block that has its place.
std::vector<std::int64_t> places_one_by_one(const std::vector<Block>& blocks, const std::vector<std::int64_t>& sizes) {
  std::vector<std::size_t> order(blocks.size()), placed;
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t i) { return sizes[i]; });
  std::vector<std::int64_t> offsets(blocks.size() + 1);
  for (const std::size_t i : order) {
    std::vector<std::int64_t> choices = {0};
    for (const std::size_t other : placed) choices.push_back(offsets[other] + sizes[other]);
    std::ranges::sort(choices);
    offsets[i] = *std::ranges::find_if(choices, [&](std::int64_t choice) {
      return std::ranges::none_of(placed, [&](std::size_t other) {
        return meet(blocks[i], blocks[other]) && choice < offsets[other] + sizes[other] &&
               offsets[other] < choice + sizes[i];
      });
    });
    placed.push_back(i);
    offsets.back() = std::max(offsets.back(), offsets[i] + sizes[i]);
  }
  return offsets;
}

}  // namespace

TEST_CASE("a block lies at the lowest place that no block of the same waves has", "[network]") {
  Random random(5);
  for (int i = 0; i < 300; ++i) {
    std::vector<Block> blocks(1 + random.below(40));
    std::vector<std::int64_t> sizes;
    for (Block& block : blocks) {
      block.first_wave = static_cast<int>(random.below(12));
      block.last_wave = block.first_wave + static_cast<int>(random.below(i % 2 == 0 ? 3 : 12));
      sizes.push_back(static_cast<std::int64_t>(16 * random.below(5)));
    }
    CHECK(runtime::place_blocks(blocks, sizes) == places_one_by_one(blocks, sizes));
  }
}

}  // namespace rnnc::test
