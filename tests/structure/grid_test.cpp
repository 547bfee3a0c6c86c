// These tests look at the shapes that bench_cells and scripts/bench measure.
#include "bench/grid.hpp"

#include <algorithm>
#include <set>

#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

std::set<std::string> names(const std::vector<bench::Shape>& shapes) {
  std::set<std::string> names;
  for (const bench::Shape& shape : shapes) names.insert(shape.name());
  return names;
}

}  // namespace

TEST_CASE("The quick grid is a part of the full one, and no shape comes twice", "[grid]") {
  const auto quick = names(bench::quick_grid()), full = names(bench::full_grid());
  CHECK(std::ranges::includes(full, quick));
  CHECK(quick.size() == bench::quick_grid().size());
  CHECK(full.size() == bench::full_grid().size());
}

}  // namespace rnnc::test
