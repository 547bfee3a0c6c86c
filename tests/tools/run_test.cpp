// rnnc run through its command line: what it computes, and what it says and leaves behind when it cannot.
#include <rnnc/rnnc.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

// Sums its input up: easy to foresee.
constexpr const char* kSum =
    "cell total<N> {\n  input x : f32[N]\n  state s : f32[N]\n  param w : f32[N]\n  s' = s + w * x\n  output s'\n}\n";

void fill(const Folder& folder) {
  folder.write("sum.rnn", kSum);
  save_safetensors(folder / "w.safetensors", {{"w", Tensor::from_f32({2}, {1, 10})}}).value();
  folder.write("x.npy", {3, 2, 2}, {1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2});
  folder.write("s.npy", {2, 2}, {100, 100, 200, 200});
}

const std::string kRun = "run sum.rnn --weights w.safetensors --input x.npy --output y.npy";

// The program says that the error is its own.
void check_says(const Folder& folder, const std::string& arguments, int code, const std::string& message) {
  CHECK(check_fails(folder, arguments, code, message).err.starts_with("rnnc: "));
}

}  // namespace

TEST_CASE("run computes outputs and final states, on either backend", "[tools]") {
  const Folder folder;
  fill(folder);
  for (const std::string backend : {"jit", "interpret"}) {
    const Finished finished = folder.rnnc(kRun + " --state s=s.npy --final-state s=final.npy --backend " + backend);
    INFO(finished.err);
    REQUIRE(finished.code == 0);
    CHECK(finished.out == "x: 3 steps of 2 sequences, 2 features a step\ny.npy: f32[3,2,2]\nfinal.npy: f32[2,2]\n");
    CHECK(load_npy(folder / "y.npy").value().shape == Shape{3, 2, 2});
    CHECK(folder.values("y.npy") == std::vector<float>{101, 110, 202, 220, 102, 120, 204, 240, 103, 130, 206, 260});
    CHECK(folder.values("final.npy") == std::vector<float>{103, 130, 206, 260});
  }
}

TEST_CASE("run stops each sequence at its length", "[tools]") {
  const Folder folder;
  fill(folder);
  Tensor lengths{ElementType::I32, {2}, std::vector<std::byte>(8)};
  lengths.bytes[0] = std::byte{1};
  lengths.bytes[4] = std::byte{3};
  save_npy(folder / "n.npy", lengths).value();
  REQUIRE(folder.rnnc(kRun + " --lengths n.npy --final-state s=final.npy").code == 0);
  CHECK(folder.values("y.npy") == std::vector<float>{1, 10, 2, 20, 0, 0, 4, 40, 0, 0, 6, 60});
  CHECK(folder.values("final.npy") == std::vector<float>{1, 10, 6, 60});
}

TEST_CASE("run with no steps or no sequences gives empty outputs and the initial states", "[tools]") {
  const Folder folder;
  fill(folder);
  folder.write("none.npy", {0, 2, 2}, {});
  const std::string run = "run sum.rnn --weights w.safetensors --output y.npy --final-state s=final.npy";
  REQUIRE(folder.rnnc(run + " --input none.npy --state s=s.npy").code == 0);
  CHECK(load_npy(folder / "y.npy").value().shape == Shape{0, 2, 2});
  CHECK(folder.values("final.npy") == std::vector<float>{100, 100, 200, 200});
  folder.write("none.npy", {3, 0, 2}, {});
  REQUIRE(folder.rnnc(run + " --input none.npy").code == 0);
  CHECK(load_npy(folder / "y.npy").value().shape == Shape{3, 0, 2});
  CHECK(load_npy(folder / "final.npy").value().shape == Shape{0, 2});
}

TEST_CASE("run lets a NaN among the weights through", "[tools]") {
  const Folder folder;
  fill(folder);
  save_safetensors(folder / "w.safetensors", {{"w", Tensor::from_f32({2}, {NAN, 1})}}).value();
  REQUIRE(folder.rnnc(kRun).code == 0);
  CHECK(std::isnan(folder.values("y.npy")[0]));
  CHECK(folder.values("y.npy")[1] == 1);
}

TEST_CASE("run reads weights of integers with the scales beside them, and never as if they were floats", "[tools]") {
  const Folder folder;
  fill(folder);
  folder.write("product.rnn", "cell product<N> {\n  input x : f32[N]\n  param W : f32[N, N]\n  output W @ x\n}\n");
  const Tensor W{ElementType::I8, {2, 2}, {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{0xff}}};
  save_safetensors(folder / "q.safetensors", {{"W", W}, {"W_scale", Tensor::from_f32({2}, {0.5f, 2})}}).value();
  save_safetensors(folder / "bare.safetensors", {{"W", W}}).value();
  const std::string run = "run product.rnn --input x.npy --output y.npy --weights ";
  check_says(
      folder, run + "bare.safetensors", 3,
      "rnnc: bare.safetensors: tensor \"W\": holds whole numbers (I8), and no \"W_scale\" says which floats they "
      "stand for; save the floats, or the scale of each row beside them");
  REQUIRE(folder.rnnc(run + "q.safetensors").code == 0);
  CHECK(folder.values("y.npy") == std::vector<float>{1.5f, 4, 3, 8, 1.5f, 4, 3, 8, 1.5f, 4, 3, 8});
}

TEST_CASE("run names what is wrong with flags and leaves no output", "[tools]") {
  const Folder folder;
  fill(folder);
  check_says(folder, "", 2, "a verb is missing");
  check_says(folder, "fly", 2, "there is no verb 'fly'; there are run, ");
  check_says(folder, "run --input x.npy --output y.npy", 2,
             "MODEL: missing; give a model file, or --cell with one of ");
  check_says(folder, "run sum.rnn --output y.npy", 2, "--input is required");
  check_says(folder, kRun + " --frobnicate", 2, "--frobnicate");
  check_says(folder, kRun + " --cell nope", 2, "--cell: sum.rnn has no cell 'nope'; it has total");
  check_says(folder, kRun + " --dim H=3", 2, "--dim: ");
  check_says(folder, kRun + " --dim N", 2, "--dim: 'N' is not of the form NAME=SIZE");
  check_says(folder, kRun + " --dim N=two", 2, "--dim N: 'two' is not a whole number from 1 to 16777216");
  check_says(folder, kRun + " --backend fast", 2, "--backend: ");
  check_says(folder, kRun + " --backend portable --isa znver2", 4, "the portable executor has no code for 'znver2'");
  check_says(folder, kRun + " --threads 0", 2, "--threads: '0' is not a whole number from 1 to 1024");
  check_says(folder, kRun + " --isa quick", 2, "--isa: unknown CPU 'quick'");
  // AMD's or Intel's: no machine has the extensions of both.
  const std::string other = compiler::resolve_target("znver4") ? "sapphirerapids" : "znver4";
  check_says(folder, kRun + " --isa " + other, 4, "--isa: this machine cannot run code for '" + other + "'");
  check_says(folder, kRun + " --state h=s.npy", 2, "--state h: there is no such state; the states are s");
  check_says(folder, kRun + " --final-state h=f.npy", 2, "--final-state h: there is no such state; the states are s");
  check_says(folder, kRun + " --final-state s=./y.npy", 2,
             "--final-state s: would overwrite y.npy under the name ./y.npy, which --output writes; name another file");
}

TEST_CASE("run names what is wrong with models and weights and leaves no output", "[tools]") {
  const Folder folder;
  fill(folder);
  const std::string rest = " --input x.npy --output y.npy";
  check_says(folder, "run none.rnn" + rest, 3, "none.rnn: cannot open it: No such file or directory; check the path");
  check_says(folder, "run m.onnx" + rest, 3, "m.onnx: cannot open it: No such file or directory; check the path");
  folder.write("bad.rnn", "cell c {\n  output 1 +\n}\n");
  check_says(folder, "run bad.rnn" + rest, 3, "bad.rnn:3:1: ");
  check_says(folder, "run sum.rnn --weights none.safetensors" + rest, 3, "none.safetensors: ");
  const std::string whole = folder.text("w.safetensors");
  folder.write("cut.safetensors", whole.substr(0, whole.size() - 3));
  check_says(folder, "run sum.rnn --weights cut.safetensors" + rest, 3, "cut.safetensors: ");
  check_says(folder, "run sum.rnn --dim N=2" + rest, 3, "no tensor for parameter w f32[2]");
  check_says(folder, "run sum.rnn" + rest, 3,
             "no tensor for parameter w f32[N] of cell total; give --weights W.safetensors");
  save_safetensors(folder / "more.safetensors",
                   {{"v", Tensor::from_f32({1}, {1})}, {"w", Tensor::from_f32({2}, {1, 2})}})
      .value();
  check_says(folder, "run sum.rnn --weights more.safetensors" + rest, 3, "tensor v is no parameter of cell total");
  save_safetensors(folder / "rank.safetensors", {{"w", Tensor::from_f32({1, 2}, {1, 2})}}).value();
  check_says(folder, "run sum.rnn --weights rank.safetensors" + rest, 3, "shape mismatch: w is f32[N]");
}

TEST_CASE("run names what is wrong with sequences and leaves no output", "[tools]") {
  const Folder folder;
  fill(folder);
  const std::string run = "run sum.rnn --weights w.safetensors --output y.npy --final-state s=final.npy --input ";
  check_says(folder, run + "none.npy", 3, "none.npy: ");
  folder.write("wide.npy", {1, 1, 3}, {1, 2, 3});
  check_says(folder, run + "wide.npy", 3, "wide.npy: shape mismatch: x must be f32[1,1,2] but is [1,1,3]");
  folder.write("flat.npy", {1, 2}, {1, 2});
  check_says(folder, run + "flat.npy", 3, "x must be f32[T,B,2] but is [1,2]; reshape one sequence [T,I] to [T,1,I]");
  save_npy(folder / "long.npy", Tensor{ElementType::I64, {1, 1, 2}, std::vector<std::byte>(16)}).value();
  check_says(folder, run + "long.npy", 3, "long.npy: x must be F32 but is I64");
  const std::string whole = folder.text("x.npy");
  folder.write("cut.npy", whole.substr(0, whole.size() - 1));
  check_says(folder, run + "cut.npy", 3, "cut.npy: ");
  check_says(folder, run + "x.npy --state s=flat.npy", 3,
             "flat.npy: shape mismatch: state s must be f32[2,2] but is [1,2]");
  check_says(folder, run + "x.npy --lengths s.npy", 3, "s.npy: lengths must be I32 but is F32");
  Tensor lengths{ElementType::I32, {2}, std::vector<std::byte>(8)};
  lengths.bytes[4] = std::byte{4};
  save_npy(folder / "n.npy", lengths).value();
  check_says(folder, run + "x.npy --lengths n.npy", 3,
             "n.npy: length 4 of sequence 1 is not between 0 and the 3 steps of x");
}

TEST_CASE("run writes all outputs or none", "[tools]") {
  const Folder folder;
  fill(folder);
  check_says(folder, kRun + " --final-state s=nowhere/final.npy", 3, "nowhere/final.npy: ");
}

TEST_CASE("run writes y to standard output, without a line of text beside it", "[tools]") {
  const Folder folder;
  fill(folder);
  REQUIRE(folder.rnnc(kRun).code == 0);
  const std::string y = folder.text("y.npy");
  const std::string to_pipe = kRun.substr(0, kRun.find(" --output")) + " --output ";
  for (const char* name : {"-", "/dev/stdout", "/proc/self/fd/1"}) {
    const Finished finished = folder.rnnc(to_pipe + name);
    INFO(name << "\n" << finished.err);
    CHECK(finished.code == 0);
    CHECK(finished.out == y);
  }
  CHECK(!folder.has("-"));
}

TEST_CASE("run reads x from standard input", "[tools]") {
  const Folder folder;
  fill(folder);
  REQUIRE(folder.rnnc(kRun).code == 0);
  const std::string y = folder.text("y.npy");
  for (const char* input : {"-", "x=-"}) {
    const std::string piped = "help >all.txt; sh -c \"cat x.npy | '" RNNC_PROGRAM
                              "' run sum.rnn --weights w.safetensors --output - --input " +
                              std::string(input) + "\"";
    CHECK(folder.rnnc(piped).out == y);
  }
}

}  // namespace rnnc::test
