// Golden tests: each .golden file of this folder holds a line that says what holds, what to print, a cell, and the text
// expected. The cell is text, or a standard one named by what to print. RNNC_BLESS=1 writes what was printed back into
// the files, for a change that is meant.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <rnnc/model.hpp>
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/schedule/plan.hpp"
#include "ir/print.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

constexpr const char* kRule = "----\n";

struct Golden {
  std::string reason;
  std::string command;  // "after PASS [cell=NAME] [DIM=N]..." or "plan CPU [cell=NAME] [DIM=N]..."
  std::string input;
  std::string expected;
};

Golden read(const std::filesystem::path& path) {
  std::ifstream file(path);
  Golden golden;
  std::getline(file, golden.reason);
  std::getline(file, golden.command);
  std::stringstream rest;
  rest << file.rdbuf();
  const std::string text = rest.str();
  const std::size_t rule = text.find(kRule);
  golden.input = text.substr(0, rule);
  if (rule != std::string::npos) golden.expected = text.substr(rule + 5);
  return golden;
}

std::string produce(const Golden& golden) {
  std::istringstream words(golden.command);
  std::string what, argument, word, standard;
  words >> what >> argument;
  ir::DimBindings dims;
  while (words >> word) {
    const std::string name = word.substr(0, word.find('=')), value = word.substr(word.find('=') + 1);
    if (name == "cell")
      standard = value;
    else
      dims[name] = std::stoll(value);
  }
  const Model model = (standard.empty() ? parse(golden.input) : standard_cell(standard)).value();
  const ir::Cell cell = ir::bind_dims(model.module().cells.front(), dims).value();
  if (what == "after") return ir::print(compiler::run_passes(cell, argument));
  const compiler::Target target = compiler::resolve_target(argument, false).value();
  const compiler::Schedule schedule = compiler::make_schedule(compiler::run_passes(cell));
  return compiler::print(compiler::make_plan(schedule, target).value(), schedule, target);
}

}  // namespace

TEST_CASE("cells print as expected after each pass and as plans", "[golden]") {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(RNNC_SOURCE_DIR) / "tests/golden")) {
    if (entry.path().extension() != ".golden") continue;
    ++files;
    const Golden golden = read(entry.path());
    INFO(entry.path().filename() << ": " << golden.reason);
    const std::string produced = produce(golden);
    if (std::getenv("RNNC_BLESS"))
      std::ofstream(entry.path()) << golden.reason << "\n"
                                  << golden.command << "\n"
                                  << golden.input << kRule << produced;
    else
      CHECK(produced == golden.expected);
  }
  CHECK(files >= 15);
}

}  // namespace rnnc::test
