// rnnc bench, verify and inspect through the command line.
#include <nlohmann/json.hpp>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kBench = "bench --cell lstm --steps 3 --batch 2 --input-size 5 --hidden-size 7";

}  // namespace

TEST_CASE("bench prints the fields that scripts rely on", "[tools][onednn]") {
  const Folder folder;
  const Finished finished = folder.rnnc(kBench + " --against onednn --rounds 3 --json");
  INFO(finished.err);
  REQUIRE(finished.code == 0);
  const nlohmann::json result = last_line(finished.out);
  CHECK(result.at("cell") == "lstm");
  CHECK(result.at("steps") == 3);
  CHECK(result.at("batch") == 2);
  CHECK(result.at("input_size") == 5);
  CHECK(result.at("hidden_size") == 7);
  CHECK(result.at("threads") == 1);
  CHECK(result.at("isa").is_string());
  for (const char* key : {"time_us_min", "time_us_median", "per_step_us", "gflops", "bytes_per_step", "compile_ms",
                          "limit_us", "limit_fraction", "ratio"})
    CHECK(result.at(key).get<double>() > 0);
  CHECK(result.at("max_error").get<double>() < 1e-6);
  CHECK(result.at("baseline").at("name") == "onednn");
  CHECK(result.at("baseline").at("version").is_string());
  CHECK(result.at("baseline").at("time_us_min").get<double>() > 0);
  CHECK(result.at("core").at("peak_gflops").get<double>() > 0);
  CHECK(result.at("core").at("read_gbytes_per_second").size() == 13);
}

TEST_CASE("bench sets the limit of two threads by two cores", "[tools]") {
  const Folder folder;
  const std::string bench = "bench --cell lstm --steps 2 --batch 64 --input-size 64 --hidden-size 64 --rounds 3 --json";
  const double one = last_line(folder.rnnc(bench).out).at("limit_us");
  const double two = last_line(folder.rnnc(bench + " --threads 2").out).at("limit_us");
  CHECK(two == Approx(one / 2));
}

TEST_CASE("bench keeps the limits of the machine and mends a broken file of them", "[tools]") {
  const Folder folder;
  REQUIRE(folder.rnnc(kBench + " --rounds 3").code == 0);
  std::string name;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cache")) name = entry.path().filename();
  REQUIRE(name.starts_with("limits-"));
  const std::string whole = folder.text("cache/" + name);
  for (const std::string& broken :
       {whole.substr(0, whole.size() / 2), std::string("{}"), std::string("[1]"), std::string()}) {
    folder.write("cache/" + name, broken);
    CHECK(folder.rnnc(kBench + " --rounds 3").code == 0);
    CHECK(nlohmann::json::parse(folder.text("cache/" + name)).at("reads").size() == 13);
  }
}

TEST_CASE("bench --tune keeps the best plan, which compilations then use, unless the machine is noisy", "[tools]") {
  const Folder folder;
  const std::string bench = "bench --cell lstm --steps 4 --batch 1 --input-size 32 --hidden-size 32 --rounds 3";
  const Finished tuned = folder.rnnc(bench + " --tune");
  CHECK(tuned.code == 0);
  CHECK(tuned.out.find("the model's choice") != std::string::npos);
  const bool is_noisy = tuned.out.find("nothing is kept, since the machine was noisy: ") != std::string::npos;
  CHECK((tuned.out.find("the best is kept in ") != std::string::npos) != is_noisy);
  int kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cache"))
    kept += entry.path().filename().string().starts_with("plan-");
  CHECK(kept == (is_noisy ? 0 : 1));
  CHECK(folder.rnnc(bench).code == 0);
}

TEST_CASE("a plan that is none is a mistake of usage", "[tools]") {
  const Folder folder;
  const std::string dims = " --cell lstm --dim I=32 --dim H=32 --plan 1:7/1/32";
  const Finished inspected = folder.rnnc("inspect --emit plan" + dims);
  CHECK(inspected.code == 2);
  CHECK(inspected.err.find("stage 1 has no plausible plan 1:7/1/32; it has 1:") != std::string::npos);
}

TEST_CASE("bench takes a model of one's own with any names of dims", "[tools][onednn]") {
  const Folder folder;
  folder.write("mine.rnn",
               "cell mine<A, N> {\n  input x : f32[A]\n  state s : f32[N]\n  param W : f32[N, A]\n"
               "  s' = tanh(W @ x) + 0.5 * s\n  output s'\n}\n");
  const Finished finished = folder.rnnc("bench mine.rnn --dim A=3 --dim N=20 --steps 4 --batch 1 --rounds 3 --json");
  INFO(finished.err);
  REQUIRE(finished.code == 0);
  CHECK(last_line(finished.out).at("hidden_size") == 20);
  check_fails(folder, "bench mine.rnn --dim N=20 --input-size 3 --steps 4 --batch 1", 2,
              "--input-size: cell mine has no dim I");
  check_fails(folder, "bench mine.rnn --dim A=3 --dim N=20 --steps 4 --batch 1 --against onednn", 4,
              "oneDNN has no cell mine");
}

TEST_CASE("bench refuses absurd sizes", "[tools]") {
  const Folder folder;
  const std::string bench = "bench --cell lstm --input-size 5 ";
  check_fails(folder, bench + "--steps 3 --batch 2 --hidden-size 99999999999", 2,
              "--hidden-size: '99999999999' is not a whole number from 1 to 16777216");
  check_fails(folder, bench + "--steps 3 --batch 1e12 --hidden-size 7", 2, "--batch: '1e12' is not a whole number");
  check_fails(folder, bench + "--steps 0 --batch 1 --hidden-size 7", 2, "--steps: '0' is not a whole number");
  check_fails(folder, bench + "--steps 3 --batch 2", 2, "--hidden-size: missing; cell lstm needs its dim H");
  check_fails(folder, bench + "--steps 3 --batch 2 --hidden-size 16777216", 3, "rnnc: ");
  const std::string absurd = bench + "--steps 16777216 --batch 16777216 --hidden-size 7";
  check_fails(folder, absurd, 3, "the sequences would take ");
  check_fails(folder, absurd, 3, " MiB of memory are left; use smaller sizes");
  check_fails(folder, kBench + " --threads many", 2, "--threads: 'many' is not a whole number");
  check_fails(folder, kBench + " --against cudnn", 2, "--against: ");
  check_fails(folder, "bench --cell lstn --steps 3 --batch 2", 2,
              "--cell: there is no standard cell 'lstn'; there are ");
}

TEST_CASE("verify compares with the interpreter", "[tools]") {
  const Folder folder;
  const Finished finished = folder.rnnc("verify --cell gru --dim I=3 --dim H=17 --steps 9 --batch 2 --json");
  INFO(finished.err);
  REQUIRE(finished.code == 0);
  CHECK(last_line(finished.out).at("ok") == true);
  CHECK(last_line(finished.out).at("max_error").get<double>() < 5e-6);
  check_fails(folder, "verify --cell gru --dim I=3", 2, " has no value; give one");
}

TEST_CASE("verify exits with 1 where the figures are not kept", "[tools]") {
  const Folder folder;
  // A chaotic map doubles every error at each step.
  folder.write("chaos.rnn",
               "cell chaos {\n  input x : f32[4]\n  state s : f32[4]\n"
               "  s' = 1 - 1.99 * s * s + 0.001 * x\n  output s'\n}\n");
  const Finished finished = folder.rnnc("verify chaos.rnn --steps 200 --batch 1");
  INFO(finished.out << finished.err);
  CHECK(finished.code == 1);
  CHECK(finished.out.find("MISMATCH") != std::string::npos);
}

TEST_CASE("inspect shows every form of a cell", "[tools]") {
  const Folder folder;
  const std::string lstm = "inspect --cell lstm ";
  const std::string bound = lstm + "--dim I=5 --dim H=7 ";
  CHECK(folder.rnnc(lstm).out.starts_with("cell lstm<I, H> {"));
  CHECK(folder.rnnc(bound + "--after hoist").out.starts_with("cell lstm"));
  CHECK(folder.rnnc(bound + "--emit plan --isa znver4").out.starts_with("target znver4: 16 lanes"));
  CHECK(folder.rnnc(bound + "--emit llvm").out.find("define ") != std::string::npos);
  CHECK(folder.rnnc(bound + "--emit asm --isa x86-64-v2").out.find("xmm") != std::string::npos);
  check_fails(folder, bound + "--after magic", 2,
              "--after: there is no pass 'magic'; in their order they are expand, ");
  check_fails(folder, bound + "--after hoist --emit plan", 2, "--after: goes with --emit text only");
  check_fails(folder, lstm + "--emit plan", 2, " has no value; give one");
  check_fails(folder, lstm + "--emit magic", 2, "--emit: ");
  check_fails(folder, bound + "--emit plan --isa i486", 4, "older than x86-64-v2");
}

}  // namespace rnnc::test
