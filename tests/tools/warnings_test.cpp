// What a text declares and does not use is told on standard error, once, and changes nothing else.
#include <rnnc/import.hpp>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kText =
    "cell mine {\n  input x : f32[4]\n  param b : f32[4]\n  state s : f32[4]\n\n  s' = s + x\n  output s'\n}\n";
const std::string kWarning =
    "rnnc: mine.rnn:3:9: warning: parameter b is not used: neither the output nor a next state of cell mine depends on "
    "it\n"
    "    3 |   param b : f32[4]\n"
    "      |         ^\n";

}  // namespace

TEST_CASE("a warning stands on standard error and not in the output", "[tools][warnings]") {
  const Folder folder;
  folder.write("mine.rnn", kText);
  const Finished shown = folder.rnnc("inspect mine.rnn");
  CHECK(shown.code == 0);
  CHECK(shown.err == kWarning);
  CHECK(shown.out == kText);
  const Finished verified = folder.rnnc("verify mine.rnn --json");
  CHECK(verified.code == 0);
  CHECK(verified.err == kWarning);
  CHECK(last_line(verified.out).is_object());
}

TEST_CASE("bench of several shapes warns once", "[tools][warnings]") {
  const Folder folder;
  folder.write("mine.rnn", kText);
  const Finished finished = folder.rnnc("bench mine.rnn --steps 1,2 --rounds 3");
  INFO(finished.err);
  CHECK(finished.code == 0);
  CHECK(finished.err.starts_with(kWarning));
  CHECK(finished.err.find("is not used", kWarning.size()) == std::string::npos);
}

TEST_CASE("only texts have warnings, not what a reader makes of another format", "[tools][warnings]") {
  const Folder folder;
  folder.write("mine.rnn", kText);
  CHECK(import_model_file(folder / "mine.rnn").value().warnings.size() == 1);
  // A layer that multiplies by 0 would be the same without its weights, but its file was not written by hand.
  const Imported imported =
      import_model_file(RNNC_SOURCE_DIR "/tests/conformance/torch/gru.safetensors", {.prefix = "1x1"}).value();
  CHECK(imported.warnings.empty());
}

}  // namespace rnnc::test
