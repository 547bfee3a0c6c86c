// What the documentation shows is true.
#include <fstream>
#include <iterator>

#include "ir/cell.hpp"
#include "ir/op.hpp"
#include "ir/parse.hpp"
#include "tests/support/catch.hpp"

#include <rnnc/model.hpp>

namespace rnnc::test {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(std::string(RNNC_SOURCE_DIR) + "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the cell in docs/language.md is the standard GRU", "[docs]") {
  const std::string text = read("docs/language.md");
  const std::size_t begin = text.find("```\n") + 4;
  const ir::Module shown = ir::parse(text.substr(begin, text.find("```", begin) - begin)).value();
  CHECK(ir::equal(shown.cells.at(0), standard_cell("gru").value().module().cells.at(0)));
}

TEST_CASE("docs/language.md names every function and reduction", "[docs]") {
  const std::string text = read("docs/language.md");
  const auto check = [&](std::string_view name) {
    INFO(name);
    CHECK(text.find(name) != std::string::npos);
  };
  for (const auto& facts : ir::kFunctions) check(facts.name);
  for (const auto& facts : ir::kReductions) check(facts.name);
}

}  // namespace rnnc::test
