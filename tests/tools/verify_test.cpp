// rnnc verify: its limits follow from what rounding may do, faults are told from rounding, and a mismatch says where,
// by how much, and why that much is not allowed.
#include <cstring>
#include <nlohmann/json.hpp>
#include <regex>

#include "runtime/artifact_file.hpp"
#include "tests/support/random.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

nlohmann::json verified(const Folder& folder, const std::string& text, const std::string& flags, int code = 0) {
  folder.write("m.rnn", text);
  const Finished finished = folder.rnnc("verify m.rnn --json " + flags);
  INFO(text.substr(0, 300) << "\n" << finished.out << finished.err);
  REQUIRE(finished.code == code);
  return last_line(finished.out);
}

// Terms of both signs and of sizes that differ by up to a thousand, in any order, so that much of the sum cancels.
std::string random_sum(int terms, unsigned seed) {
  Random random(seed);
  const std::vector<std::string> values = {"x", "v", "1000 * x", "x * v", "0.7", "17.3 * v", "sum(x) * v", "tanh(x)"};
  std::string sum = values[random.below(values.size())];
  for (int i = 1; i < terms; ++i) {
    sum += random.chance(0.5) ? " + " : " - ";
    sum += values[random.below(values.size())];
  }
  return sum;
}

std::string repeated(const std::string& term, int times, const std::string& between = " + ") {
  std::string text = term;
  for (int i = 1; i < times; ++i) text += between + term;
  return text;
}

// Changes the number `from`, a constant of the one cell that the cache has code of, in that code.
void plant(const Folder& folder, float from, float to) {
  std::string path;
  for (const auto& each : std::filesystem::directory_iterator(folder / "cache"))
    if (each.path().filename().string().starts_with("code-")) path = each.path();
  REQUIRE(!path.empty());
  const std::string name = std::filesystem::path(path).filename();
  const std::string bytes = folder.text("cache/" + name);
  runtime::StoredEntry entry = runtime::read_entry(std::as_bytes(std::span(bytes)), "").value();
  auto& code = entry.code.image.bytes;
  int found = 0;
  for (std::size_t i = 0; i + sizeof from <= code.size(); ++i) {
    if (std::memcmp(&code[i], &from, sizeof from) != 0) continue;
    std::memcpy(&code[i], &to, sizeof to);
    ++found;
  }
  REQUIRE(found > 0);
  const std::vector<std::byte> changed = runtime::write_entry(entry);
  folder.write("cache/" + name, {reinterpret_cast<const char*>(changed.data()), changed.size()});
}

}  // namespace

TEST_CASE("verify lets pass what rounding does to sums of many terms", "[tools]") {
  const Folder folder;
  const std::string hundred = "cell a { input x : f32[3] output " + repeated("x", 100) + " }";
  CHECK(verified(folder, hundred, "").at("ok") == true);
  CHECK(verified(folder, hundred, "--backend portable --seed 7").at("ok") == true);
  for (const int terms : {2, 3, 7, 20, 100, 400, 1000, 2000})
    for (const unsigned seed : {1u, 2u, 3u}) {
      const std::string text = "cell a { input x, v : f32[17] output " + random_sum(terms, seed) + " }";
      const std::string backend = seed == 2 ? "--backend portable" : "";
      CHECK(verified(folder, text, "--steps 40 --seed " + std::to_string(seed) + " " + backend).at("ok") == true);
    }
}

TEST_CASE("verify lets pass what rounding does to sums in concatenations, reductions and recurrences", "[tools]") {
  const Folder folder;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"cell a { input x : f32[9] output concat(" + repeated("x", 300) + ", " + repeated("100 * x", 9, " - ") + ") }",
       ""},
      {"cell a { input x : f32[9] output sum(1000 * concat(" + repeated("x", 200, ", ") + ")) - 199 * sum(1000 * x) }",
       "--steps 50"},
      {"cell a { input x : f32[900] output concat(mean(1e4 * x) * x[0:2], softmax(60 * x)[0:5], "
       "layer_norm(x + 1e3, x, x, 1e-6)[0:9]) }",
       "--steps 20"},
      {"cell a { input x : f32[5] state s : f32[5] s' = s + x output s' }", "--steps 20000"},
      {"cell a { input x : f32[5] state s : f32[5] s' = s + 0.1 output concat(s', x) }", "--steps 20000"},
      {"cell a { input x : f32[5] state s, r : f32[5] s' = s + 0.1 + x r' = r + 0.3 + x output s' + s' + s' - r' }",
       "--steps 5000"},
      {"cell a { input x : f32[5] state s : f32[5] s' = 1.01 * s + x output s' }", "--steps 700"},
      {"network n { input x : seq f32[4] a = bidirectional gru<H=5>(x) merge sum output concat(sum(a), mean(100 * x), "
       "sum(x)) }",
       "--steps 3000"},
      {"cell a { input x : f32[6] param W : f32[8, 6] output 300 * (W @ (100 * x)) - 300 * (W @ (99 * x)) }", ""},
  };
  for (const auto& [text, flags] : cases) CHECK(verified(folder, text, flags).at("ok") == true);
}

TEST_CASE("bench compares by the limits of verify", "[tools]") {
  const Folder folder;
  const std::string term = "1000 * x";
  folder.write("m.rnn",
               "cell a { input x : f32[5] output " + repeated(term, 400) + " - " + repeated(term, 400, " - ") + " }");
  const Finished finished = folder.rnnc("bench m.rnn --steps 40 --batch 1 --rounds 3 --json");
  INFO(finished.out << finished.err);
  CHECK(finished.code == 0);
  CHECK(last_line(finished.out).at("max_error").get<double>() > 1e-5);
}

TEST_CASE("where rounding does more than is promised, verify says so", "[tools]") {
  const Folder folder;
  folder.write("sum.rnn", "cell a { input x : f32[3] output " + repeated("x", 100) + " }");
  const Finished finished = folder.rnnc("verify sum.rnn");
  INFO(finished.out);
  CHECK(finished.code == 0);
  const std::regex line(
      "after one step:    max error [0-9.e-]+ at y\\[t=0, b=[0-2], [0-2]\\]  \\(limit [0-9.]+e-0[56]\\)\n"
      "  the limit is above the 1e-06 of max\\(1, \\|value\\|\\) that is promised, since rounding every operation to "
      "f32 "
      "may move this value by [0-9.]+e-0[56] of max\\(1, \\|value\\|\\)\n");
  CHECK(std::regex_search(finished.out, line));
}

TEST_CASE("a fault in the code is a mismatch that tells place, values, difference, limit and reason", "[tools]") {
  const Folder folder;
  const std::string text =
      "cell a { input x : f32[3] state h : f32[3] h' = 0.73105 * tanh(h + x) output h' * 0.28117 + x }";
  CHECK(verified(folder, text, "--steps 9").at("ok") == true);
  plant(folder, 0.73105f, 0.73113f);
  folder.write("m.rnn", text);
  const Finished finished = folder.rnnc("verify m.rnn --steps 9 --json");
  INFO(finished.out);
  REQUIRE(finished.code == 1);
  const std::regex words(
      "after one step:    max error ([0-9.e-]+) at final h\\[b=([0-2]), ([0-2])\\]  \\(limit 1[.0-9]*e-06\\)  "
      "MISMATCH\n"
      "  final h, sequence \\2, element \\3: the program gives -?0\\.[0-9]+, the interpreter -?0\\.[0-9]+; they differ "
      "by \\1, and 1[.0-9]*e-06 is allowed\n"
      "  the limit is [^\n]*\n"
      "over all steps:    max error ([0-9.e-]+) at final h\\[b=([0-2]), ([0-2])\\]  \\(limit 5e-06\\)  MISMATCH\n"
      "  final h, sequence \\5, element \\6: the program gives -?0\\.[0-9]+, the interpreter -?0\\.[0-9]+; they differ "
      "by \\4, and 5e-06 is allowed\n"
      "  the limit is the 5e-06 of max\\(1, \\|value\\|\\) that is promised; rounding every operation to f32 explains "
      "at "
      "most [0-9.]+e-06 here\n");
  CHECK(std::regex_search(finished.out, words));
  const nlohmann::json result = last_line(finished.out);
  CHECK(result.at("ok") == false);
  const nlohmann::json& mismatch = result.at("mismatch");
  CHECK(mismatch.at("what") == "final h");
  CHECK(mismatch.at("step") == -1);
  CHECK(mismatch.at("limit") == 5e-6);
  CHECK(std::abs(mismatch.at("program").get<double>() - mismatch.at("interpreter").get<double>()) ==
        Approx(mismatch.at("error").get<double>()));
}

TEST_CASE("small faults in sums and recurrences of large values are found", "[tools]") {
  struct Fault {
    std::string text, flags;
    float from, to;
  };
  const std::string sum = repeated("x", 100);
  for (const Fault& fault : std::initializer_list<Fault>{
           {"cell a { input x : f32[3] output " + sum + " + 0.73105 * x }", "", 0.73105f, 0.74205f},
           {"cell a { input x : f32[3] output 0.73105 * (" + sum + ") }", "", 0.73105f, 0.7312f},
           {"cell a { input x : f32[3] state s : f32[3] s' = s + 0.73105 * x output s' }", "--steps 5000", 0.73105f,
            0.7314f},
           {"cell a { input x : f32[3] state s : f32[3] s' = s + 0.73105 output concat(s', x) }", "--steps 3000",
            0.73105f, 0.7311f},
           {"cell a { input x : f32[3] output " + repeated("1000 * x", 50) + " - " + repeated("1000 * x", 49, " - ") +
                " + 0.73105 }",
            "", 0.73105f, 0.75f},
       }) {
    const Folder folder;
    CHECK(verified(folder, fault.text, fault.flags).at("ok") == true);
    plant(folder, fault.from, fault.to);
    CHECK(verified(folder, fault.text, fault.flags, 1).at("ok") == false);
  }
}

TEST_CASE("where rounding explains any difference, verify does not say that all is well", "[tools]") {
  const Folder folder;
  folder.write("chaos.rnn",
               "cell chaos { input x : f32[4] state s : f32[4] s' = 1 - 1.99 * s * s + 0.001 * x output s' }");
  const Finished finished = folder.rnnc("verify chaos.rnn --steps 200 --batch 1");
  INFO(finished.out);
  CHECK(finished.code == 1);
  const std::regex words(
      "after one step:    [^\n]*\\(limit 1e-06\\)\n"
      "over all steps:    max error ([0-9.]+) at y\\[t=([0-9]+), b=0, ([0-3])\\]  \\(limit 0.1\\)  MISMATCH\n"
      "  y of step \\2, sequence 0, element \\3: the program gives -?[0-9.]+, the interpreter -?[0-9.]+; they differ "
      "by "
      "[0-9.]+, and [0-9.]+ is allowed\n"
      "  rounding every operation to f32 may move this value by [0-9.]+ of max\\(1, \\|value\\|\\), so that f32 tells "
      "hardly a digit of it; no limit is above 0.1\n");
  CHECK(std::regex_search(finished.out, words));

  folder.write("range.rnn", "cell a { input x : f32[3] output 3e38 * x + 3e38 * x - 3e38 * x }");
  const Finished left = folder.rnnc("verify range.rnn --batch 9");
  CHECK(left.code == 1);
  CHECK(left.out.find("\n  values that this one depends on may leave the range of f32, which ends at 3.4e38; no limit "
                      "is above 0.1\n") != std::string::npos);
}

TEST_CASE("verify runs the example in a model's file, and says where it differs", "[tools]") {
  const Folder folder;
  // With weights of 0, h of the GRU stays 0, and y is the bias of the dense layer.
  const std::string model =
      R"({"in_shape":[null,null,1],"layers":[{"type":"gru","shape":[null,null,1],"weights":[[[0,0,0]],[[0,0,0]],)"
      R"([[0,0,0],[0,0,0]]]},{"type":"dense","shape":[null,null,1],"weights":[[[1]],[0.5]]}],"input_batch":[1,2,3],)";
  folder.write("right.json", model + R"("output_batch":[0.5,0.5,0.5]})");
  folder.write("wrong.json", model + R"("output_batch":[0.5,0.75,0.5]})");
  const Finished right = folder.rnnc("verify right.json --json"), wrong = folder.rnnc("verify wrong.json --json");
  CHECK(right.code == 0);
  CHECK(right.out.find("\nthe file's example: max error 0  (limit 1e-05)\n") != std::string::npos);
  CHECK(last_line(right.out).at("max_error_of_example") == 0);
  CHECK(wrong.code == 1);
  CHECK(wrong.out.find(
            "\n  y of step 1, sequence 0, element 0: the program gives 0.5, the file says 0.75; they differ by "
            "0.25, and 1e-05 is allowed\n") != std::string::npos);
  CHECK(last_line(wrong.out).at("ok") == false);
}

TEST_CASE("verify compares with the user's results at any layout and lengths, also behind the ends", "[tools]") {
  const Folder folder;
  const std::string model = RNNC_SOURCE_DIR "/tests/conformance/onnx/fronts/lengths_then_dense.onnx ";
  std::vector<float> x(4 * 2 * 3);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7 % 11) / 5 - 1;
  folder.write("x.npy", {4, 2, 3}, x);
  Tensor lengths{ElementType::I32, {2}, std::vector<std::byte>(8)};
  lengths.bytes[0] = std::byte{4};
  lengths.bytes[4] = std::byte{1};
  save_npy(folder / "n.npy", lengths).value();
  for (const std::string data : {" --input x.npy --lengths n.npy", " --input x.npy --const n=4,1"}) {
    const std::string run = data.find("--const") == std::string::npos ? data : " --input x.npy --lengths n.npy";
    std::vector<float> y = y_of(folder, "run " + model + run + " --output y.npy");
    CHECK(y[2 * 2 * 2 + 2] != 0);  // the graph's dense layer makes something of the zeros behind the end
    const Finished same = folder.rnnc("verify " + model + data + " --expect y.npy --json");
    INFO(same.out << same.err);
    CHECK(same.code == 0);
    CHECK(last_line(same.out).at("steps") == 4);
    CHECK(last_line(same.out).at("batch") == 2);
    CHECK(!last_line(same.out).contains("seed"));
    const Finished rounded = folder.rnnc("verify " + model + data + " --expect y.npy --weights-as w8");
    CHECK(rounded.code == 0);
    CHECK(rounded.out.find("(no limit for weights that are rounded)") != std::string::npos);
    y[5] = INFINITY;
    folder.write("inf.npy", {4, 2, 2}, y);
    const Finished other = folder.rnnc("verify " + model + data + " --expect inf.npy");
    CHECK(other.code == 1);
    CHECK(other.out.find("the file says inf\n") != std::string::npos);
  }
}

TEST_CASE("verify compares other outputs and final states from given states with what the files say", "[tools]") {
  const Folder folder;
  // Sums can be told by hand: s' = s + x from s = 10, and twice it.
  folder.write("m.rnn",
               "cell total { input x : f32[1] state s : f32[1] s' = s + x output s' }\n"
               "network n { input x : seq f32[1] a = total(x) output a output double = 2 * a output end = last(a) }\n");
  folder.write("x.npy", {3, 2, 1}, {1, 10, 2, 20, 3, 30});
  folder.write("s.npy", {2, 1}, {10, 100});
  folder.write("y.npy", {3, 2, 1}, {11, 110, 13, 130, 16, 160});
  folder.write("d.npy", {3, 2, 1}, {22, 220, 26, 260, 32, 320});
  folder.write("f.npy", {2, 1}, {16, 160});
  folder.write("wrong.npy", {2, 1}, {16, 161});
  const std::string verify = "verify m.rnn --input x.npy --state a.s=s.npy --json ";
  const auto error_of = [&](const std::string& flags, int code) {
    const Finished finished = folder.rnnc(verify + flags);
    INFO(flags << "\n" << finished.out << finished.err);
    REQUIRE(finished.code == code);
    return last_line(finished.out);
  };
  const std::string right = "--expect y.npy --expect double=d.npy --expect end=f.npy --expect-state a.s=f.npy ";
  CHECK(error_of(right, 0).at("max_error_of_expected") == 0);
  CHECK(error_of("--backend portable " + right, 0).at("max_error_of_expected") == 0);
  CHECK(error_of("--expect-state a.s=wrong.npy", 1).at("where_of_expected") == "final a.s[b=1, 0]");
  CHECK(error_of("--expect end=wrong.npy", 1).at("where_of_expected") == "end[b=1, 0]");
  CHECK(error_of("--expect double=y.npy", 1).at("max_error_of_expected") == 1);
  // Without the states the results are others.
  CHECK(folder.rnnc("verify m.rnn --input x.npy " + right).code == 1);
  REQUIRE(folder.rnnc("compile m.rnn -o m.rnnc").code == 0);
  CHECK(folder.rnnc("verify m.rnnc --input x.npy --state a.s=s.npy " + right).code == 0);
  CHECK(folder.rnnc("verify m.rnnc --input x.npy --state a.s=s.npy --expect-state a.s=wrong.npy").code == 1);
  const auto check_says = [&](const std::string& flags, int code, const std::string& message) {
    const Finished finished = folder.rnnc(verify + flags);
    INFO(flags << "\n" << finished.err);
    CHECK(finished.code == code);
    CHECK(finished.err.find(message) != std::string::npos);
  };
  check_says("--expect-state b.s=f.npy", 2, "--expect-state b.s: there is no such state; the states are a.s");
  check_says("--expect dubble=d.npy", 2, "--expect: n has no output dubble; its outputs are: ");
  check_says("--expect end=y.npy", 3, "y.npy: shape mismatch: end must be f32[2,1] but is [3,2,1]");
  check_says("--expect-state a.s=y.npy", 3, "y.npy: shape mismatch: final a.s must be f32[2,1] but is [3,2,1]");
}

TEST_CASE("verify takes the states of an ONNX graph, and what it ends in, by the graph's names", "[tools]") {
  const TensorMap data = load_safetensors(RNNC_SOURCE_DIR "/tests/conformance/onnx/data.safetensors").value();
  for (const std::string name : {"lstm_bidirectional", "gru_reverse"}) {
    INFO(name);
    const Folder folder;
    for (const auto& [file, tensor] : {std::pair("x.npy", "x"), {"h.npy", "h"}})
      folder.write(file, data.at(name + "." + tensor).shape, data.at(name + "." + tensor).to_f32());
    const std::string verify =
        "verify '" RNNC_SOURCE_DIR "/tests/conformance/onnx/" + name + ".onnx' --input x.npy --expect-state Y_h=";
    CHECK(folder.rnnc(verify + "h.npy").code == 0);
    std::vector<float> other = folder.values("h.npy");
    other.back() += 0.5f;
    folder.write("other.npy", data.at(name + ".h").shape, other);
    const Finished finished = folder.rnnc(verify + "other.npy");
    CHECK(finished.code == 1);
    CHECK(finished.out.find("they differ by 0.5") != std::string::npos);
  }
}

TEST_CASE("flags of verify that belong to files are refused without them", "[tools]") {
  const Folder folder;
  const std::string verify = "verify --cell rnn --dim I=2 --dim H=2 ";
  check_fails(folder, verify + "--state h=h.npy", 2, "--state: is what --input begins with; name the input too");
  check_fails(folder, verify + "--expect-state h=h.npy", 2, "--expect-state: is what --input ends in; name the input");
  check_fails(folder, verify + "--layout btf", 2, "--layout: is that of --input; name the input too");
  check_fails(folder, verify + "--lengths n.npy", 2, "--lengths: are of --input; name the input too");
  check_fails(folder, verify + "--expect y.npy", 2, "--expect: is what --input gives; name the input too");
}

TEST_CASE("verify tells how far half weights are from f32, and is as strict about their bits", "[tools]") {
  const Folder folder;
  const auto drift = [&](const std::string& more) {
    const Finished finished = folder.rnnc("verify --cell lstm --dim I=20 --dim H=50 --json " + more);
    INFO(finished.out << finished.err);
    CHECK(finished.code == 0);
    const nlohmann::json result = last_line(finished.out);
    CHECK(result.at("max_error") < 1e-6);
    const bool told = finished.out.find("\nfrom f32 weights:  max error ") != std::string::npos;
    CHECK(told == result.contains("from_f32_weights"));
    return told ? result.at("from_f32_weights").at("max_error").get<double>() : 0.0;
  };
  CHECK(drift("") == 0);
  const double f16 = drift("--weights-as f16"), bf16 = drift("--weights-as bf16 --backend portable");
  CHECK((f16 > 1e-5 && f16 < 1e-3));
  CHECK((bf16 > 2 * f16 && bf16 < 1e-2));
}

TEST_CASE("run and compile take half weights, and what cannot have them says so", "[tools]") {
  const Folder folder;
  folder.write("m.rnn", "cell m { input x : f32[2] param W : f32[2, 2] output W @ x }");
  // 1 + 2^-10 is a number of f16 and not of bf16; 1 + 2^-11 lies between two of f16.
  save_safetensors(folder / "w.safetensors", {{"W", Tensor::from_f32({2, 2}, {1 + 0x1p-10f, 0, 0, 1 + 0x1p-11f})}})
      .value();
  folder.write("x.npy", {1, 1, 2}, {1, 1});
  const std::string model = "m.rnn --weights w.safetensors ", files = "--input x.npy --output y.npy ";
  const auto check_says = [&](const std::string& arguments, int code, const std::string& message) {
    const Finished finished = folder.rnnc(arguments);
    INFO(finished.err);
    CHECK(finished.code == code);
    CHECK(finished.err.find(message) != std::string::npos);
  };
  const std::vector<float> f32 = {1 + 0x1p-10f, 1 + 0x1p-11f}, f16 = {1 + 0x1p-10f, 1}, bf16 = {1, 1};
  for (const std::string backend : {"jit", "portable", "interpret"}) {
    const std::string run = "run " + model + files + "--backend " + backend;
    CHECK(y_of(folder, run) == f32);
    CHECK(y_of(folder, run + " --weights-as f16") == f16);
    CHECK(y_of(folder, run + " --weights-as bf16") == bf16);
  }
  const std::string plan = folder.rnnc("inspect --cell rnn --dim I=2 --dim H=20 --emit plan --weights-as f16").out;
  CHECK(plan.find(" bytes, those of products as f16\n") != std::string::npos);
  REQUIRE(folder.rnnc("compile " + model + "-o m.rnnc --weights-as f16").code == 0);
  CHECK(y_of(folder, "run m.rnnc " + files) == f16);
  check_says("run m.rnnc --weights-as f16 " + files, 2, "--weights-as: an artifact was compiled with its own");
  check_says("run " + model + files + "--weights-as f8", 2, "--weights-as: ");
  check_says("bench --cell m --weights-as bf16 --tune m.rnn --steps 1 --batch 1", 2,
             "--tune: keeps plans for f32 weights; leave out --weights-as");
  save_safetensors(folder / "w.safetensors", {{"W", Tensor::from_f32({2, 2}, {1, 1e5f, 0, 1})}}).value();
  check_says("run " + model + files + "--weights-as f16", 3,
             "tensor W has the weight 100000 at [0,1], which is beyond f16; use bf16 or f32");
}

}  // namespace rnnc::test
