// rnnc completion: the scripts, asked by the shells themselves where they are installed.
#include <algorithm>
#include <sstream>

#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has(const std::vector<std::string>& lines, const std::string& line) {
  return std::ranges::find(lines, line) != lines.end();
}

// Words as bash cuts them, of which the last is completed.
std::vector<std::string> bash(const Folder& folder, const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += " '" + word + "'";
  folder.write("ask.sh", "source ./rnnc.bash\nCOMP_WORDS=(rnnc" + list + ")\nCOMP_CWORD=" +
                             std::to_string(words.size()) + "\n_rnnc\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
  REQUIRE(shell(folder, "bash ask.sh >replies.txt 2>errors.txt") == 0);
  CHECK(folder.text("errors.txt") == "");
  return lines_of(folder.text("replies.txt"));
}

void fill_for_completion(const Folder& folder) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Finished finished = folder.rnnc("completion " + shell);
    REQUIRE(finished.code == 0);
    folder.write("rnnc." + shell, finished.out);
  }
  for (const char* name : {"x.npy", "a b.npy", "notes.txt", "lstm.rnn", "w.safetensors"}) folder.write(name, "");
  std::filesystem::create_directory(folder / "folder");
}

}  // namespace

TEST_CASE("bash completes verbs, flags and values", "[tools]") {
  const Folder folder;
  if (lacks("bash")) return;
  fill_for_completion(folder);
  const std::vector<std::string> verbs = bash(folder, {""});
  for (const char* verb : {"run", "bench", "verify", "calibrate", "inspect", "describe", "explain", "compile", "import",
                           "prune", "cells", "cache", "help", "version"})
    CHECK(has(verbs, verb));
  CHECK(bash(folder, {"insp"}) == std::vector<std::string>{"inspect"});
  CHECK(bash(folder, {"--v"}) == std::vector<std::string>{"--version"});
  CHECK(has(bash(folder, {"run", "--"}), "--final-state"));
  CHECK(bash(folder, {"bench", "--hid"}) == std::vector<std::string>{"--hidden-size"});
  CHECK(bash(folder, {"inspect", "describe", "--emit", ""}) ==
        std::vector<std::string>{"text", "calls", "plan", "llvm", "asm"});
  CHECK(bash(folder, {"inspect", "describe", "--after", "h"}) == std::vector<std::string>{"hoist"});
  CHECK(has(bash(folder, {"inspect", "describe", "--cell", "lst"}), "lstm"));
  CHECK(bash(folder, {"inspect", "describe", "--cell", "=", "lstm_ci"}) ==
        std::vector<std::string>{"lstm_cifg", "lstm_cifg_swapped"});
  CHECK(bash(folder, {"inspect", "describe", "--cell=lstm_ci"}) ==
        std::vector<std::string>{"--cell=lstm_cifg", "--cell=lstm_cifg_swapped"});
  CHECK(bash(folder, {"verify", "--isa", "znver4"}) == std::vector<std::string>{"znver4"});
  CHECK(has(bash(folder, {"compile", "--target", "x86-64-v2,aarch64-cortex-a7"}), "x86-64-v2,aarch64-cortex-a72"));
  CHECK(bash(folder, {"cache", ""}) == std::vector<std::string>{"stat", "prune", "clear"});
  CHECK(has(bash(folder, {"help", "v"}), "verify"));
}

TEST_CASE("bash completes files by the suffixes that a flag takes", "[tools]") {
  const Folder folder;
  if (lacks("bash")) return;
  fill_for_completion(folder);
  auto inputs = bash(folder, {"run", "--input", ""});
  std::ranges::sort(inputs);
  CHECK(inputs == std::vector<std::string>{"a b.npy", "folder", "x.npy"});
  CHECK(bash(folder, {"run", "--state", "h", "=", "x"}) == std::vector<std::string>{"x.npy"});
  CHECK(bash(folder, {"run", "--state", "h", "="}).size() == 3);
  CHECK(bash(folder, {"run", "--state", "h=x"}) == std::vector<std::string>{"h=x.npy"});
  CHECK(bash(folder, {"run", "--weights", "w"}) == std::vector<std::string>{"w.safetensors"});
  CHECK(bash(folder, {"run", "l"}) == std::vector<std::string>{"lstm.rnn"});
  CHECK(bash(folder, {"run", "n"}) == std::vector<std::string>{""});
  // Nothing is known of sizes, and nothing is guessed.
  CHECK(bash(folder, {"run", "--dim", "H", "=", ""}) == std::vector<std::string>{""});
  CHECK(bash(folder, {"run", "--threads", ""}) == std::vector<std::string>{""});
}

TEST_CASE("fish completes verbs, flags and values", "[tools]") {
  const Folder folder;
  if (lacks("fish")) return;
  fill_for_completion(folder);
  const auto ask = [&](const std::string& line) {
    REQUIRE(shell(folder, "HOME=$PWD fish --no-config -c 'source rnnc.fish; complete -C \"" + line +
                              "\"' >replies.txt 2>errors.txt") == 0);
    CHECK(folder.text("errors.txt") == "");
    std::vector<std::string> words;
    for (const std::string& reply : lines_of(folder.text("replies.txt")))
      words.push_back(reply.substr(0, reply.find('\t')));
    return words;
  };
  CHECK(ask("rnnc insp") == std::vector<std::string>{"inspect"});
  CHECK(ask("rnnc inspect --after h") == std::vector<std::string>{"hoist"});
  CHECK(ask("rnnc bench --hid") == std::vector<std::string>{"--hidden-size"});
  CHECK(has(ask("rnnc run --weights "), "w.safetensors"));
}

TEST_CASE("zsh takes the script", "[tools]") {
  const Folder folder;
  if (lacks("zsh")) return;
  fill_for_completion(folder);
  std::filesystem::copy_file(folder / "rnnc.zsh", folder / "_rnnc");
  CHECK(shell(folder, "zsh -n _rnnc") == 0);
  // zsh completes for a terminal only, which its own module makes.
  folder.write("ask.zsh", R"(zmodload zsh/zpty
zpty session zsh -f -i
zpty -w session "PROMPT=; fpath=($PWD \$fpath); autoload -Uz compinit; compinit -u -d $PWD/dump; echo ready"
zpty -r session reply '*ready*ready*'
zpty -w -n session "rnnc inspect --after h"$'\t'
sleep 2
zpty -w -n session $'\C-a'"echo [${:-}"$'\C-e'"]"$'\n'
zpty -r session reply '*\[rnnc*\]*'
print -r -- $reply
)");
  REQUIRE(shell(folder, "timeout 60 zsh -f ask.zsh >replies.txt 2>errors.txt") == 0);
  CHECK(folder.text("replies.txt").find("--after hoist") != std::string::npos);
}

}  // namespace rnnc::test
