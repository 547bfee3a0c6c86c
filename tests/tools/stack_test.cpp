// These tests are of --layers and --bidirectional, and of what bench, verify and inspect show of networks.
#include <nlohmann/json.hpp>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

// A running total makes layers easy to foresee.
constexpr const char* kTotal =
    "cell total<N> { input x : f32[N] state s : f32[N] param w : f32[N] s' = s + w * x output s' }\n";

nlohmann::json bench(const Folder& folder, const std::string& flags) {
  const Finished finished = folder.rnnc("bench --rounds 3 --json " + flags);
  INFO(flags << finished.out << finished.err);
  REQUIRE(finished.code == 0);
  return last_line(finished.out);
}

}  // namespace

TEST_CASE("layers are the network that inspect shows", "[tools]") {
  const Folder folder;
  const std::string shown = folder.rnnc("inspect --cell gru --layers 2 --bidirectional").out;
  CHECK(shown.starts_with("cell gru<I, H> {\n  input x : f32[I]\n  state h : f32[H]\n"));
  CHECK(
      shown.ends_with("}\n\nnetwork stack<I, H> {\n  input x : seq f32[I]\n\n  l1 = bidirectional gru<H=H>(x)\n"
                      "  l2 = bidirectional gru<H=H>(l1)\n  output l2\n}\n"));
}

TEST_CASE("run of layers reads the layer below, from both sides of time", "[tools]") {
  const Folder folder;
  folder.write("total.rnn", kTotal);
  const auto weight = [](float value) { return Tensor::from_f32({1}, {value}); };
  save_safetensors(folder / "w.safetensors", {{"l1.w", weight(1)}, {"l2.w", weight(10)}}).value();
  folder.write("x.npy", {3, 1, 1}, {1, 2, 3});
  const Finished run = folder.rnnc("run total.rnn --layers 2 --weights w.safetensors --input x.npy --output y.npy");
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(folder.values("y.npy") == std::vector<float>{10, 40, 100});
  save_safetensors(folder / "b.safetensors", {{"l1.fwd.w", weight(1)}, {"l1.bwd.w", weight(2)}}).value();
  REQUIRE(folder.rnnc("run total.rnn --bidirectional --weights b.safetensors --input x.npy --output y.npy").code == 0);
  CHECK(folder.values("y.npy") == std::vector<float>{1, 12, 3, 10, 6, 6});
}

TEST_CASE("a stack that cannot be made is a mistake of usage", "[tools]") {
  const Folder folder;
  folder.write("two.rnn", "cell two<N> { input x, k : f32[N] state s : f32[N] s' = x + k output s' }");
  folder.write("net.rnn", "network n { input x : seq f32[3] output tanh(x) }");
  check_fails(folder, "inspect two.rnn --layers 2", 2, "--layers: takes cells with one input");
  check_fails(folder, "inspect net.rnn --bidirectional", 2, "--bidirectional: goes with a cell; n is a network");
  check_fails(folder, "inspect --cell lstm --layers 0", 2, "--layers: '0' is not a whole number from 1 to 1024");
}

TEST_CASE("bench of layers and directions is checked against oneDNN's", "[tools][onednn]") {
  const Folder folder;
  for (const char* cell : {"lstm", "gru", "gru_cho", "rnn", "lstm_peephole"}) {
    const auto result = bench(folder, std::string("--cell ") + cell + " --layers 2 --bidirectional --input-size 5 " +
                                          "--hidden-size 7 --steps 6 --batch 3 --against onednn");
    CHECK(result.at("cell") == cell);
    CHECK(result.at("layers") == 2);
    CHECK(result.at("directions") == 2);
    CHECK(result.at("baseline").at("max_difference").get<double>() < 1e-5);
    CHECK(result.at("ratio").get<double>() > 0);
  }
}

TEST_CASE("bench counts the work of all layers", "[tools]") {
  const Folder folder;
  const auto result =
      bench(folder, "--cell rnn --layers 3 --input-size 16 --hidden-size 16 --steps 4 --batch 2 --threads 2 --ragged");
  const double flops = result.at("gflops").get<double>() * result.at("time_us_min").get<double>() * 1e3;
  CHECK(flops == Approx(3 * 2 * 2.0 * 16 * 16 * 4 * 2));
  CHECK(result.at("bytes_per_step") == 3 * 4 * 16 * 16);
  CHECK(result.at("max_error").get<double>() < 5e-6);
  CHECK(result.at("ragged").at("time_us_min").get<double>() > 0);
}

TEST_CASE("bench of sessions times streams one by one and together", "[tools]") {
  const Folder folder;
  const auto result = bench(folder, "--cell lstm --input-size 3 --hidden-size 5 --steps 1 --batch 1 --sessions 4");
  CHECK(result.at("sessions").at("count") == 4);
  CHECK(result.at("sessions").at("of_single_steps").get<double>() > 0);
  check_fails(folder, "bench --cell lstm --input-size 3 --hidden-size 5 --steps 2 --batch 1 --sessions 4", 2,
              "--sessions: times single steps");
}

TEST_CASE("bench and verify take networks as text", "[tools][onednn]") {
  const Folder folder;
  folder.write("net.rnn",
               "network n { input x : seq f32[6] input v : f32[5] a = bidirectional lstm<H=9>(x)"
               " d = gru<H=5>(concat(last(a)[0:3], v[0:2])) steps S from (h = v) output d }");
  const Finished benched = folder.rnnc("bench net.rnn --steps 7 --batch 3 --rounds 3 --json");
  INFO(benched.out << benched.err);
  REQUIRE(benched.code == 0);
  CHECK(last_line(benched.out).at("max_error").get<double>() < 5e-6);
  check_fails(folder, "bench net.rnn --steps 7 --batch 3 --against onednn", 4, "it runs cells and stacks of them");
  check_fails(folder, "bench net.rnn --steps 7 --batch 3 --tune", 2, "--tune: is of one cell");
  const Finished verified = folder.rnnc("verify net.rnn --steps 40 --batch 5 --json");
  INFO(verified.out << verified.err);
  REQUIRE(verified.code == 0);
  CHECK(last_line(verified.out).at("ok") == true);
  CHECK(verified.out.find("of various lengths") != std::string::npos);
}

TEST_CASE("verify exits with 1 where a network is not what the interpreter computes", "[tools]") {
  const Folder folder;
  folder.write("chaos.rnn",
               "cell chaos { input x : f32[4] state s : f32[4] s' = 1 - 1.99 * s * s + 0.001 * x output s' }\n"
               "network n { input x : seq f32[4] a = chaos(x) output a }");
  const Finished finished = folder.rnnc("verify chaos.rnn --steps 200 --batch 1");
  CHECK(finished.code == 1);
  CHECK(finished.out.find("MISMATCH") != std::string::npos);
}

TEST_CASE("inspect shows what a network runs when, where its values lie, and its cells", "[tools]") {
  const Folder folder;
  const std::string stack = "inspect --cell lstm --layers 3 --dim I=4 --dim H=6 --emit ";
  const std::string plan = folder.rnnc(stack + "plan --isa x86-64-v3").out;
  CHECK(plan.find("wave 2\n|\n+-- call 2: lstm l3. over T\n|   <-- call 1, columns 0:6\n|   --> output\n\n"
                  "steps\n\nblock b0: T * B rows of 4, the caller's x\n") != std::string::npos);
  CHECK(plan.find("    scan l3. over T b2[0:6] -> b3[0:6]\noutput over T: b3[0:6]\n"
                  "waves 0 to 2 as a wavefront where several threads make that faster\n") != std::string::npos);
  CHECK(plan.find("// lstm of l2., l3.\ntarget x86-64-v3: 8 lanes") != std::string::npos);
  CHECK(folder.rnnc(stack + "llvm").out.find("; lstm of l1.\n") != std::string::npos);
  CHECK(folder.rnnc(stack + "asm").out.find("# lstm of l1.\n") != std::string::npos);
  check_fails(folder, stack + "plan --plan 0:1/1/0", 2, "--plan: is of one cell");
}

}  // namespace rnnc::test
