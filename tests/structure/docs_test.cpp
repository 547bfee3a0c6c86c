// These tests hold the documentation to the code: its cells are ours, its tables are whole, and what it names is there.
#include <cctype>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include "ir/cell.hpp"
#include "ir/op.hpp"
#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "tests/structure/document.hpp"
#include "tests/support/catch.hpp"

#include <rnnc/model.hpp>

namespace rnnc::test {
namespace {

namespace fs = std::filesystem;

// The part of a document below a heading, up to the next of its kind.
std::string section(const std::string& text, const std::string& heading) {
  const std::size_t begin = text.find("\n## " + heading + "\n");
  REQUIRE(begin != std::string::npos);
  return text.substr(begin, text.find("\n## ", begin + 1) - begin);
}

// Whether `name` stands in the text as code, alone or with operands.
bool names(const std::string& text, std::string_view name) {
  static const std::regex code("`([^`\n]+)`");
  for (std::sregex_iterator found(text.begin(), text.end(), code), none; found != none; ++found) {
    const std::string inside = " " + (*found)[1].str() + " ";
    for (std::size_t at = 0; (at = inside.find(name, at)) != std::string::npos; ++at) {
      const auto is_letter = [&](std::size_t i) {
        return std::isalnum(static_cast<unsigned char>(inside[i])) || inside[i] == '_';
      };
      if (!std::isalpha(static_cast<unsigned char>(name[0])) || !(is_letter(at - 1) || is_letter(at + name.size())))
        return true;
    }
  }
  return false;
}

// What GitHub makes of a heading in the address of a link.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_')
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (c == ' ') anchor += '-';
  }
  return anchor;
}

std::set<std::string> anchors_of(const std::string& text) {
  static const std::regex heading("(^|\n)#+ ([^\n]+)");
  std::set<std::string> anchors;
  for (std::sregex_iterator found(text.begin(), text.end(), heading), none; found != none; ++found)
    anchors.insert(anchor_of((*found)[2]));
  return anchors;
}

// Every string in backquotes that looks like a path of the tree and is none.
std::string missing_paths(const std::string& text) {
  static const std::regex path(
      "`((?:include|ir|compiler|runtime|import|tools|bench|tests|examples|scripts|cmake|docs)/[A-Za-z0-9_./-]*)");
  std::string missing;
  for (std::sregex_iterator found(text.begin(), text.end(), path), none; found != none; ++found)
    if (!fs::exists(RNNC_SOURCE_DIR "/" + (*found)[1].str())) missing += (*found)[1].str() + "\n";
  return missing;
}

// Every link of a document that leads nowhere in the tree; addresses of the web are not looked at.
std::string dead_links(const std::string& document, const std::string& text) {
  static const std::regex link(R"(\]\(([^)#\s]*)(?:#([^)\s]*))?\))");
  std::string dead;
  for (std::sregex_iterator found(text.begin(), text.end(), link), none; found != none; ++found) {
    const std::string to = (*found)[1], anchor = (*found)[2];
    if (to.starts_with("http")) continue;
    const fs::path target = to.empty() ? fs::path(document) : fs::path(document).parent_path() / to;
    const bool there = fs::exists(RNNC_SOURCE_DIR / target);
    if (!there || (!anchor.empty() && !anchors_of(read_source(target.string())).contains(anchor)))
      dead += (*found)[0].str() + "\n";
  }
  return dead;
}

}  // namespace

TEST_CASE("the cell in docs/language.md is the standard GRU", "[docs]") {
  const ir::Module shown = ir::parse(blocks_in("rnn", "docs/language.md").at(0).text).value();
  CHECK(ir::equal(shown.cells.at(0), standard_cell("gru").value().module().cells.at(0)));
}

TEST_CASE("the networks in docs/language.md print as themselves", "[docs]") {
  int networks = 0;
  for (const Block& block : blocks_in("rnn", "docs/language.md")) {
    const ir::Module shown = ir::parse(block.text).value();
    for (const ir::Network& network : shown.networks) {
      ++networks;
      INFO(block.text);
      std::string cells;
      for (const ir::Cell& cell : shown.cells) cells += ir::print(cell);
      CHECK(ir::equal(ir::parse(cells + ir::print(network)).value().networks.at(0), network));
    }
  }
  CHECK(networks == 4);
}

TEST_CASE("docs/language.md has every standard cell in its table", "[docs]") {
  const std::string table = section(read_source("docs/language.md"), "Standard cells");
  for (const std::string& name : standard_cell_names()) {
    INFO(name);
    CHECK(table.find("`" + name + "`") != std::string::npos);
  }
}

TEST_CASE("docs/language.md tells every operation, function and reduction", "[docs]") {
  const std::string text = read_source("docs/language.md");
  const auto check = [](const std::string& part, std::string_view name) {
    INFO(name);
    CHECK(names(part, name));
  };
  for (const auto& facts : ir::kAllFunctions)
    check(std::isalpha(facts.name[0]) ? section(text, "Functions") : section(text, "Cells"), facts.name);
  for (const auto& facts : ir::kReductions) check(section(text, "Functions"), facts.name);
  CHECK(section(text, "Functions").find("` | |\n") == std::string::npos);  // each has its meaning beside it
  for (const auto& facts : ir::kOverTimes) check(section(text, "Networks"), facts.name);
  for (const std::string_view word : {"input", "state", "param", "output", "concat", "@"})
    check(section(text, "Cells"), word);
  for (const std::string_view word : {"lookup", "project", "hoist"}) check(section(text, "Functions"), word);
  for (const std::string_view word : {"seq", "from", "reverse", "bidirectional", "forward", "merge", "steps"})
    check(section(text, "Networks"), word);
}

TEST_CASE("docs/numerics.md states the bound of every function as the op table has it, and of every reduction",
          "[docs]") {
  const std::string text = read_source("docs/numerics.md");
  for (const auto& facts : ir::kAllFunctions) {
    std::ostringstream bound;
    bound << "\n| " << facts.ulp << " ulp";
    if (facts.floor > 0) bound << " or " << facts.floor;
    bound << " | ";
    const std::string table = section(text, "Bounds"), name(facts.name);
    const std::size_t begin = table.find(bound.str());
    INFO(name << bound.str());
    REQUIRE(begin != std::string::npos);
    const bool is_word = std::isalpha(static_cast<unsigned char>(name[0]));
    const std::string shown = is_word ? name : facts.arity == 1 ? name + "x" : "a " + name + " b";
    CHECK(table.substr(begin + 1, table.find('\n', begin + 1) - begin).find("`" + shown + "`") != std::string::npos);
  }
  for (const auto& facts : ir::kReductions) {
    INFO(facts.name);
    CHECK(names(section(text, "Reductions"), facts.name));
  }
}

TEST_CASE("what the documents name is in the tree, and their links lead somewhere", "[docs]") {
  for (const Document& document : all_documents()) {
    INFO(document.path);
    CHECK(missing_paths(document.prose()) == "");
    CHECK(dead_links(document.path, document.prose()) == "");
  }
}

TEST_CASE("the README leads to every document", "[docs]") {
  const std::string readme = read_source("README.md");
  for (const Document& document : all_documents()) {
    INFO(document.path);
    if (document.path != "README.md") CHECK(readme.find("](" + document.path) != std::string::npos);
  }
}

TEST_CASE("docs/adding-an-op.md names every file that knows a function by name", "[docs]") {
  const std::string text = read_source("docs/adding-an-op.md");
  std::set<std::string> files;
  for (const std::string folder : {"include", "ir", "runtime", "import", "compiler", "tools"})
    for (const auto& entry : fs::recursive_directory_iterator(RNNC_SOURCE_DIR "/" + folder)) {
      const std::string path = fs::relative(entry.path(), RNNC_SOURCE_DIR).string();
      if (entry.is_regular_file() && !path.starts_with("import/onnx") && entry.path().extension() != ".rnn" &&
          std::regex_search(read_source(path), std::regex("softsign|Softsign")))
        files.insert(path);
    }
  CHECK(files.size() >= 4);
  for (const std::string& path : files) {
    INFO(path);
    CHECK(text.find("`" + path + "`") != std::string::npos);
  }
}

TEST_CASE("the checks of what documents say see what is wrong", "[docs]") {
  CHECK(names("| `elu(x, alpha)` |", "elu"));
  CHECK_FALSE(names("| `relu` |", "elu"));
  CHECK_FALSE(names("elu", "elu"));
  CHECK(missing_paths("`ir/op.hpp` and `tests/structure`") == "");
  CHECK(missing_paths("`ir/no_such.hpp`") != "");
  CHECK(dead_links("docs/language.md", "[numerics](numerics.md) [networks](#networks)") == "");
  CHECK(dead_links("docs/language.md", "[networks](#no-networks)") != "");
  CHECK(dead_links("docs/language.md", "[none](none.md)") != "");
}

}  // namespace rnnc::test
