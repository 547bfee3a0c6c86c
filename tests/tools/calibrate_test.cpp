// rnnc calibrate measures ranges on sequences, and the other verbs take them with weights of integers.
#include <cmath>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

// A state without a bound, and an intermediate value that is multiplied.
constexpr const char* kText =
    "cell m { input x : f32[3] state h : f32[6] param W : f32[6, 3] param U : f32[6, 6] param V : f32[2, 6]\n"
    "h' = relu(W @ x + U @ h) output V @ relu(h' - 0.1) }\n";

const std::string kModel = "m.rnn --weights w.safetensors ";

void fill(const Folder& folder, float scale = 1) {
  Random random(3);
  folder.write("m.rnn", kText);
  const auto matrix = [&](std::int64_t rows, std::int64_t columns) {
    return Tensor::from_f32({rows, columns}, random.vector(static_cast<std::size_t>(rows * columns), -0.5f, 0.5f));
  };
  save_safetensors(folder / "w.safetensors", {{"W", matrix(6, 3)}, {"U", matrix(6, 6)}, {"V", matrix(2, 6)}}).value();
  folder.write("x.npy", {9, 2, 3}, random.vector(9 * 2 * 3, -scale, scale));
  folder.write("other.npy", {5, 4, 3}, random.vector(5 * 4 * 3, -3 * scale, 3 * scale));
}

nlohmann::json calibrated(const Folder& folder, const std::string& arguments) {
  const Finished finished = folder.rnnc("calibrate " + arguments + " -o r.json");
  INFO(finished.out << finished.err);
  REQUIRE(finished.code == 0);
  return nlohmann::json::parse(folder.text("r.json"));
}

float largest(const std::vector<float>& values) {
  float most = 0;
  for (const float each : values) most = std::max(most, std::fabs(each));
  return most;
}

}  // namespace

TEST_CASE("calibrate writes the largest magnitudes, times a margin", "[tools][calibrate]") {
  const Folder folder;
  fill(folder);
  const nlohmann::json ranges = calibrated(folder, kModel + "--input x.npy");
  CHECK(ranges.at("margin") == 1.25);
  REQUIRE(ranges.at("bounds").size() == 3);
  CHECK((ranges.at("bounds").contains("h") && ranges.at("bounds").contains("relu(h' - 0.1)")));
  CHECK(ranges.at("bounds").at("x").get<float>() == 1.25f * largest(folder.values("x.npy")));
  const nlohmann::json wide = calibrated(folder, kModel + "--input x.npy --margin 2");
  CHECK(wide.at("bounds").at("x").get<float>() == 2 * largest(folder.values("x.npy")));
  // Several files are runs of their own, whose sizes may differ; the largest of all counts.
  const nlohmann::json both = calibrated(folder, kModel + "--input other.npy --input x.npy --margin 1");
  CHECK(both.at("bounds").at("x").get<float>() == largest(folder.values("other.npy")));
  CHECK(calibrated(folder, kModel + "--input x.npy --margin 1 --backend portable").at("bounds").at("x") ==
        largest(folder.values("x.npy")));
}

TEST_CASE("calibrate reads sequences in the other layout", "[tools][calibrate]") {
  const Folder folder;
  fill(folder);
  const std::vector<float> rows = folder.values("x.npy");  // [9, 2, 3]
  std::vector<float> swapped;
  for (std::size_t b = 0; b < 2; ++b)
    for (std::size_t t = 0; t < 9; ++t)
      swapped.insert(swapped.end(), rows.begin() + static_cast<std::ptrdiff_t>((t * 2 + b) * 3),
                     rows.begin() + static_cast<std::ptrdiff_t>((t * 2 + b + 1) * 3));
  folder.write("xb.npy", {2, 9, 3}, swapped);
  const nlohmann::json ranges = calibrated(folder, kModel + "--input x.npy");
  CHECK(calibrated(folder, kModel + "--input xb.npy --layout btf") == ranges);
  CHECK(calibrated(folder, kModel + "--input xb.npy").at("bounds").at("h") != ranges.at("bounds").at("h"));
}

TEST_CASE("all that runs a model has the same bits with ranges", "[tools][calibrate]") {
  const Folder folder;
  fill(folder);
  calibrated(folder, kModel + "--input x.npy --input other.npy");
  const std::string with = "--weights-as w8 --ranges r.json ", files = "--input x.npy --output y.npy ";
  const std::vector<float> y = y_of(folder, "run " + kModel + files + with);
  CHECK(y != y_of(folder, "run " + kModel + files + "--weights-as w8"));
  for (const std::string more : {"--backend portable", "--isa x86-64-v2", "--threads 2"})
    CHECK(y == y_of(folder, "run " + kModel + files + with + more));
  REQUIRE(folder.rnnc("compile " + kModel + "-o m.rnnc " + with).code == 0);
  CHECK(y == y_of(folder, "run m.rnnc " + files));
  REQUIRE(folder.rnnc("compile " + kModel + "-o m.o --header m.h " + with).code == 0);
  CHECK(has(folder.text("m.h"), ": others give NaN. */"));
  const Finished verified = folder.rnnc("verify " + kModel + with + "--input x.npy --json");
  CHECK(verified.code == 0);
  CHECK(has(verified.out, "\nover all steps:    same bits as the portable executor\n"));
  CHECK(last_line(verified.out).at("from_f32_weights").at("max_error") < 0.05);
  CHECK(folder.rnnc("bench " + kModel + "--steps 3 --batch 1 --weights-as f32,w8 --ranges r.json --rounds 3").code ==
        0);
  // A louder sequence gives NaN, and no number that looks right.
  folder.write("loud.npy", {1, 1, 3}, {100, 0, 0});
  for (const float each : y_of(folder, "run " + kModel + "--input loud.npy --output y.npy " + with))
    CHECK(std::isnan(each));
}

TEST_CASE("inspect and the table say where a range comes from", "[tools][calibrate]") {
  const Folder folder;
  fill(folder);
  folder.write(
      "tanh.rnn",
      "cell m { input x : f32[3] state h : f32[6] param W : f32[6, 3] param U : f32[6, 6] param V : f32[2, 6]\n"
      "h' = tanh(W @ x + U @ h) output V @ h' }\n");
  const std::string model = "tanh.rnn --weights w.safetensors ";
  const Finished finished = folder.rnnc("calibrate " + model + "--input x.npy -o r.json");
  REQUIRE(finished.code == 0);
  CHECK(has(finished.out, "-1 to 1                 constant, the range is proved\n"));
  CHECK(has(finished.out, "constant, the range was measured\n"));
  CHECK(nlohmann::json::parse(folder.text("r.json")).at("bounds").size() == 1);  // of x
  const std::string inspect = "inspect " + model + "--weights-as w8 --emit plan ";
  const std::string plan = folder.rnnc(inspect + "--ranges r.json").out;
  CHECK(has(plan, " that was measured of x\n"));
  CHECK(has(plan, "for the range -1 to 1 that is proved\n"));
  CHECK(!has(plan, "with a scale of each row"));
  CHECK(has(folder.rnnc(inspect).out, "as integers of 8 bits, with a scale of each row\n"));
  CHECK(has(folder.rnnc("inspect " + model + "--weights-as w8 --after quantize --ranges r.json").out,
            "  // x is within "));
}

TEST_CASE("a network has ranges of each scan, of lengths and of several inputs", "[tools][calibrate]") {
  const Folder folder;
  folder.write("n.rnn",
               "cell c { input x : f32[2] state h : f32[4] param W : f32[4, 2] param U : f32[4, 4] "
               "h' = relu(W @ x + U @ h) output h' }\n"
               "network n { input x : seq f32[2] input v : f32[2] param P : f32[2, 2] "
               "one = c(x) two = bidirectional c(x) output one output final = last(two) output p = P @ v }\n");
  TensorMap weights = {{"P", Tensor::from_f32({2, 2}, {1, 2, 3, 4})}};
  for (const std::string scan : {"one.", "two.fwd.", "two.bwd."}) {
    weights[scan + "W"] = Tensor::from_f32({4, 2}, std::vector<float>(8, scan == "one." ? 0.5f : 0.25f));
    weights[scan + "U"] = Tensor::from_f32({4, 4}, std::vector<float>(16, 0.0f));
  }
  save_safetensors(folder / "w.safetensors", weights).value();
  // What lies behind the end of a sequence is not looked at.
  folder.write("x.npy", {2, 2, 2}, {1, 1, 2, 2, 3, 3, 100, 100});
  folder.write("v.npy", {2, 2}, {0.5f, 1, -7, 2});
  folder.write("w.npy", {2, 2}, {0.5f, 1, -9, 2});
  Tensor lengths{ElementType::I32, {2}, std::vector<std::byte>(8)};
  lengths.bytes[0] = std::byte{2};
  lengths.bytes[4] = std::byte{1};
  save_npy(folder / "n.npy", lengths).value();
  const std::string model = "n.rnn --weights w.safetensors ", files = "--input x.npy --lengths n.npy --input v=v.npy ";
  nlohmann::json bounds = calibrated(folder, model + files + "--margin 1").at("bounds");
  CHECK(bounds == nlohmann::json{{"one.h", 1}, {"one.x", 3}, {"two.h", 1.5}, {"two.x", 3}, {"v", 7}});
  bounds = calibrated(folder, model + files + "--input v=w.npy --margin 1").at("bounds");
  CHECK(bounds.at("v") == 9);
  const std::string plan = folder.rnnc("inspect " + model + "--weights-as w8 --ranges r.json --emit plan").out;
  for (const std::string name : {"one.h", "one.x", "two.h", "two.x", "v"})
    CHECK(has(plan, " that was measured of " + name + "\n"));
  const std::string run = "run " + model + files + "--output y.npy --weights-as w8 --ranges r.json ";
  const std::vector<float> y = y_of(folder, run);
  CHECK(std::ranges::none_of(y, [](float each) { return std::isnan(each); }));
  CHECK(y == y_of(folder, run + "--backend portable"));
  std::filesystem::remove(folder / "y.npy");
  check_fails(folder, "calibrate " + model + files + "--input v=w.npy --input v=v.npy --lengths n.npy -o r.json", 2,
              "--lengths: is given 2 times, but there are 3 runs; give it once, or for each run");
}

TEST_CASE("an input that is always zero keeps the scale of each step", "[tools][calibrate]") {
  const Folder folder;
  fill(folder, 0);
  const Finished finished = folder.rnnc("calibrate " + kModel + "--input x.npy -o r.json");
  CHECK(finished.code == 0);
  CHECK(has(finished.out, "of each step: it was always 0\n"));
  CHECK(nlohmann::json::parse(folder.text("r.json")).at("bounds").empty());
  for (const float each :
       y_of(folder, "run " + kModel + "--weights-as w8 --ranges r.json --input x.npy --output y.npy"))
    CHECK(std::isfinite(each));
}

TEST_CASE("calibrate and --ranges say what is wrong", "[tools][calibrate]") {
  const Folder folder;
  fill(folder);
  calibrated(folder, kModel + "--input x.npy");
  const std::string run = "run " + kModel + "--input x.npy --output y.npy ", with = "--weights-as w8 --ranges ";
  check_fails(folder, run + "--ranges r.json", 2,
              "--ranges: is of weights of integers; add --weights-as w8, w8a16 or w16");
  check_fails(folder, run + with + "none.json", 3, "none.json: cannot open it");
  folder.write("bad.json", "{\"format\": 3}");
  check_fails(folder, run + with + "bad.json", 3, "bad.json: no file of ranges: \"format\" is not \"rnnc ranges 1\"");
  check_fails(folder, run + with + "x.npy", 3, "x.npy: no file of ranges: it is no JSON");
  // Ranges of other weights, and of another cell.
  TensorMap other = load_tensors(folder / "w.safetensors").value();
  other.at("W").bytes[0] ^= std::byte{1};
  save_safetensors(folder / "v.safetensors", other).value();
  for (const std::string verb : {"run", "verify", "compile", "inspect"}) {
    const std::string rest = verb == "run"       ? " --input x.npy --output y.npy"
                             : verb == "compile" ? " -o y.rnnc"
                             : verb == "inspect" ? " --emit plan"
                                                 : "";
    check_fails(folder, verb + " m.rnn --weights v.safetensors " + with + "r.json" + rest, 3,
                "the ranges were measured of another model or of other weights (m ");
  }
  check_fails(folder, "bench m.rnn --weights v.safetensors --steps 2 --batch 1 " + with + "r.json", 3,
              "the ranges were measured of another model or of other weights (m ");
  check_fails(folder, "inspect m.rnn --emit plan " + with + "r.json", 3, "no tensor for parameter W");
  REQUIRE(folder.rnnc("compile " + kModel + with + "r.json -o m.rnnc").code == 0);
  check_fails(folder, "run m.rnnc --input x.npy --output y.npy --ranges r.json", 2,
              "--ranges: an artifact was compiled with its own; leave it out");
  // Data that are no numbers, and none at all.
  folder.write("nan.npy", {1, 1, 3}, {0, std::numeric_limits<float>::quiet_NaN(), 1});
  folder.write("inf.npy", {1, 1, 3}, {0, std::numeric_limits<float>::infinity(), 1});
  for (const std::string bad : {"nan.npy", "inf.npy"})
    check_fails(folder, "calibrate " + kModel + "--input x.npy --input " + bad + " -o y.json", 3,
                bad + ": NaN or infinities are in relu(h' - 0.1), x; a range is of numbers");
  check_fails(folder, "calibrate " + kModel + "-o y.json", 2, "--input: x of type seq f32[3] is missing");
  check_fails(folder, "calibrate m.rnn --input x.npy -o y.json", 3, "give --weights W.safetensors");
  check_fails(folder, "calibrate " + kModel + "--input x.npy --margin 0.9 -o y.json", 2, "--margin");
  check_fails(folder, "calibrate " + kModel + "--input x.npy -o x.npy", 2,
              "-o: would overwrite x.npy, which --input reads");
  check_fails(folder, "compile " + kModel + with + "r.json -o r.json", 2, "-o");
}

}  // namespace rnnc::test
