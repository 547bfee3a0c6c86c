// The program takes weights of integers: verify tells what they cost, run and compile use them, and what cannot have
// them says so.
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

constexpr const char* kHead =
    "cell head { input x : f32[5] param W, V : f32[4, 5] output softmax(W @ x) }\n"
    "network n { input x : seq f32[5] a = gru<H=5>(x) b = head(a) output b output raw = a }\n";

}  // namespace

TEST_CASE("verify compares executors of integers bit for bit, and tells how far results are from f32", "[tools]") {
  const Folder folder;
  const auto verify = [&](const std::string& more) {
    const Finished finished = folder.rnnc("verify --cell lstm --dim I=20 --dim H=50 --json " + more);
    INFO(finished.out << finished.err);
    REQUIRE(finished.code == 0);
    return finished.out;
  };
  double errors[3] = {};
  for (std::size_t i = 0; const std::string format : {"w16", "w8a16", "w8"}) {
    const std::string out = verify("--weights-as " + format);
    CHECK(has(out, "\nafter one step:    same bits as the portable executor\n"));
    CHECK(has(out, "\nover all steps:    same bits as the portable executor\n"));
    const nlohmann::json result = last_line(out);
    CHECK(result.at("compared_with") == "the portable executor");
    CHECK(result.at("max_error") == 0);
    CHECK(result.at("limit") == 0);
    errors[i++] = result.at("from_f32_weights").at("max_error");
  }
  CHECK((errors[0] > 1e-7 && errors[0] < 1e-4));
  CHECK((errors[1] > 1e-3 && errors[1] < 2e-2));
  CHECK((errors[2] > 1e-3 && errors[2] < 2e-2));
  const nlohmann::json portable = last_line(verify("--weights-as w8 --backend portable"));
  CHECK(portable.at("compared_with") == "generated code");
  CHECK(portable.at("from_f32_weights").at("max_error") == errors[2]);
}

TEST_CASE("verify tells each output of a network, and how often a softmax agrees on its largest element", "[tools]") {
  const Folder folder;
  folder.write("n.rnn", kHead);
  Random random(1);
  folder.write("x.npy", {7, 3, 5}, random.vector(7 * 3 * 5, -1, 1));
  for (const std::string input : {"", " --input x.npy"}) {
    const Finished finished = folder.rnnc("verify n.rnn --weights-as w16 --json" + input);
    INFO(finished.out << finished.err);
    REQUIRE(finished.code == 0);
    CHECK(has(finished.out, "\n  y:               max error "));
    CHECK(has(finished.out, ", the same largest element in 100 % of rows\n"));
    CHECK(has(finished.out, "\n  raw:             max error "));
    CHECK(has(finished.out, "given input\n") == !input.empty());
    CHECK(has(finished.out, "after one step:") == input.empty());
    const nlohmann::json outputs = last_line(finished.out).at("from_f32_weights").at("outputs");
    REQUIRE(outputs.size() == 2);
    CHECK(outputs[0].at("same_top_1") == 1);
    CHECK(!outputs[1].contains("same_top_1"));
    CHECK(outputs[1].at("max_error") >= outputs[1].at("mean_error"));
  }
}

TEST_CASE("run, compile and bench take weights of integers, and what cannot have them says so", "[tools]") {
  const Folder folder;
  folder.write("m.rnn", "cell m { input x : f32[2] param W : f32[2, 2] output W @ x }");
  save_safetensors(folder / "w.safetensors", {{"W", Tensor::from_f32({2, 2}, {127, 50.4f, 3, -254})}}).value();
  folder.write("x.npy", {1, 1, 2}, {127, 25.4f});
  const std::string model = "m.rnn --weights w.safetensors ", files = "--input x.npy --output y.npy ";
  // The vector is 127, 25; the rows are 127, 50 with a step of 1, and 2 (1.5 is a tie), -127 with a step of 2.
  const std::vector<float> expected = {127 * 127 + 50 * 25, 2 * (2 * 127 - 127 * 25)};
  for (const std::string backend : {"jit", "portable"})
    CHECK(y_of(folder, "run " + model + files + "--weights-as w8 --backend " + backend) == expected);
  REQUIRE(folder.rnnc("compile " + model + "-o m.rnnc --weights-as w8").code == 0);
  CHECK(y_of(folder, "run m.rnnc " + files) == expected);
  const Finished interpreted = folder.rnnc("run " + model + files + "--weights-as w8 --backend interpret");
  CHECK(interpreted.code == 2);
  CHECK(has(interpreted.err,
            "--backend: interpret computes no integers; --backend portable has the bits of --weights-as w8"));
  const Finished timed = folder.rnnc("bench --shape rnn:2:1:3:4,gru:2:1:3:4 --weights-as f32,w8 --rounds 3 --csv");
  CHECK(timed.code == 0);
  CHECK(std::ranges::count(timed.out, '\n') == 5);
  const std::string text = folder.rnnc("bench --shape rnn:2:1:3:4 --weights-as w8a16,w16 --rounds 3").out;
  CHECK((has(text, "rnn:2:1:3:4:1 w8a16 ") && has(text, "rnn:2:1:3:4:1 w16 ")));
  const Finished unknown = folder.rnnc("bench --shape rnn:2:1:3:4 --weights-as f32,w9");
  CHECK(unknown.code == 2);
  CHECK(has(unknown.err, "'w9' is none of f32, f16, bf16, w16, w8a16, w8"));
}

TEST_CASE("plans and portable programs show integers and their scales", "[tools]") {
  const Folder folder;
  const std::string inspect = "inspect --cell gru --dim I=3 --dim H=20 --weights-as w8 ";
  const std::string plan = folder.rnnc(inspect + "--emit plan").out;
  CHECK(has(plan, "as integers of 8 bits, with a scale of each row\n"));
  CHECK(has(plan, "as integers of 8 bits, for the range -1 to 1 that is proved\n"));
  CHECK(has(plan, " bytes, those of products as w8\n"));
  CHECK(has(folder.rnnc(inspect + "--after quantize").out, "quantize(h, 127, 8, 8)"));
  CHECK(has(folder.rnnc(inspect + "--emit plan --backend portable").out, "w8_product("));
  CHECK(has(folder.rnnc(inspect + "--emit asm --isa znver5").out, "vpdpbusd"));
  CHECK(has(folder.rnnc(inspect + "--emit asm --isa x86-64-v4").out, "vpmaddubsw"));
  CHECK(has(folder.rnnc(inspect + "--emit asm --isa x86-64-v2").out, "psignb"));
}

TEST_CASE("verify fails where integers give NaN, and says which flags do not go together", "[tools]") {
  const Folder folder;
  folder.write("m.rnn", "cell m { input x : f32[2] param W : f32[2, 2] output W @ x }");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  save_safetensors(folder / "w.safetensors", {{"W", Tensor::from_f32({2, 2}, {1, 3e38f, 0, 1})}}).value();
  folder.write("x.npy", {1, 1, 2}, {1e-30f, 1e-30f});
  folder.write("nan.npy", {1, 1, 2}, {nan, 1});
  const std::string verify = "verify m.rnn --weights w.safetensors --weights-as w8 --json --input ";
  const Finished infinite =
      folder.rnnc(verify + "x.npy");  // the sum of integers times the step of the row is beyond f32
  CHECK(infinite.code == 1);
  CHECK(has(infinite.out, "MISMATCH: the program gives NaN or an infinity where f32 weights give a number\n"));
  CHECK(last_line(infinite.out).at("ok") == false);
  CHECK(folder.rnnc(verify + "nan.npy").code == 0);  // as of f32
  const Finished both = folder.rnnc(verify + "x.npy --steps 3");
  CHECK(both.code == 2);
  CHECK((has(both.err, "--input") && has(both.err, "--steps")));
  CHECK(has(folder.rnnc("bench --machine --weights-as w8").err, "does not go with --weights-as"));
  CHECK(has(folder.rnnc("inspect --cell rnn --dim I=2 --dim H=2 --after quantize").err,
            "--after: quantize is a pass for weights of integers; add --weights-as w8, say"));
}

}  // namespace rnnc::test
