// The line of progress: on a terminal, which `script` makes, and nowhere else.
#include <algorithm>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

/// What `rnnc ARGUMENTS` writes to a terminal, to both of its outputs.
std::string on_terminal(const Folder& folder, const std::string& arguments, const std::string& kind = "xterm",
                        int code = 0) {
  const std::string command = "cd '" + folder / "" + "' && TERM=" + kind + " RNNC_CACHE_DIR='" + folder / "cache" +
                              "' script -qec \"'" RNNC_PROGRAM "' " + arguments +
                              "\" typescript </dev/null >terminal.txt 2>&1";
  const int status = std::system(command.c_str());
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == code);
  return folder.text("terminal.txt");
}

const std::string kBench = "bench --shape lstm:3:2:5:7,gru:1:1:4:8 --rounds 3";
const std::string kVerify = "verify --cell lstm --dim I=3 --dim H=5 --steps 1000";

}  // namespace

TEST_CASE("a terminal shows how far bench has come, and keeps nothing of it", "[tools]") {
  const Folder folder;
  const std::string shown = on_terminal(folder, kBench);
  INFO(shown);
  CHECK(has(shown, "\rbench [------------------------]   0 %  lstm:3:2:5:7:1, compiling"));
  CHECK(has(shown, " 50 %  gru:1:1:4:8:1, compiling"));
  CHECK(has(shown, "round 3 of 3"));
  CHECK(!has(shown, "\x1b"));
  // Before a row of the table stands an empty line, whose end is its beginning.
  const std::size_t row = shown.find("\rlstm:3:2:5:7:1 ");
  CHECK((row == std::string::npos || shown[row - 1] == ' ' || shown[row - 1] == '\n'));
  const std::size_t last = shown.rfind("bench [");
  REQUIRE(last != std::string::npos);
  const std::size_t end = shown.find('\r', last), begin = shown.find_first_not_of(' ', end + 1);
  REQUIRE(begin != std::string::npos);
  CHECK(shown[begin] == '\r');
  CHECK(begin - end > end - last);
}

TEST_CASE("a terminal shows the progress of tuning and of verify", "[tools]") {
  const Folder folder;
  const std::string tuned = on_terminal(folder, "bench --shape lstm:4:1:32:32 --rounds 3 --tune");
  CHECK(has(tuned, "lstm:4:1:32:32:1, compiling plan "));
  const std::string verified = on_terminal(folder, kVerify);
  CHECK(has(verified, "\rverify ["));
  CHECK(has(verified, "interpreting step 961 of 1000"));
  const std::string layers = on_terminal(folder, kVerify + " --bidirectional");
  CHECK(has(layers, "interpreting sequence 3 of 3"));
}

TEST_CASE("a terminal shows the progress of import", "[tools]") {
  const Folder folder;
  const std::string missing = on_terminal(folder, "import nowhere.safetensors -o out.rnn", "xterm", 3);
  CHECK(has(missing, "\rimport ["));
  CHECK(has(missing, "reading nowhere.safetensors"));
}

TEST_CASE("a terminal that cannot go back in a line shows no progress", "[tools]") {
  const Folder folder;
  const std::string shown = on_terminal(folder, kBench, "dumb");
  CHECK(!has(shown, "bench ["));
  CHECK(has(shown, "lstm:3:2:5:7:1"));
}

TEST_CASE("a pipe or file gets no progress", "[tools]") {
  const Folder folder;
  for (const std::string& arguments : {kBench, kVerify}) {
    const Finished finished = folder.rnnc(arguments);
    CHECK(finished.code == 0);
    for (const std::string& text : {finished.out, finished.err}) {
      CHECK(!has(text, "\r"));
      CHECK(!has(text, " ["));
    }
  }
}

}  // namespace rnnc::test
