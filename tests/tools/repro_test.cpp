// An internal error writes a file that replays it: provoked by passes that break a cell, which only this test has.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "compiler/passes/pass.hpp"
#include "ir/check.hpp"
#include "ir/print.hpp"
#include "tests/tools/example_files.hpp"

namespace rnnc::test {
namespace {

// Adds a vector of 3 to one of 5: no such node can be.
ir::Cell breaks_in_the_middle(const ir::Cell& cell) {
  ir::Cell half;
  half.name = cell.name;
  half.nodes = cell.nodes;
  ir::Value first{};
  for (std::uint32_t i = 0; i < half.nodes.size(); ++i)
    if (half.nodes[i].op == ir::Op::Input) first = {i};
  half.map(ir::Function::Add, {first, half.slice(first, 0, 3)});
  return half;
}

// Forgets what the cell puts out.
ir::Cell breaks_at_the_end(const ir::Cell& cell) {
  ir::Cell result = cell;
  std::erase_if(result.statements, [](const ir::Statement& s) { return s.kind == ir::Statement::Kind::Output; });
  return result;
}

// Finds that something does not hold of a cell that it has half rewritten.
ir::Cell asserts(const ir::Cell& cell) {
  ir::Cell half;
  half.name = cell.name;
  RNNC_ASSERT(half.nodes.size() == cell.nodes.size(), &half);
  return half;
}

struct Death {
  int signal = 0;
  std::string said;
};

// Runs the pass behind those that rnnc has, in a process of its own that writes into `folder`.
Death die_of(const Folder& folder, const ir::Cell& cell, const compiler::Pass& broken) {
  std::vector<compiler::Pass> passes(std::begin(compiler::kPasses), std::end(compiler::kPasses));
  passes.insert(passes.begin() + 4, broken);
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::setenv("RNNC_DUMP_DIR", (folder / "").c_str(), 1);
    ::dup2(::open((folder / "died.txt").c_str(), O_CREAT | O_WRONLY, 0600), STDERR_FILENO);
    (void)compiler::run_passes(cell, {}, {}, passes);
    std::_Exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return {WIFSIGNALED(status) ? WTERMSIG(status) : 0, folder.text("died.txt")};
}

}  // namespace

TEST_CASE("an internal error writes the cell that was compiled, which run and verify replay", "[tools]") {
  const ir::Cell cell = standard("lstm", kExampleInput, kExampleHidden);
  for (const compiler::Pass& broken :
       {compiler::Pass{"middle", "breaks in the middle", compiler::of_any_format<breaks_in_the_middle>},
        compiler::Pass{"end", "breaks at the end", compiler::of_any_format<breaks_at_the_end>},
        compiler::Pass{"assert", "asserts", compiler::of_any_format<asserts>}}) {
    INFO(broken.summary);
    const Folder folder;
    fill_example_files(folder);
    const Death death = die_of(folder, cell, broken);
    INFO(death.said);
    CHECK(death.signal == SIGABRT);
    CHECK(death.said.find("internal error: ") != std::string::npos);
    CHECK(death.said.find("repro.rnn; replay it with `rnnc run ") != std::string::npos);
    const std::string repro = folder.text("repro.rnn");
    CHECK(repro.starts_with("// internal error: "));
    CHECK(repro.ends_with(ir::print(cell)));
    const std::string rest = " --weights lstm.safetensors --input x.npy --output ";
    const Finished replayed = folder.rnnc("run repro.rnn" + rest + "y.npy");
    INFO(replayed.err);
    CHECK(replayed.code == 0);
    CHECK(folder.rnnc("run lstm.rnn" + rest + "y2.npy").code == 0);
    CHECK(folder.text("y.npy") == folder.text("y2.npy"));
    CHECK(folder.rnnc("verify repro.rnn").code == 0);
    // The file may be the model of the run that dies next, so it stays.
    const Death again = die_of(folder, cell, broken);
    CHECK(again.said.find("repro-2.rnn; replay it with `rnnc run ") != std::string::npos);
    CHECK(folder.text("repro-2.rnn") == repro);
    CHECK(folder.text("repro.rnn") == repro);
  }
}

TEST_CASE("what a pass made of a cell compiles again, so that errors behind it replay too", "[tools]") {
  const Folder folder;
  for (const std::string name : {"lstm", "gru_cho", "lstm_layer_norm", "qrnn"})
    for (const compiler::Pass& pass : compiler::kPasses) {
      INFO(name << " " << pass.name);
      folder.write("after.rnn", ir::print(compiler::run_passes(standard(name, 6, 9), pass.name)));
      const Finished finished = folder.rnnc("verify after.rnn --steps 5 --batch 2");
      INFO(finished.err);
      CHECK(finished.code == 0);
    }
}

}  // namespace rnnc::test
