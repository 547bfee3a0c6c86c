// These tests hold what the command line says of mistakes: which, how to mend it, and the exit code that scripts rely
// on.
#include "tests/tools/example_files.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

struct Mistake {
  std::string arguments;
  int code;
  std::string message;
};

void check_all(const Folder& folder, const std::vector<Mistake>& mistakes) {
  for (const auto& [arguments, code, message] : mistakes)
    CHECK(check_fails(folder, arguments, code, message).err.starts_with("rnnc: "));
}

const std::string kBound = "--cell lstm --dim I=4 --dim H=5 ";
const std::string kRun = "run lstm.rnn --weights lstm.safetensors ";

}  // namespace

TEST_CASE("a misspelt verb, flag or value comes with what is meant", "[tools]") {
  const Folder folder;
  fill_example_files(folder);
  check_all(folder,
            {
                {"inspekt --cell lstm", 2, "there is no verb 'inspekt'; did you mean inspect?"},
                {"fly", 2, "there is no verb 'fly'; there are run, bench, verify, "},
                {"help rum", 2, "there is no verb 'rum'; did you mean run?"},
                {"bench --hiden-size 3", 2, "rnnc bench has no flag --hiden-size; did you mean --hidden-size?"},
                {"bench --hiden-size=3", 2, "rnnc bench has no flag --hiden-size; did you mean --hidden-size?"},
                {"inspect -cell lstm", 2, "rnnc inspect has no flag -cell; did you mean --cell?"},
                {kRun + "--input x.npy --outptu y.npy", 2, "no flag --outptu; did you mean --output?"},
                {"inspect --against onednn", 2, "rnnc inspect has no flag --against; it is one of rnnc bench"},
                {"--cell lstm", 2, "rnnc has no flag --cell; it is one of rnnc run, rnnc bench, "},
                {"inspect --cell lsmt", 2, "did you mean lstm?"},
                {"inspect lstm.rnn --cell lstn", 2, "lstm.rnn has no cell 'lstn'; it has lstm; did you mean lstm?"},
                {"inspect " + kBound + "--after hoits", 2, "did you mean hoist?"},
                {"inspect " + kBound + "--emit pln", 2,
                 "--emit: 'pln' is none of text, calls, plan, llvm, asm; did you mean plan?"},
                {"inspect " + kBound + "--emit plan --isa znver44", 2, "did you mean znver4?"},
                {"inspect " + kBound + "--emit plan --isa aarch64-cortx-a72", 2, "did you mean aarch64-cortex-a72?"},
                {"verify " + kBound + "--backend portabel", 2,
                 "'portabel' is none of jit, portable, auto; did you mean portable?"},
                {"bench " + kBound + "--against onednm --steps 1 --batch 1", 2, "did you mean onednn?"},
                {"cache stta", 2, "ACTION: 'stta' is none of stat, prune, clear; did you mean stat?"},
                {"completion bahs", 2, "did you mean bash?"},
            });
  folder.write("wide.rnn",
               "cell wide<Width> { input x : f32[Width] state total : f32[Width] total' = total + x output total' }");
  check_all(folder, {{"verify wide.rnn --dim Widht=4", 2, "has no dim Widht; it has Width; did you mean Width?"},
                     {"run wide.rnn --dim Width=4 --input x.npy --output y.npy --state totla=h.npy", 2,
                      "there is no such state; the states are total; did you mean total?"},
                     {"run wide.rnn --dim Width=4 --input x.npy --output y.npy --final-state totla=h2.npy", 2,
                      "did you mean total?"}});
}

TEST_CASE("flags that are missing, doubled or do not go together are told", "[tools]") {
  const Folder folder;
  fill_example_files(folder);
  check_all(
      folder,
      {
          {"", 2, "a verb is missing; the first argument says what to do: run, bench, "},
          {"run --input x.npy --output y.npy", 2, "MODEL: missing; give a model file, or --cell with one of "},
          {kRun + "--input x.npy", 2, "--output is required"},
          {kRun + "--output y.npy", 2, "--input is required"},
          {"inspect --cell", 2, "--cell: a value is missing; give --cell CELL"},
          {"inspect --cell lstm --cell gru", 2, "--cell: given 2 times; it takes one value"},
          {"inspect lstm.rnn gru.rnn", 2, "'gru.rnn' is one argument too many; rnnc inspect [MODEL] [FLAGS]"},
          {"inspect lstm.rnn --cell gru", 2, "--cell: lstm.rnn has no cell 'gru'; it has lstm"},
          {"inspect --cell lstm --json", 2, "rnnc inspect has no flag --json; it is one of rnnc bench, rnnc verify"},
          {"inspect --cell lstm --dot=3", 2, "--dot: takes no value"},
          {"inspect --cell lstm --dim H", 2, "--dim: 'H' is not of the form NAME=SIZE"},
          {"inspect --cell lstm --dim H=3 --dim H=4", 2, "--dim: H is given twice"},
          {"inspect --cell lstm --dim H=-3", 2, "--dim H: '-3' is not a whole number from 1 to 16777216"},
          {"inspect --cell lstm --dim H=99999999999999999999", 2, "is not a whole number from 1 to 16777216"},
          {"verify " + kBound + "--steps -3", 2, "--steps: '-3' is not a whole number"},
          {"verify --cell lstm --dim I=16777216 --dim H=16777216", 3, "a tensor may have at most "},
          {"inspect --cell lstm --plan 0:1/1/4", 2, "--plan: goes with --emit plan, llvm or asm"},
          {"inspect " + kBound + "--emit plan --plan 0", 2, "--plan: plan '0' is not STAGE:"},
          {"inspect " + kBound + "--emit plan --plan 9:1/1/1", 2,
           "--plan: plan 9:1/1/1 is of a stage that is not there"},
          {"compile " + kBound + "-o m.o --header m.h", 3,
           "no tensor for parameter Wi f32[5,4] of cell lstm; give --weights"},
          {"run " + kBound + "--input x.npy --output y.npy", 3, "; give --weights W.safetensors"},
          {"compile " + kBound + "-o m.txt", 2, "-o: 'm.txt' ends neither in .o (an object file) nor in .rnnc"},
          {"cache", 2, "ACTION is required"},
          {"man page", 2, "'page' is one argument too many"},
      });
}

TEST_CASE("files that are not there or cannot be written are told", "[tools]") {
  const Folder folder;
  fill_example_files(folder);
  check_all(folder,
            {
                {"inspect none.rnn", 3, "none.rnn: cannot open it: No such file or directory; check the path"},
                {"inspect .", 3, "it is a folder; name a file in it"},
                {"inspect lstm.rnn --weights lstm.rnn", 3, "lstm.rnn: this is no file of weights"},
                {kRun + "--input none.npy --output y.npy", 3, "none.npy: cannot open it: No such file"},
                {kRun + "--input x.npy --output none/y.npy", 3, "none/y.npy: "},
                {kRun + "--input x.npy --output /dev/full", 3, "/dev/full: cannot write it: No space left on device"},
                {"compile lstm.rnn --weights lstm.safetensors -o none/m.o --header m.h", 3, "none/m.o: "},
                {"import model.onnx -o none/model.rnn", 3, "none/model.safetensors: "},
            });
}

TEST_CASE("what cannot be the folder of the cache is told, and one that is not there keeps nothing", "[tools]") {
  const Folder folder;
  folder.write("file", "");
  for (const std::string action : {"stat", "prune", "clear"}) {
    const auto with = [&](const std::string& name) {
      return WEXITSTATUS(shell(
          folder, "RNNC_CACHE_DIR='" + folder / name + "' '" RNNC_PROGRAM "' cache " + action + " >out.txt 2>err.txt"));
    };
    CHECK(with("file") == 3);
    CHECK(folder.text("err.txt").find("/file: cannot be the folder of the cache: Not a directory; name a folder in "
                                      "RNNC_CACHE_DIR, or unset it\n") != std::string::npos);
    CHECK(folder.text("out.txt") == "");
    CHECK(with("none") == 0);
    CHECK(folder.text("out.txt").find("code kept: 0 files, 0 bytes\n") != std::string::npos);
  }
}

TEST_CASE("standard output that cannot be written is an error, and a reader that leaves is none", "[tools]") {
  const Folder folder;
  for (const std::string arguments : {"inspect --cell lstm", "--help", "--version", "cache stat", "man",
                                      "verify --cell lstm --dim I=3 --dim H=4 --json"}) {
    INFO(arguments);
    for (const std::string to : {">/dev/full", ">&-"}) {
      const int status = shell(folder, "'" RNNC_PROGRAM "' " + arguments + " " + to + " 2>err.txt");
      CHECK(WEXITSTATUS(status) == 3);
      CHECK(folder.text("err.txt").starts_with("rnnc: standard output: cannot write it: "));
    }
  }
  if (lacks("bash")) return;
  const int status = shell(folder, "bash -c \"'" RNNC_PROGRAM
                                   "' inspect --cell lstm --dim I=64 --dim H=64 --emit asm 2>err.txt"
                                   " | head -1 >first.txt\"");
  CHECK(status == 0);
  CHECK(folder.text("err.txt") == "");
  CHECK(folder.text("first.txt") != "");
}

TEST_CASE("environment variables that mean nothing are warned of", "[tools]") {
  const Folder folder;
  const auto warned = [&](const std::string& variables) {
    REQUIRE(shell(folder, variables + " RNNC_CACHE_DIR=$PWD/cache '" RNNC_PROGRAM
                                      "' verify --cell lstm --dim I=3 --dim H=4 >out.txt 2>err.txt") == 0);
    return folder.text("err.txt");
  };
  CHECK(warned("RNNC_DEBUG= RNNC_CACHE=on") == "");
  CHECK(warned("RNNC_DEBUG=pln,") ==
        "rnnc: warning: RNNC_DEBUG: 'pln' is none of ir, plan, llvm, asm, time; did you mean plan?\n");
  CHECK(warned("RNNC_CACHE=of") ==
        "rnnc: warning: RNNC_CACHE: 'of' is none of off, ro, on; the cache is on; did you mean off?\n");
  const std::string looked = warned("RNNC_DEBUG=plan,asm RNNC_DUMP_DIR=.");
  CHECK(looked.find("warning") == std::string::npos);
  CHECK(folder.text("lstm-plan.txt").find("+-- stage 0: ") != std::string::npos);
  CHECK(folder.text("lstm-kernel.s").find("loop of depth 2, over time") != std::string::npos);
  CHECK(WEXITSTATUS(shell(
            folder, "RNNC_ISA=znver44 '" RNNC_PROGRAM "' verify --cell lstm --dim I=3 --dim H=4 2>err.txt")) == 2);
  CHECK(folder.text("err.txt").starts_with("rnnc: RNNC_ISA: unknown CPU 'znver44'"));
}

}  // namespace rnnc::test
