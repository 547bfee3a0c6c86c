// rnnc cells and rnnc version tell what comes with the program.
#include <set>
#include <sstream>

#include <rnnc/model.hpp>

#include "tests/tools/program.hpp"

namespace rnnc::test {

TEST_CASE("cells lists each standard cell on a line with what it is", "[tools]") {
  const Folder folder;
  const Finished finished = folder.rnnc("cells");
  REQUIRE(finished.code == 0);
  CHECK(finished.err.empty());
  CHECK(finished.out.find("\nlstm                    Long short-term memory\n") != std::string::npos);
  std::istringstream listed(finished.out);
  std::set<std::string> titles;
  for (std::string name, title; listed >> name && std::getline(listed, title);) {
    INFO(name << title);
    CHECK(titles.insert(title).second);  // a reader can tell the cells by them
    CHECK(name.size() + title.size() <= 100);
  }
  std::size_t lines = 0;
  for (const std::string& name : standard_cell_names()) {
    INFO(name);
    CHECK(("\n" + finished.out).find("\n" + name + " ") != std::string::npos);
    ++lines;
  }
  CHECK(static_cast<std::size_t>(std::ranges::count(finished.out, '\n')) == lines);
}

TEST_CASE("cells prints a cell as it was written, which is a model", "[tools]") {
  const Folder folder;
  const Finished finished = folder.rnnc("cells gru");
  REQUIRE(finished.code == 0);
  CHECK(finished.out.starts_with("// Gated recurrent unit"));
  folder.write("mine.rnn", finished.out);
  CHECK(folder.rnnc("inspect mine.rnn").out == folder.rnnc("inspect --cell gru").out);
  check_fails(folder, "cells LSTM", 2, "CELL: there is no standard cell 'LSTM'; did you mean lstm?\nsee: rnnc cells");
}

TEST_CASE("version and --version are one text", "[tools]") {
  const Folder folder;
  const Finished finished = folder.rnnc("version");
  CHECK(finished.code == 0);
  CHECK(finished.out.starts_with("rnnc "));
  CHECK(finished.out == folder.rnnc("--version").out);
}

TEST_CASE("help as a CPU lists the CPUs there are", "[tools]") {
  const Folder folder;
  for (const std::string call : {"run --isa help", "compile --target help", "inspect --cell lstm --isa help"}) {
    INFO(call);
    const Finished finished = folder.rnnc(call);
    CHECK(finished.code == 0);
    CHECK(finished.out.starts_with("host  this machine, "));
    for (const char* name : {"x86-64-v3", "znver4", "aarch64-cortex-a72"})
      CHECK(finished.out.find("\n" + std::string(name) + "\n") != std::string::npos);
  }
}

TEST_CASE("- is standard input", "[tools]") {
  const Folder folder;
  folder.write("lstm.rnn", folder.rnnc("cells lstm").out);
  const std::string piped = "help >all.txt; sh -c \"cat lstm.rnn | '" RNNC_PROGRAM "' inspect -\"";
  CHECK(folder.rnnc(piped).out == folder.rnnc("inspect lstm.rnn").out);
  const std::string broken = "help >all.txt; sh -c \"echo 'cell a {' | '" RNNC_PROGRAM "' inspect -\"";
  check_fails(folder, broken, 3, "rnnc: /dev/stdin:2:1: expected a statement");
  check_fails(folder, "bench - --steps 1,2", 2, "MODEL: standard input is read once");
}

}  // namespace rnnc::test
