// Plans that bench --tune has kept: every verb uses them, inspect shows them, and cache lists and removes them.
#include "compiler/schedule/tuned.hpp"

#include <rnnc/model.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kCell = "--cell lstm --dim I=32 --dim H=40 ";
// The cost model takes none of these two plans.
const std::string kPlan = "0:1/1/32,1:1/1/40";

// Keeps kPlan for the cell, as bench --tune does where it is the fastest, and returns the path.
std::string plant(const Folder& folder) {
  const std::string text = folder.rnnc("inspect " + kCell).out;
  const ir::Module module = ir::parse(text).value();
  const compiler::Target target = compiler::resolve_target("host").value();
  const compiler::TunedFor what{module.cells.at(0), target};
  const std::string path = compiler::tuned_path(folder / "cache", what);
  std::filesystem::create_directories(folder / "cache");
  std::ofstream(path, std::ios::binary) << compiler::tuned_text(what, compiler::parse_choices(kPlan).value());
  return path;
}

std::string plan_line(const std::string& text) {
  const std::size_t begin = text.find("\nplan ");
  return begin == std::string::npos ? "" : text.substr(begin + 1, text.find('\n', begin + 1) - begin - 1);
}

std::string with_debug(const Folder& folder, const std::string& arguments) {
  const std::string command = "cd '" + folder / "" + "' && RNNC_DEBUG=plan RNNC_CACHE=on RNNC_CACHE_DIR='" +
                              folder / "cache" + "' '" RNNC_PROGRAM "' " + arguments + " >out.txt 2>err.txt";
  REQUIRE(std::system(command.c_str()) == 0);
  return folder.text("err.txt");
}

}  // namespace

TEST_CASE("inspect shows the plan that was tuned, and from which file", "[tools]") {
  const Folder folder;
  const std::string inspect = "inspect " + kCell + "--emit plan";
  const std::string before = folder.rnnc(inspect).out;
  CHECK(before.find("tuned: ") == std::string::npos);
  REQUIRE(plan_line(before) != "plan " + kPlan);
  const std::string path = plant(folder);
  const std::string after = folder.rnnc(inspect).out;
  CHECK(after.starts_with("tuned: the plan that bench --tune kept in " + path + "\n"));
  CHECK(plan_line(after) == "plan " + kPlan);
  CHECK(folder.rnnc(inspect + " --plan 0:1/1/32").out.find("tuned: ") == std::string::npos);
  CHECK(folder.rnnc(inspect + " --weights-as w8").out.find("tuned: ") == std::string::npos);
  CHECK(folder.rnnc(inspect + " --isa x86-64-v2").out.find("tuned: ") == std::string::npos);
  REQUIRE(folder.rnnc("cache clear").code == 0);
  CHECK(folder.rnnc(inspect).out == before);
}

TEST_CASE("verify and bench take the plan that inspect shows", "[tools]") {
  const Folder folder;
  plant(folder);
  REQUIRE(folder.rnnc("bench --shape rnn:1:1:1:1 --rounds 3").code == 0);  // measures the limits
  for (const char* verb : {"verify --steps 2 --batch 1 ", "bench --steps 2 --batch 1 --rounds 3 "})
    CHECK(with_debug(folder, verb + kCell).find("plan " + kPlan) != std::string::npos);
}

TEST_CASE("a plan that this version does not know is none", "[tools]") {
  const Folder folder;
  const std::string inspect = "inspect " + kCell + "--emit plan", before = folder.rnnc(inspect).out;
  const std::string path = plant(folder);
  std::string text = folder.text("cache/" + path.substr(path.rfind('/') + 1));
  text.replace(text.find("1:1/1/40"), 8, "1:7/1/40");
  folder.write("cache/" + path.substr(path.rfind('/') + 1), text);
  CHECK(folder.rnnc(inspect).out == before);
}

TEST_CASE("cache lists limits and tuned plans, and clear removes them", "[tools]") {
  const Folder folder;
  const Finished empty = folder.rnnc("cache stat");
  CHECK(empty.out.find("code kept: 0 files") != std::string::npos);
  CHECK(empty.out.find("limits: ") == std::string::npos);
  CHECK(empty.out.find("tuned plan: ") == std::string::npos);
  plant(folder);
  folder.write("cache/plan-of-nothing.txt", "rnnc plan 1\n");
  REQUIRE(folder.rnnc("bench --shape rnn:1:1:1:1 --rounds 3").code == 0);
  const std::string listed = folder.rnnc("cache stat").out;
  INFO(listed);
  const std::string cpu = compiler::name_of(compiler::resolve_target("host").value());
  CHECK(listed.find("tuned plan: lstm (x : f32[32], h : f32[40], c : f32[40]) on " + cpu + ": " + kPlan + "\n") !=
        std::string::npos);
  CHECK(listed.find("plan-of-nothing") == std::string::npos);
  const std::size_t limits = listed.find("limits: ");
  REQUIRE(limits != std::string::npos);
  CHECK(listed.find(", " + cpu + ", measured 20", limits) != std::string::npos);
  CHECK(listed.find("limits-", limits) != std::string::npos);
  CHECK(folder.rnnc("cache clear").out.starts_with("removed: 3 files, "));
  CHECK(folder.rnnc("cache stat").out == empty.out);
}

}  // namespace rnnc::test
