// rnnc bench of several shapes, and its forms of output.
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include <rnnc/tensor_files.hpp>
#include <rnnc/version.hpp>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kShapes = "bench --shape lstm:3:2:5:7,gru:1:1:4:8 --rounds 3 ";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> split(const std::string& line, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(line);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

Finished succeeds(const Folder& folder, const std::string& arguments) {
  Finished finished = folder.rnnc(arguments);
  INFO(arguments << "\n" << finished.out << finished.err);
  REQUIRE(finished.code == 0);
  return finished;
}

std::vector<nlohmann::json> objects_of(const std::string& text) {
  std::vector<nlohmann::json> objects;
  for (const std::string& line : lines_of(text)) objects.push_back(nlohmann::json::parse(line));
  return objects;
}

std::vector<std::string> shapes_of(const std::vector<nlohmann::json>& objects) {
  std::vector<std::string> shapes;
  for (const nlohmann::json& object : objects) {
    std::string text = object.at("cell");
    for (const char* key : {"steps", "batch", "input_size", "hidden_size", "threads"})
      text += ":" + object.at(key).dump();
    shapes.push_back(text);
  }
  return shapes;
}

// Somebody who works on the CPU that this process is kept on, for as long as this lives.
class BusyNeighbour {
 public:
  BusyNeighbour() {
    REQUIRE(sched_getaffinity(0, sizeof before_, &before_) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
    const pid_t here = getpid();
    child_ = fork();
    REQUIRE(child_ >= 0);
    if (child_ > 0) return;
    while (getppid() == here) {
    }
    _exit(0);
  }
  ~BusyNeighbour() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    sched_setaffinity(0, sizeof before_, &before_);
  }

 private:
  cpu_set_t before_{};
  pid_t child_ = -1;
};

}  // namespace

TEST_CASE("bench prints a row for each shape under titles of its columns", "[tools][onednn]") {
  const Folder folder;
  const std::vector<std::string> lines = lines_of(succeeds(folder, kShapes + "--against onednn").out);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0].find(" GFLOP/s a core, code for ") != std::string::npos);
  CHECK(lines[0].find(", oneDNN ") != std::string::npos);
  for (const char* title :
       {"shape ", " min us ", " median us ", " p99 us ", " of limit ", " oneDNN us ", " oneDNN/rnnc ", " error"})
    CHECK(lines[1].find(title) != std::string::npos);
  for (std::size_t i = 1; i < 4; ++i) CHECK(lines[i].size() <= 100);
  CHECK(lines[2].starts_with("lstm:3:2:5:7:1 "));
  CHECK(lines[3].starts_with("gru:1:1:4:8:1 "));
  CHECK(lines[4].starts_with("rnnc is "));
  CHECK(lines[4].find(" times as fast as oneDNN ") != std::string::npos);
  CHECK(lines[4].ends_with(" of 2 shapes"));
  // Numbers end where their titles do.
  for (const char* title : {"min us", "p99 us", "of limit", "oneDNN us"}) {
    const std::size_t end = lines[1].find(title) + std::string(title).size();
    for (const std::string& row : {lines[2], lines[3]}) {
      REQUIRE(row.size() > end);
      CHECK(row[end - 1] != ' ');
      CHECK(row[end] == ' ');
    }
  }
}

TEST_CASE("bench without a baseline has no columns of one, and names what else was timed", "[tools]") {
  const Folder folder;
  const std::vector<std::string> alone = lines_of(succeeds(folder, kShapes).out);
  CHECK(alone.size() == 4);
  CHECK(alone.at(1).find(" throughput ") != std::string::npos);
  CHECK(alone.at(2).find(" seq/s ") != std::string::npos);
  CHECK(alone.at(3).find(" step/s ") != std::string::npos);
  const std::string title = lines_of(succeeds(folder, kShapes + "--ragged").out).at(1);
  CHECK(title.find("oneDNN") == std::string::npos);
  CHECK(title.find(" ragged us ") != std::string::npos);
  const std::vector<std::string> lines =
      lines_of(succeeds(folder, "bench --shape gru:1:1:4:8 --rounds 3 --sessions 5").out);
  CHECK(lines.at(0).find("a call is a step of each of 5 sessions") != std::string::npos);
  CHECK(lines.at(1).find(" of single steps ") != std::string::npos);
}

TEST_CASE("bench --json has an object a line, and a single shape one line", "[tools]") {
  const Folder folder;
  const auto objects = objects_of(succeeds(folder, kShapes + "--json").out);
  CHECK(shapes_of(objects) == std::vector<std::string>{"lstm:3:2:5:7:1", "gru:1:1:4:8:1"});
  for (const nlohmann::json& object : objects) {
    CHECK(object.at("time_us_min") <= object.at("time_us_median"));
    CHECK(object.at("time_us_median") <= object.at("time_us_p99"));
    CHECK(object.at("samples") >= 3);
    CHECK(object.at("noisy").is_boolean());
    CHECK(object.at("noise").at("median_over_min") >= 1);
  }
  const double seconds = objects[0].at("time_us_min").get<double>() * 1e-6;
  CHECK(objects[0].at("sequences_per_second").get<double>() == Approx(2 / seconds));
  CHECK(objects[0].at("steps_per_second").get<double>() == Approx(6 / seconds));
  CHECK(objects_of(succeeds(folder, "bench --shape rnn:2:1:3:4 --rounds 3 --json").out).size() == 1);
}

TEST_CASE("bench counts the work of all sessions", "[tools]") {
  const Folder folder;
  const std::string shape = "bench --shape lstm:1:1:16:64 --rounds 3 --json";
  const nlohmann::json one = objects_of(succeeds(folder, shape).out).at(0);
  const nlohmann::json five = objects_of(succeeds(folder, shape + " --sessions 5").out).at(0);
  // Each run measures the machine anew, so that the limits of two runs do not compare.
  const auto number = [](const nlohmann::json& run, const char* name) { return run.at(name).get<double>(); };
  const auto work = [&](const nlohmann::json& run) { return number(run, "gflops") * number(run, "time_us_min"); };
  CHECK(work(five) == Approx(5 * work(one)));
  CHECK(number(five, "limit_us") == Approx(number(five, "limit_fraction") * number(five, "time_us_min")));
  CHECK(five.at("per_step_us").get<double>() == Approx(five.at("time_us_min").get<double>() / 5));
}

TEST_CASE("bench times every combination of lists", "[tools]") {
  const Folder folder;
  const std::string lists =
      "bench --cell rnn,gru --steps 2 --batch 1,3 --input-size 4 --hidden-size 5 --hidden-size 6 --rounds 3 --json";
  CHECK(shapes_of(objects_of(succeeds(folder, lists).out)) ==
        std::vector<std::string>{"rnn:2:1:4:5:1", "rnn:2:1:4:6:1", "rnn:2:3:4:5:1", "rnn:2:3:4:6:1", "gru:2:1:4:5:1",
                                 "gru:2:1:4:6:1", "gru:2:3:4:5:1", "gru:2:3:4:6:1"});
  const std::string repeated = "bench --shape rnn:2:1:4:5 --shape rnn:2:1:4:5:2 --threads 1 --rounds 3 --json";
  CHECK(shapes_of(objects_of(succeeds(folder, repeated).out)) ==
        std::vector<std::string>{"rnn:2:1:4:5:1", "rnn:2:1:4:5:2"});
}

TEST_CASE("bench --sparse is of the formats of integers in a list", "[tools]") {
  const Folder folder;
  const Finished finished = folder.rnnc("bench --shape gru:2:1:4:20 --rounds 3 --weights-as f32,w8 --sparse --json");
  REQUIRE(finished.code == 0);
  CHECK(lines_of(finished.out).front().find("\"sparse\":false") != std::string::npos);
  CHECK(last_line(finished.out).at("sparse") == true);
  CHECK(last_line(finished.out).at("weights_as") == "w8");
  CHECK(folder.rnnc("bench --shape gru:2:1:4:20 --weights-as f32 --sparse").code == 2);
}

TEST_CASE("bench takes several lengths of a model of one's own", "[tools]") {
  const Folder folder;
  folder.write("mine.rnn",
               "cell mine<A, N> {\n  input x : f32[A]\n  state s : f32[N]\n  param W : f32[N, A]\n"
               "  s' = tanh(W @ x) + 0.5 * s\n  output s'\n}\n");
  const std::string mine = "bench mine.rnn --dim A=3 --dim N=20 --batch 1 --rounds 3 --json --steps ";
  CHECK(shapes_of(objects_of(succeeds(folder, mine + "4,8").out)) ==
        std::vector<std::string>{"mine:4:1:3:20:1", "mine:8:1:3:20:1"});
}

TEST_CASE("bench takes the steps of a time that is not that of x", "[tools]") {
  const Folder folder;
  folder.write("pair.rnn",
               "cell decay { input x : f32[4] state h : f32[4] param U : f32[4, 4] h' = tanh(x + U @ h) output h' }\n"
               "cell count { input x : f32[4] state n : f32[4] param V : f32[4, 4] n' = V @ n + x output n' }\n"
               "network pair { input x : seq f32[4] a = decay(x) v = last(a) d = count(v) steps S output a "
               "output counts = d }\n");
  const auto bench = [&](const std::string& steps) {
    return last_line(succeeds(folder, "bench pair.rnn --rounds 3 --json --batch 2 " + steps).out);
  };
  const nlohmann::json both = bench("--steps 40"), short_one = bench("--steps 40,S=2"),
                       long_one = bench("--steps S=400");
  CHECK(both.at("steps_of_times").empty());
  CHECK(short_one.at("steps_of_times") == nlohmann::json({{"S", 2}, {"T", 40}}));
  CHECK(short_one.at("steps") == 40);
  CHECK(shapes_of({short_one}) == shapes_of({both}));
  CHECK(long_one.at("steps") == 400);  // those of the longest time
  // The products of one step of both cells are alike, so the work of a call counts the steps: 80, 42, and 100 + 400.
  const auto work = [](const nlohmann::json& of) {
    return of.at("gflops").get<double>() * of.at("time_us_min").get<double>();
  };
  CHECK(work(short_one) / work(both) == Approx(42. / 80).epsilon(0.1));
  CHECK(work(long_one) / work(both) == Approx(500. / 80).epsilon(0.1));
  CHECK(has(succeeds(folder, "bench pair.rnn --rounds 3 --steps 40 --steps S=2").out, "pair:40:1:4:4:1 S=2 T=40"));
  check_fails(folder, "bench pair.rnn --steps R=2", 2, "pair has no time of this name; its times are: S, T");
  check_fails(folder, "bench pair.rnn --steps S=2 --sessions 3", 2, "--sessions: times single steps");
  check_fails(folder, "bench pair.rnn --steps S=x", 2, "--steps S");
  check_fails(folder, "bench pair.rnn --steps ten", 2, "--steps: 'ten' is not a whole number from 1 to");
  const std::vector<float> weights(16, 0.1F);
  const TensorMap tensors = {{"a.U", Tensor::from_f32({4, 4}, weights)}, {"d.V", Tensor::from_f32({4, 4}, weights)}};
  REQUIRE(save_safetensors(folder / "pair.safetensors", tensors).ok());
  succeeds(folder, "compile pair.rnn --weights pair.safetensors -o pair.rnnc");
  CHECK(last_line(succeeds(folder, "bench pair.rnnc --rounds 3 --json --steps 4 --steps S=9").out).at("steps") == 9);
}

TEST_CASE("bench --csv has the fields of JSON under their names", "[tools][onednn]") {
  const Folder folder;
  const Finished finished = succeeds(folder, kShapes + "--csv --against onednn");
  const std::vector<std::string> lines = lines_of(finished.out);
  REQUIRE(lines.size() == 3);
  const std::vector<std::string> head = split(lines[0], ',');
  for (const char* name : {"cell", "steps", "time_us_min", "time_us_median", "time_us_p99", "gflops", "limit_fraction",
                           "noisy", "noise_round_spread", "baseline_name", "baseline_time_us_min", "ratio"})
    CHECK(std::ranges::count(head, name) == 1);
  for (const std::string& row : {lines[1], lines[2]}) CHECK(split(row, ',').size() == head.size());
  const auto at = [&](const char* name) { return std::ranges::find(head, name) - head.begin(); };
  CHECK(split(lines[1], ',')[at("cell")] == "lstm");
  CHECK(split(lines[2], ',')[at("hidden_size")] == "8");
  CHECK(split(lines[2], ',')[at("baseline_name")] == "onednn");
  CHECK(std::stod(split(lines[2], ',')[at("ratio")]) > 0);
}

TEST_CASE("bench --markdown has a table that Markdown knows", "[tools]") {
  const Folder folder;
  const std::vector<std::string> lines = lines_of(succeeds(folder, kShapes + "--markdown").out);
  REQUIRE(lines.size() == 6);
  CHECK(lines[1].empty());
  CHECK(lines[2].starts_with("| shape | min µs | median µs | p99 µs | GFLOP/s | throughput | of limit | "));
  CHECK(lines[3].starts_with("|---|---:|"));
  CHECK(lines[4].starts_with("| `lstm:3:2:5:7:1` | "));
  CHECK(lines[5].starts_with("| `gru:1:1:4:8:1` | "));
  for (std::size_t i = 3; i < lines.size(); ++i)
    CHECK(std::ranges::count(lines[i], '|') == std::ranges::count(lines[2], '|'));
}

TEST_CASE("bench --tune keeps the output of other programs' forms clean", "[tools]") {
  const Folder folder;
  const Finished finished = succeeds(folder, "bench --shape lstm:4:1:32:32 --rounds 3 --tune --csv");
  CHECK(lines_of(finished.out).size() == 2);
  CHECK((finished.err.find("the best is kept in ") != std::string::npos ||
         finished.err.find("nothing is kept, since the machine was noisy: ") != std::string::npos));
}

TEST_CASE("bench --html writes a page beside the table", "[tools][onednn]") {
  const Folder folder;
  const Finished finished = succeeds(folder, kShapes + "--html report.html --against onednn");
  CHECK(lines_of(finished.out).size() == 5);
  const std::string page = folder.text("report.html");
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.ends_with("</html>\n"));
  for (const char* part :
       {"name=\"viewport\"", "<title>rnnc bench</title>", "lstm:3:2:5:7:1", "gru:1:1:4:8:1", "aria-label=\"Roofline",
        "aria-label=\"Distribution of times at gru:1:1:4:8:1\"", "prefers-color-scheme: dark", "GFLOP/s a core"})
    CHECK(page.find(part) != std::string::npos);
  CHECK(page.find(", rnnc " + std::string(kVersion) + "</p>") != std::string::npos);
  CHECK(page.find("<code>rnnc " + kShapes + "--html report.html --against onednn</code>") != std::string::npos);
  for (const char* foreign : {"http:", "https:", "<script", "@import", "url(", " src="})
    CHECK(page.find(foreign) == std::string::npos);
}

TEST_CASE("a page of a cell that reads no recurrent weights does without a roofline", "[tools]") {
  const Folder folder;
  folder.write("mean.rnn", "cell mean {\n  input x : f32[4]\n  state s : f32[4]\n  s' = 0.5 * s + x\n  output s'\n}\n");
  succeeds(folder, "bench mean.rnn --steps 4 --batch 1 --rounds 3 --html report.html");
  CHECK(folder.text("report.html").find("aria-label=\"Roofline") == std::string::npos);
  CHECK(folder.text("report.html").find("aria-label=\"Distribution") != std::string::npos);
}

TEST_CASE("bench leaves an older page alone where something goes wrong", "[tools]") {
  const Folder folder;
  folder.write("report.html", "older");
  check_fails(folder, "bench --shape lstm:3:2:5:7,lstm_peephole_x:1:1:1:1 --html report.html", 2,
              "there is no standard cell 'lstm_peephole_x'");
  CHECK(folder.text("report.html") == "older");
  check_fails(folder, kShapes + "--html nowhere/report.html", 3, "there is no folder nowhere");
  folder.write("mine.rnn", "cell mine {\n  input x : f32[4]\n  state s : f32[4]\n  s' = s + x\n  output s'\n}\n");
  check_fails(folder, "bench mine.rnn --steps 1 --batch 1 --html mine.rnn", 2, "--html: would overwrite mine.rnn");
}

TEST_CASE("bench times 100 steps of one sequence where nothing else is said", "[tools]") {
  const Folder folder;
  folder.write("mine.rnn", "cell mine {\n  input x : f32[4]\n  state s : f32[4]\n  s' = s + x\n  output s'\n}\n");
  const nlohmann::json plain = last_line(succeeds(folder, "bench mine.rnn --rounds 3 --json").out);
  CHECK(plain.at("steps") == 100);
  CHECK(plain.at("batch") == 1);
  const nlohmann::json batched = last_line(succeeds(folder, "bench mine.rnn --batch 2 --rounds 3 --json").out);
  CHECK(batched.at("steps") == 100);
  CHECK(batched.at("batch") == 2);
}

TEST_CASE("bench says which forms and flags do not go together", "[tools]") {
  const Folder folder;
  check_fails(folder, kShapes + "--json --csv", 2, "--csv: does not go with --json; leave one of them out");
  check_fails(folder, kShapes + "--csv --markdown", 2, "--markdown: does not go with --csv; leave one of them out");
  check_fails(folder, kShapes + "--cell lstm", 2, "--cell: does not go with --shape");
  check_fails(folder, kShapes + "--batch 1", 2, "--batch: does not go with --shape");
  check_fails(folder, kShapes + "--threads 1,2", 2, "--threads: takes one number beside --shape");
  for (const char* wrong : {"lstm", "lstm:1:1:1", "lstm:1:1:1:8:1:1", "lstm:0:1:1:8", "lstm:1:1:1:x", ":1:1:1:8",
                            "lstm:1:1:1:8:99999999", "lstm:1:1:1:8:"})
    check_fails(folder, std::string("bench --shape ") + wrong, 2, "is not CELL:T:B:I:H or CELL:T:B:I:H:THREADS");
}

TEST_CASE("bench says where oneDNN runs another cell, and compares no results then", "[tools][onednn]") {
  const Folder folder;
  const std::string message = "oneDNN has no gru of 8 bits; it runs gru_cho, whose results are others";
  const Finished finished = folder.rnnc("bench --shape gru:2:1:3:4 --against onednn-u8 --rounds 3");
  INFO(finished.out << finished.err);
  if (finished.code == 4) {
    CHECK(finished.err.find("oneDNN baseline: ") != std::string::npos);
    WARN("skipped: " + finished.err);
    return;
  }
  CHECK(finished.code == 0);
  CHECK((finished.out + finished.err).find(message + "; results are not compared") != std::string::npos);
  const Finished same = succeeds(folder, "bench --shape gru_cho:2:1:3:4 --against onednn-u8 --rounds 3");
  CHECK((same.out + same.err).find("not compared") == std::string::npos);
}

TEST_CASE("bench finds the mistake in a later shape before it times the first", "[tools][onednn]") {
  const Folder folder;
  const Finished unknown =
      check_fails(folder, "bench --shape lstm:3:2:5:7,lstn:1:1:4:8", 2, "there is no standard cell 'lstn'");
  CHECK(unknown.out.empty());
  CHECK(unknown.err.find("note: of the shape lstn:1:1:4:8:1") != std::string::npos);
  const Finished lacking =
      check_fails(folder, "bench --shape lstm:3:2:5:7,mgu:1:1:8:8 --against onednn", 4, "oneDNN has no cell mgu");
  CHECK(lacking.out.empty());
  check_fails(folder, "bench --cell lstm --steps 1,2 --batch 1 --input-size 4", 2, "--hidden-size: missing");
  check_fails(folder, "bench --shape lstm:1:1:4:4,lstm:2:1:4:4 --sessions 3", 2, "--sessions: times single steps");
  std::string many = "1";
  for (int i = 2; i <= 40; ++i) many += "," + std::to_string(i);
  check_fails(folder, "bench --cell lstm --input-size 4 --hidden-size 4 --steps " + many + " --batch " + many, 2,
              "these are more than 1000 shapes");
}

TEST_CASE("bench warns of a noisy machine with figures, and marks it", "[tools]") {
  const Folder folder;
  const std::string shape = "bench --shape lstm:3:2:5:7 --rounds 3 --json";
  const auto agree = [](const Finished& finished) {
    const bool marked = objects_of(finished.out).at(0).at("noisy").get<bool>();
    CHECK(marked == (finished.err.find("rnnc: warning: the machine is noisy: ") != std::string::npos));
    return marked;
  };
  agree(succeeds(folder, shape));
  const BusyNeighbour neighbour;
  const Finished disturbed = succeeds(folder, shape);
  CHECK(agree(disturbed));
  CHECK(disturbed.err.find(" times a second (limit 25)") != std::string::npos);
  CHECK(objects_of(disturbed.out).at(0).at("noise").at("preemptions_per_second") > 25);
  const nlohmann::json noise = objects_of(disturbed.out).at(0).at("noise");
  CHECK((disturbed.err.find("(limit 1.25)") != std::string::npos) == (noise.at("median_over_min") > 1.25));
  CHECK((disturbed.err.find("(limit 10 %)") != std::string::npos) == (noise.at("round_spread") > 0.1));
  CHECK(succeeds(folder, "bench --shape lstm:3:2:5:7 --rounds 3").out.find(" ~") != std::string::npos);
}

TEST_CASE("bench --tune keeps nothing of a noisy machine, and says why and what helps", "[tools]") {
  const Folder folder;
  const BusyNeighbour neighbour;
  const Finished finished = succeeds(folder, "bench --shape lstm:4:1:32:32 --rounds 3 --tune");
  INFO(finished.out);
  CHECK(finished.out.find("nothing is kept, since the machine was noisy: ") != std::string::npos);
  CHECK(finished.out.find("; tune again when nothing else runs") != std::string::npos);
  CHECK(folder.rnnc("cache stat").out.find("tuned plan:") == std::string::npos);
}

TEST_CASE("bench --tune keeps nothing where no stage has a second plan", "[tools]") {
  const Folder folder;
  const Finished finished = succeeds(folder, "bench --shape lstm:4:1:4:4 --rounds 3 --tune");
  CHECK(finished.out.find("each stage has one plausible plan: nothing is timed or kept") != std::string::npos);
  CHECK(folder.rnnc("cache stat").out.find("tuned plan:") == std::string::npos);
}

}  // namespace rnnc::test
