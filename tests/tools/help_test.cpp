// rnnc --help, help VERB and --version: what they show works as it stands.
#include <sstream>

#include "tests/tools/example_files.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

const std::vector<std::string> kVerbs = {"run",     "bench",   "verify",     "calibrate", "inspect", "describe",
                                         "explain", "compile", "import",     "prune",     "cells",   "cache",
                                         "help",    "version", "completion", "man"};

// Commands of the section that begins a help, those that go on in the next line joined.
std::vector<std::string> examples_of(const std::string& help) {
  REQUIRE(help.starts_with("Examples:\n"));
  std::vector<std::string> examples;
  std::istringstream lines(help.substr(10, help.find("\n\n") - 10));
  bool goes_on = false;
  for (std::string line; std::getline(lines, line);) {
    const std::string text = line.substr(line.find_first_not_of(' '));
    if (!goes_on) examples.emplace_back();
    goes_on = text.ends_with(" \\");
    examples.back() += goes_on ? text.substr(0, text.size() - 1) : text;
  }
  return examples;
}

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return longest;
}

}  // namespace

TEST_CASE("help of every verb begins with examples, which work as printed", "[tools]") {
  const Folder folder;
  fill_example_files(folder);
  for (const std::string& verb : kVerbs) {
    const Finished help = folder.rnnc("help " + verb);
    REQUIRE(help.code == 0);
    const std::vector<std::string> examples = examples_of(help.out);
    CHECK((examples.size() >= 2 || verb == "man" || verb == "version"));
    for (const std::string& example : examples) {
      INFO(example);
      REQUIRE(example.starts_with("rnnc " + verb));
      if (example.find("--expect y.npy") != std::string::npos)
        REQUIRE(folder.rnnc("run model.onnx --input x.npy --output y.npy").code == 0);
      const Finished finished = folder.rnnc(example.substr(5));
      INFO(finished.out << finished.err);
      CHECK(finished.code == 0);
    }
  }
  for (const std::string& example : examples_of(folder.rnnc("--help").out)) {
    INFO(example);
    CHECK(folder.rnnc(example.substr(5)).code == 0);
  }
}

TEST_CASE("--help, -h and help are one text", "[tools]") {
  const Folder folder;
  for (const std::string& verb : kVerbs) {
    const std::string help = folder.rnnc("help " + verb).out;
    CHECK(folder.rnnc(verb + " --help").out == help);
    CHECK(folder.rnnc(verb + " -h").out == help);
  }
  const std::string help = folder.rnnc("--help").out;
  CHECK(folder.rnnc("help").out == help);
  for (const std::string& verb : kVerbs) CHECK(help.find("\n  " + verb + " ") != std::string::npos);
}

TEST_CASE("help fits lines of 100 columns, or a narrower terminal", "[tools]") {
  const Folder folder;
  CHECK(longest_line(folder.rnnc("help").out) <= 100);
  for (const std::string& verb : kVerbs) CHECK(longest_line(folder.rnnc("help " + verb).out) <= 100);
  if (lacks("script") || lacks("stty")) return;  // to make a terminal
  folder.write("narrow.sh", "stty cols 60; '" RNNC_PROGRAM "' help run\n");
  const int code = shell(folder, "script -qec 'sh narrow.sh' typescript </dev/null >/dev/null");
  REQUIRE(code == 0);
  std::string text = folder.text("typescript");
  text = text.substr(text.find("Examples:"), text.rfind("print this help") - text.find("Examples:"));
  std::erase(text, '\r');
  CHECK(longest_line(text) <= 60);
  CHECK(longest_line(text) > 40);
}

TEST_CASE("--version tells rnnc's version, LLVM's and the CPU", "[tools]") {
  const Folder folder;
  const Finished finished = folder.rnnc("--version");
  CHECK(finished.code == 0);
  CHECK(finished.out.starts_with("rnnc 0."));
  CHECK(finished.out.find("\nLLVM 19.") != std::string::npos);
  CHECK(finished.out.find("\nCPU ") != std::string::npos);
}

}  // namespace rnnc::test
