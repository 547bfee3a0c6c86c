// rnnc explain: its text, its page, and what it refuses. tests/tools/explain_page_test.py looks at pages in a browser.
#include <algorithm>
#include <iterator>
#include <sstream>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kLstm = "explain --cell lstm --dim I=64 --dim H=128 ";
const std::string kSources = RNNC_SOURCE_DIR;

std::string text_of(const Folder& folder, const std::string& arguments) {
  const Finished finished = folder.rnnc(arguments);
  INFO(arguments << "\n" << finished.out << finished.err);
  REQUIRE(finished.code == 0);
  CHECK(finished.err.empty());
  return finished.out;
}

void check_has(const std::string& text, const std::vector<std::string>& parts) {
  INFO(text);
  for (const std::string& part : parts) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

// The plan that inspect shows is of one cell.
std::string plan_of(const Folder& folder, const std::string& model) {
  const std::string text = folder.rnnc("inspect --emit plan " + model).out;
  const std::size_t begin = text.find("\nplan ") + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

TEST_CASE("explain tells what a cell takes, keeps and weighs, its plan and its times", "[tools]") {
  const Folder folder;
  const std::string text = text_of(folder, kLstm);
  check_has(
      text,
      {"cell lstm, code for ", "inputs      x : seq f32[64]\n", "outputs     y : seq f32[128]\n",
       "states      h : 128 floats, c : 128 floats\n", "parameters  98816 numbers in 12 tensors, 395264 bytes as f32\n",
       "products    read 384 KiB of weights as f32\n", "streams     yes: it runs step by step",
       "lstm: 64 -> 128, 98816 weights; keeps h 128, c 128; reads 0", "4 matrices [128, 128] times h",
       "gives next h, next c, y", "256 KiB of weights in ", "\n  predicted ", "\n  measured ", "\n  limit "});
  check_has(text, {plan_of(folder, "--cell lstm --dim I=64 --dim H=128") + ", chosen by the cost model"});
}

TEST_CASE("explain fits 100 columns whatever the model", "[tools]") {
  const Folder folder;
  for (const std::string model : {"--cell lstm --dim I=64 --dim H=128 --layers 3 --bidirectional",
                                  "--cell lstm_layer_norm --dim I=8 --dim H=16 --batch 8",
                                  "SOURCES/examples/convolutions/convolutions.rnn --cell same --dim P=40 --dim C=8 "
                                  "--dim N=16 --dim K=2",
                                  "SOURCES/tests/conformance/onnx/fronts/attention_over_time.onnx"}) {
    std::string arguments = "explain " + model;
    if (const std::size_t at = arguments.find("SOURCES"); at != std::string::npos) arguments.replace(at, 7, kSources);
    std::istringstream lines(text_of(folder, arguments));
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      CHECK(line.size() <= 100);
      CHECK(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
    }
  }
}

TEST_CASE("explain shows the longest stages of a program that has many", "[tools]") {
  const Folder folder;
  std::string text = "cell c {\n  input x : f32[16]\n  param W : f32[16, 16]\n  v0 = tanh(W @ x)\n";
  for (int i = 1; i <= 70; ++i) text += "  v" + std::to_string(i) + " = tanh(W @ v" + std::to_string(i - 1) + ")\n";
  folder.write("c.rnn", text + "  output v70\n}\n");
  const std::string shown = text_of(folder, "explain c.rnn");
  std::size_t stages = 0;
  for (std::size_t at = shown.find("\n  stage "); at != std::string::npos; at = shown.find("\n  stage ", at + 1))
    ++stages;
  INFO(shown);
  CHECK(stages == 30);
  CHECK(shown.find("72 stages, of which the 30 that take the longest follow") != std::string::npos);
}

TEST_CASE("explain tells of a network which part runs what, and why it does not stream", "[tools]") {
  const Folder folder;
  const std::string deep = text_of(folder, "explain --cell gru --layers 2 --bidirectional --dim I=40 --dim H=24");
  check_has(deep, {"gru l1.fwd: 40 -> 24", "gru l2.bwd: backwards over time, 48 -> 24", "cell gru of l1.fwd, l1.bwd\n",
                   "cell gru of l2.fwd, l2.bwd\n", "streams     no: l1.bwd reads time backwards",
                   "output y: 48 floats each step; reads 3, 4"});
  std::istringstream words(deep);
  CHECK(std::count(std::istream_iterator<std::string>(words), {}, "alone,") == 2);  // each kind of cell is timed
  const std::string imported =
      text_of(folder, "explain '" + kSources + "/tests/conformance/onnx/fronts/attention_over_time.onnx'");
  check_has(imported,
            {"rnn rnn: 3 -> 4", "max over time: 1 float once a sequence", "projection: 4 -> 1, each step", "last(x)"});
}

TEST_CASE("explain is of the format of weights, the batch and the plan that a run has", "[tools]") {
  const Folder folder;
  check_has(text_of(folder, kLstm + "--weights-as w8 --batch 16 --steps 5"),
            {"products    read 96 KiB of weights as w8", "a step of 16 sequences, 5 steps a call, on 1 thread",
             "round to integers"});
  check_has(text_of(folder, kLstm + "--threads 2"), {"on 2 threads"});
}

TEST_CASE("explain measures nothing where the code does not run here", "[tools]") {
  const Folder folder;
  const std::string text = text_of(folder, kLstm + "--isa aarch64-cortex-a72");
  check_has(text,
            {"code for aarch64-cortex-a72", "planned for ", "predicted ", "not measured: this machine does not run"});
  CHECK(text.find("  measured") == std::string::npos);
  text_of(folder, kLstm + "--isa aarch64-cortex-a72 --html page.html");
  check_has(folder.text("page.html"), {"Nothing is measured"});
}

TEST_CASE("explain --html writes one page that says how it was made, and prints nothing", "[tools]") {
  const Folder folder;
  CHECK(text_of(folder, kLstm + "--html page.html").empty());
  const std::string page = folder.text("page.html");
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.ends_with("</html>\n"));
  check_has(page, {"<title>rnnc explain lstm</title>", "<code>rnnc " + kLstm + "--html page.html</code>", ", rnnc ",
                   "aria-label=\"What runs in lstm\"", "prefers-color-scheme: dark", "name=\"viewport\"",
                   "12 parameters", "<li>Wi : f32[128,64]</li>", "a step, measured", "of the machine’s limit"});
}

TEST_CASE("explain refuses what cannot be explained, and paths that cannot be written", "[tools]") {
  const Folder folder;
  folder.write("page.html", "older");
  check_fails(folder, "explain --cell lstm --dim I=64 --html page.html", 2, "dim H has no value");
  check_fails(folder, "explain --cell lstn", 2, "there is no standard cell 'lstn'");
  check_fails(folder, "explain", 2, "");
  CHECK(folder.text("page.html") == "older");
  check_fails(folder, kLstm + "--html nowhere/page.html", 3, "there is no folder nowhere");
  check_fails(folder, kLstm + "--steps 0", 2, "--steps");
  folder.write("mine.rnn", "cell mine {\n  input x : f32[4]\n  state s : f32[4]\n  s' = s + x\n  output s'\n}\n");
  check_fails(folder, "explain mine.rnn --html mine.rnn", 2, "--html: would overwrite mine.rnn");
  REQUIRE(folder.rnnc("compile mine.rnn -o mine.rnnc").code == 0);
  check_fails(folder, "explain mine.rnnc", 2, "an artifact has code and no text");
}

}  // namespace rnnc::test
