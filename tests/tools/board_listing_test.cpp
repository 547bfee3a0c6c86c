// Listings of code for boards: what their loops do, and what LLVM must not do in them.
#include <sstream>
#include <string>
#include <tuple>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

// Counts the instructions behind the openings of blocks (vpst, vpt) that are no vector instructions. An emulator runs
// through a branch there; what a processor does is not said.
int strangers_in_blocks(const std::string& listing) {
  std::istringstream lines(listing);
  int strangers = 0;
  bool opened = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    if (!(words >> first) || first.front() == '@' || first.front() == '.') continue;
    strangers += opened && first.front() != 'v';
    opened = first.starts_with("vpst") || first.starts_with("vpt");
  }
  return strangers;
}

}  // namespace

TEST_CASE("listings of boards tell what their loops do", "[tools][boards]") {
  const Folder folder;
  const auto listing = [&](const std::string& target, const std::string& format) {
    return folder
        .rnnc("inspect --cell lstm --dim I=32 --dim H=96 --emit asm --weights-as " + format + " --isa " + target)
        .out;
  };
  for (const auto& [target, format, instruction] : {std::tuple("thumbv7em-cortex-m4", "w8", "smlad"),
                                                    {"thumbv7em-cortex-m4", "f32", "vfma.f32"},
                                                    {"thumbv8.1m-cortex-m55", "w8", "vmlava.s8"},
                                                    {"armv7-a-cortex-a7", "f32", "vfma.f32"},
                                                    {"riscv64-rvv256", "f32", "vfmacc"},
                                                    {"riscv32", "f32", "fmadd.s"}}) {
    const std::string text = listing(target, format);
    INFO(target << ", " << format);
    CHECK(text.find(std::string("\t") + instruction) != std::string::npos);
    const std::size_t loop = text.find("over columns");
    REQUIRE(loop != std::string::npos);
    const std::string summary = text.substr(loop, text.find('\n', loop) - loop);
    INFO(summary);
    CHECK(summary.find("multiply-add") != std::string::npos);
    CHECK(summary.find("load") != std::string::npos);
  }
}

// LLVM 19 put constants into a block of each of these cells, or did not live to do so.
TEST_CASE("predicated instructions of a board stay with their predicate", "[tools][boards]") {
  for (const auto& [cell, units, format] :
       {std::tuple("rnn", 7, "w8"), {"gru", 6, "w8"}, {"gru", 15, "w8a16"}, {"gru", 15, "w16"}, {"mgu", 11, "w16"}}) {
    INFO(cell << ", " << units << " units, " << format);
    const Finished shown =
        Folder().rnnc("inspect --emit asm --isa thumbv8.1m-cortex-m55 --dim I=5 --cell " + std::string(cell) +
                      " --dim H=" + std::to_string(units) + " --weights-as " + format);
    CHECK(shown.code == 0);
    CHECK(shown.out.find("\tvpst") != std::string::npos);
    CHECK(strangers_in_blocks(shown.out) == 0);
  }
}

}  // namespace rnnc::test
