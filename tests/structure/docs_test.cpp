// What the documentation shows is true.
#include <fstream>
#include <iterator>

#include "ir/cell.hpp"
#include "ir/op.hpp"
#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "tests/support/catch.hpp"

#include <rnnc/model.hpp>

namespace rnnc::test {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(RNNC_SOURCE_DIR "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the cell in docs/language.md is the standard GRU", "[docs]") {
  const std::string text = read("docs/language.md");
  const std::size_t begin = text.find("```\n") + 4;
  const ir::Module shown = ir::parse(text.substr(begin, text.find("```", begin) - begin)).value();
  CHECK(ir::equal(shown.cells.at(0), standard_cell("gru").value().module().cells.at(0)));
}

TEST_CASE("the networks in docs/language.md are right and print as themselves", "[docs]") {
  const std::string text = read("docs/language.md");
  int networks = 0;
  for (std::size_t begin = 0; (begin = text.find("```\n", begin)) != std::string::npos;) {
    const std::size_t end = text.find("```", begin + 4);
    const std::string block = text.substr(begin + 4, end - begin - 4);
    begin = end + 4;
    INFO(block);
    const Result<ir::Module> shown = ir::parse(block);
    REQUIRE((shown ? "" : shown.error().to_string()) == "");
    for (const ir::Network& network : shown->networks) {
      ++networks;
      std::string cells;
      for (const ir::Cell& cell : shown->cells) cells += ir::print(cell);
      CHECK(ir::equal(ir::parse(cells + ir::print(network)).value().networks.at(0), network));
    }
  }
  CHECK(networks == 2);
}

TEST_CASE("docs/language.md has every standard cell in its table", "[docs]") {
  const std::string text = read("docs/language.md");
  const std::string table = text.substr(text.find("## Standard cells"));
  for (const std::string& name : standard_cell_names()) {
    INFO(name);
    CHECK(table.substr(0, table.find("\n## ", 1)).find("`" + name + "`") != std::string::npos);
  }
}

TEST_CASE("docs/language.md names every function and reduction", "[docs]") {
  const std::string text = read("docs/language.md");
  const auto check = [&](std::string_view name) {
    INFO(name);
    CHECK(text.find(name) != std::string::npos);
  };
  for (const auto& facts : ir::kFunctions) check(facts.name);
  for (const auto& facts : ir::kReductions) check(facts.name);
  for (const auto& facts : ir::kOverTimes) check(facts.name);
}

}  // namespace rnnc::test
