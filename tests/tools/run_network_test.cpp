// rnnc run and inspect of networks through the command line.
#include <rnnc/rnnc.hpp>

#include <cmath>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

// A running total, and decoding that counts down from it: easy to foresee.
constexpr const char* kText =
    "cell total<N> { input x : f32[N] state s : f32[N] param w : f32[N] s' = s + w * x output s' }\n"
    "cell down { state n : f32 n' = n - 1 output n' }\n"
    "network sums<N> { input x : seq f32[N] input k : seq f32 input v : f32[2]\n"
    "  a = bidirectional total(x * k) output concat(last(a), v) }\n"
    "network decode { input v : f32 d = down() steps S from (n = v) output d }\n"
    "network both { input x : seq f32[2] input v : f32 d = down() steps S from (n = v) output d output top = max(x) "
    "}\n";

void fill(const Folder& folder) {
  folder.write("nets.rnn", kText);
  save_safetensors(folder / "w.safetensors",
                   {{"a.fwd.w", Tensor::from_f32({1}, {1})}, {"a.bwd.w", Tensor::from_f32({1}, {10})}})
      .value();
  folder.write("x.npy", {3, 2, 2}, {1, 1, 2, 2, 3, 1, 4, 2, 5, 1, 6, 2});  // rows of x and k
  folder.write("v.npy", {2, 2}, {100, 200, 300, 400});
  Tensor lengths{ElementType::I32, {2}, std::vector<std::byte>(8)};
  lengths.bytes[0] = std::byte{3};
  lengths.bytes[4] = std::byte{2};
  save_npy(folder / "n.npy", lengths).value();
}

const std::string kRun = "run nets.rnn --cell sums --weights w.safetensors --output y.npy --backend interpret";

}  // namespace

TEST_CASE("run computes a network from sequences side by side and a vector by name", "[tools]") {
  const std::string backend = GENERATE("interpret", "jit", "jit --threads 2", "portable", "portable --threads 2");
  const Folder folder;
  fill(folder);
  const Finished finished =
      folder.rnnc("run nets.rnn --cell sums --weights w.safetensors --output y.npy --backend " + backend +
                  " --input x.npy --input v=v.npy --lengths n.npy --final-state a.bwd.s=final.npy");
  INFO(finished.err);
  REQUIRE(finished.code == 0);
  CHECK(load_npy(folder / "y.npy").value().shape == Shape{2, 4});
  CHECK(folder.values("y.npy") == std::vector<float>{9, 50, 100, 200, 12, 80, 300, 400});
  CHECK(folder.values("final.npy") == std::vector<float>{90, 120});
}

TEST_CASE("run writes the outputs that are named, and says which there are", "[tools]") {
  const std::string backend = GENERATE("interpret", "jit", "portable");
  const Folder folder;
  folder.write("n.rnn", "network n { input x : seq f32[2] output x output twice = 2 * x output top = max(x) }\n");
  folder.write("x.npy", {3, 1, 2}, {1, 2, 3, 4, 5, 0});
  const std::string run = "run n.rnn --input x.npy --backend " + backend + " ";
  check_fails(folder, run + "--output y.npy --output tap=t.npy", 2,
              "--output: n has no output tap; its outputs are: y, twice, top; did you mean top?");
  check_fails(folder, run + "--output y.npy --output other.npy", 2, "--output: y is given twice");
  check_fails(folder, run + "--output y.npy --output top=y.npy", 2,
              "--output top: would overwrite y.npy, which --output writes; name another file");
  check_fails(folder, run + "--output top=x.npy", 2, "which --input reads");

  const Finished finished = folder.rnnc(run + "--output top=t.npy --output y.npy --output twice=2.npy");
  INFO(finished.err);
  REQUIRE(finished.code == 0);
  CHECK(folder.values("y.npy") == std::vector<float>{1, 2, 3, 4, 5, 0});
  CHECK(folder.values("2.npy") == std::vector<float>{2, 4, 6, 8, 10, 0});
  CHECK(load_npy(folder / "t.npy").value().shape == Shape{1, 2});
  CHECK(folder.values("t.npy") == std::vector<float>{5, 4});
  REQUIRE(folder.rnnc(run + "--output top=alone.npy --output y=first.npy").code == 0);
  CHECK(folder.values("first.npy") == folder.values("y.npy"));

  REQUIRE(folder.rnnc("compile n.rnn -o n.rnnc").code == 0);
  REQUIRE(folder.rnnc("run n.rnnc --input x.npy --output top=artifact.npy --output y.npy").code == 0);
  CHECK(folder.values("artifact.npy") == folder.values("t.npy"));
  CHECK(folder.rnnc("inspect n.rnnc").out.find("outputs y over T, twice over T, top\n") != std::string::npos);
}

TEST_CASE("run takes each sequence by name too, and initial states", "[tools]") {
  const Folder folder;
  fill(folder);
  folder.write("one.npy", {2, 1, 1}, {1, 2});
  folder.write("v1.npy", {1, 2}, {7, 8});
  folder.write("s.npy", {1, 1}, {1000});
  const std::string jit = GENERATE("", " --backend jit");
  REQUIRE(folder
              .rnnc("run nets.rnn --cell sums --weights w.safetensors --output y.npy --input k=one.npy "
                    "--input x=one.npy --input v=v1.npy --state a.fwd.s=s.npy" +
                    jit)
              .code == 0);
  CHECK(folder.values("y.npy") == std::vector<float>{1005, 40, 7, 8});
}

TEST_CASE("run of a decoder takes the number of its steps", "[tools]") {
  const Folder folder;
  fill(folder);
  folder.write("start.npy", {2, 1}, {10, 20});
  const std::string backend = GENERATE("interpret", "jit");
  const std::string run = "run nets.rnn --cell decode --output y.npy --input v=start.npy --backend " + backend;
  REQUIRE(folder.rnnc(run + " --steps S=3").code == 0);
  CHECK(load_npy(folder / "y.npy").value().shape == Shape{3, 2, 1});
  CHECK(folder.values("y.npy") == std::vector<float>{9, 19, 8, 18, 7, 17});
  const Folder other;
  fill(other);
  other.write("start.npy", {2, 1}, {10, 20});
  check_fails(other, run, 2, "--steps: missing; network decode runs for S steps, which no input tells; give S=20, say");
  check_fails(other, run + " --steps T=3", 2, "--steps T: decode has no time of this name; its times are: S");
}

TEST_CASE("verify takes the number of steps of each time", "[tools]") {
  const Folder folder;
  fill(folder);
  const std::string verify = "verify nets.rnn --cell both ";
  const auto times = [&](const std::string& flags) {
    const Finished finished = folder.rnnc(verify + "--json " + flags);
    INFO(finished.out << finished.err);
    REQUIRE(finished.code == 0);
    return last_line(finished.out).at("times").dump();
  };
  CHECK(times("--steps 9 --steps S=4") == R"({"S":4,"T":9})");
  CHECK(times("--steps S=4 --steps T=5") == R"({"S":4,"T":5})");
  CHECK(times("--steps S=4") == R"({"S":4,"T":100})");
  CHECK(times("--steps 7") == R"({"S":7,"T":7})");
  CHECK(folder.rnnc(verify + "--steps 9 --steps S=4").out.find(", 4 steps of S, 9 of T, 3 sequences") !=
        std::string::npos);
  CHECK(folder.rnnc("verify nets.rnn --cell decode --steps S=4").out.find(", 4 steps, 3 sequences") !=
        std::string::npos);

  // Files tell T, and the flag tells S: three steps down from 10.
  folder.write("two.npy", {4, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  folder.write("start.npy", {1, 1}, {10});
  folder.write("down.npy", {3, 1, 1}, {9, 8, 7});
  folder.write("top.npy", {1, 2}, {7, 8});
  const std::string files = "--input two.npy --input v=start.npy --expect down.npy --expect top=top.npy ";
  CHECK(times(files + "--steps S=3") == R"({"S":3,"T":4})");
  check_fails(folder, verify + files + "--steps S=2", 3, "shape mismatch");
  check_fails(folder, verify + files, 2, "--steps: missing; network both runs for S steps");
  check_fails(folder, verify + files + "--steps T=4", 2, "--steps T: an input tells how many steps there are");
  check_fails(folder, verify + files + "--steps 4", 2,
              "--steps: '4' is for random sequences, and --input tells the steps of its own; give NAME=N");
  check_fails(folder, verify + "--steps R=3", 2, "--steps R: both has no time of this name; its times are: S, T");
  check_fails(folder, verify + "--steps 3 --steps 4", 2, "--steps: '3' and '4' are both for all times");
  check_fails(folder, verify + "--steps S=0", 2, "--steps S: '0' is not a whole number from 1 to");
  check_fails(folder, verify + "--steps S=16777216 --batch 16777216", 3, "the sequences");
  check_fails(folder, "verify nets.rnn --cell total --dim N=1 --steps S=3", 2,
              "no time of this name; its times are: T");
}

TEST_CASE("run of a network names what is wrong and leaves no output", "[tools]") {
  const Folder folder;
  fill(folder);
  const std::string all = kRun + " --input x.npy --input v=v.npy";
  check_fails(folder, "run nets.rnn --weights w.safetensors --output y.npy --input x.npy", 2,
              "--cell: missing; nets.rnn has several networks: sums, decode");
  check_fails(folder, "run nets.rnn --cell no --output y.npy --input x.npy", 2,
              "--cell: nets.rnn has no cell 'no'; it has sums, decode, both, total, down");
  check_fails(folder, kRun + " --input x.npy", 2, "--input: v of type f32[2] is missing; give v=v.npy");
  check_fails(folder, kRun + " --input v=v.npy", 2, "--input: x of type seq f32[1] is missing; give x.npy");
  check_fails(folder, kRun + " --input v.npy --input v=v.npy", 3,
              "v.npy: shape mismatch: x must be f32[T,B,2] but is [2,2]");
  check_fails(folder, kRun + " --input x.npy --input v=x.npy", 3,
              "x.npy: shape mismatch: v must be f32[B,2] but is [3,2,2]");
  folder.write("three.npy", {3, 2}, {1, 1, 1, 1, 1, 1});
  check_fails(folder, kRun + " --input x.npy --input v=three.npy", 3,
              "three.npy: shape mismatch: v must be f32[2,2] but is [3,2]");
  check_fails(folder, all + " --input x=x.npy", 2, "--input: x is given twice");
  check_fails(folder, all + " --input x.npy", 2, "--input: given twice; there is one x");
  check_fails(folder, all + " --lengths n.npy --lengths n.npy", 2, "--lengths: given twice for the time T");
  check_fails(folder, all + " --state a.s=v.npy", 2,
              "--state a.s: there is no such state; the states are a.fwd.s, a.bwd.s");
  check_fails(folder, all + " --dim H=3", 2, "--dim: network sums has no dim H; it has N");
  check_fails(folder, all + " --steps T=3", 2, "--steps T: an input tells how many steps there are");
  check_fails(folder, "run nets.rnn --cell total --dim N=2 --output y.npy --input x.npy --input x.npy", 2,
              "--input: given twice; there is one x");
  save_safetensors(folder / "half.safetensors", {{"a.fwd.w", Tensor::from_f32({1}, {1})}}).value();
  check_fails(folder, all + " --weights half.safetensors", 2, "--weights");
  check_fails(folder,
              "run nets.rnn --cell sums --backend interpret --weights half.safetensors --output y.npy "
              "--input x.npy --input v=v.npy",
              3, "no tensor for parameter a.bwd.w f32[1]");
  folder.write("one.npy", {2, 1}, {10, 20});
  check_fails(folder,
              "run nets.rnn --cell decode --backend interpret --output y.npy --input v=one.npy --state d.n=one.npy", 2,
              "--state d.n: the network begins it with a value that depends on its inputs");
}

TEST_CASE("inspect prints a network, and bound where its dims are told", "[tools]") {
  const Folder folder;
  fill(folder);
  CHECK(folder.rnnc("inspect nets.rnn --cell decode").out ==
        "cell down {\n  state n : f32\n\n  n' = n - 1\n  output n'\n}\n\n"
        "network decode {\n  input v : f32\n\n  d = down() steps S from (n = v)\n  output d\n}\n");
  CHECK(folder.rnnc("inspect nets.rnn --cell sums --weights w.safetensors").out.find("x : seq f32[1]") !=
        std::string::npos);
  check_fails(folder, "inspect nets.rnn --cell sums --emit plan", 2, "N has no value");
}

TEST_CASE("a lookup in joined matrices finds the row of each", "[tools]") {
  const Folder folder;
  folder.write("pick.rnn",
               "cell pick {\n  input x : f32\n  param A : f32[1, 3]\n  param B, C : f32[2, 3]\n"
               "  output lookup(concat(A, concat(B, C)[1:3], C)[0:4, 1:3], x)\n}\n");
  folder.write("x.npy", {1, 7, 1}, {0, 1, 2, 3, 4, -1, 0.5f});
  save_safetensors(folder / "w.safetensors", {{"A", Tensor::from_f32({1, 3}, {0, 1, 2})},
                                              {"B", Tensor::from_f32({2, 3}, {3, 4, 5, 6, 7, 8})},
                                              {"C", Tensor::from_f32({2, 3}, {9, 10, 11, 12, 13, 14})}})
      .value();
  const std::string run = "run pick.rnn --weights w.safetensors --input x.npy --output y.npy --backend ";
  for (const std::string backend : {"interpret", "jit", "jit --isa x86-64-v2"}) {
    INFO(backend);
    REQUIRE(folder.rnnc(run + backend).code == 0);
    const std::vector<float> y = folder.values("y.npy");
    CHECK(std::vector<float>(y.begin(), y.begin() + 8) == std::vector<float>{1, 2, 7, 8, 10, 11, 10, 11});
    for (std::size_t i = 8; i < y.size(); ++i) CHECK(std::isnan(y[i]));
  }
}

TEST_CASE("the code of a network is kept, once for each kind of cell", "[tools]") {
  const Folder folder;
  folder.write("deep.rnn", "network deep { input x : seq f32[2] a = lstm<H=2>(x) b = lstm<H=2>(a) output b }");
  folder.write("x.npy", {3, 1, 2}, {1, 2, 3, 4, 5, 6});
  save_safetensors(
      folder / "w.safetensors",
      [] {
        TensorMap weights;
        for (const std::string scan : {"a.", "b."})
          for (const std::string gate : {"i", "f", "g", "o"}) {
            weights[scan + "W" + gate] = weights[scan + "U" + gate] = Tensor::from_f32({2, 2}, {.1f, .2f, .3f, .4f});
            weights[scan + "b" + gate] = Tensor::from_f32({2}, {0, 0});
          }
        return weights;
      }())
      .value();
  const std::string run = "run deep.rnn --weights w.safetensors --input x.npy --output y";
  const auto kept = [&] {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "cache"))
      files += entry.path().filename().string().starts_with("code-");
    return files;
  };
  const Finished first = folder.rnnc(run + "1.npy");
  INFO(first.err);
  REQUIRE(first.code == 0);
  CHECK(kept() == 1);
  REQUIRE(folder.rnnc(run + "2.npy").code == 0);
  CHECK(kept() == 1);
  CHECK(folder.values("y1.npy") == folder.values("y2.npy"));
}

TEST_CASE("run names the inputs that there are, and the way to give the one that is missing", "[tools]") {
  const Folder folder;
  folder.write("net.rnn", "network n { input left : seq f32[2] input right : seq f32[2] output left + right }");
  folder.write("x.npy", {1, 1, 2}, {1, 2});
  const std::string run = "run net.rnn --output y.npy ";
  check_fails(folder, run + "--input lift=x.npy", 2,
              "--input: n has no input lift; its inputs are: left, right; did you mean left?");
  check_fails(folder, run + "--input left=x.npy", 2,
              "--input: right of type seq f32[2] is missing; give right=right.npy");
  check_fails(folder, run, 2, "--input: left of type seq f32[2] is missing; give x.npy");
}

}  // namespace rnnc::test
