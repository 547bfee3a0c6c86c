// rnnc man: a page that formatters take without complaint, with every flag of the help in it.
#include <regex>
#include <set>

#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

std::set<std::string> flags_in(const std::string& text) {
  static const std::regex flag("--[a-z][a-z-]*");
  std::set<std::string> flags;
  for (std::sregex_iterator i(text.begin(), text.end(), flag), end; i != end; ++i) flags.insert(i->str());
  return flags;
}

}  // namespace

TEST_CASE("the manual page has every verb and every flag of the help", "[tools]") {
  const Folder folder;
  std::string page = folder.rnnc("man").out;
  CHECK(page.find(".TH RNNC 1") != std::string::npos);
  for (std::size_t at = 0; (at = page.find("\\-", at)) != std::string::npos;) page.erase(at, 1);
  std::size_t verbs = 0;
  for (const std::string verb : {"run", "bench", "verify", "calibrate", "inspect", "describe", "explain", "compile",
                                 "import", "prune", "cells", "cache", "help", "version"}) {
    INFO(verb);
    const std::size_t section = page.find("\n.SS rnnc " + verb + "\n");
    REQUIRE(section != std::string::npos);
    const std::string part = page.substr(section, page.find("\n.S", section + 2) - section);
    for (const std::string& flag : flags_in(folder.rnnc("help " + verb).out)) {
      INFO(flag);
      CHECK(part.find(flag) != std::string::npos);
    }
    ++verbs;
  }
  CHECK(verbs == 14);
  for (const char* variable :
       {"RNNC_DEBUG", "RNNC_DUMP_DIR", "RNNC_CACHE_DIR", "RNNC_CACHE", "RNNC_ISA", "RNNC_PLUGIN_DIR"})
    CHECK(page.find(std::string(".B ") + variable + "\n") != std::string::npos);
}

TEST_CASE("groff and mandoc format the manual page without a warning", "[tools]") {
  const Folder folder;
  folder.write("rnnc.1", folder.rnnc("man").out);
  if (!lacks("groff")) {
    CHECK(shell(folder, "groff -man -ww -Tascii rnnc.1 >page.txt 2>groff.txt") == 0);
    CHECK(folder.text("groff.txt") == "");
    CHECK(folder.text("page.txt").find("rnnc inspect --cell lstm") != std::string::npos);
  }
  if (!lacks("mandoc")) {
    shell(folder, "mandoc -Tlint -Wwarning rnnc.1 >mandoc.txt 2>&1");
    // A page that is made when rnnc is has no date of its own.
    CHECK(std::regex_replace(folder.text("mandoc.txt"), std::regex(".*missing date.*\n"), "") == "");
  }
}

}  // namespace rnnc::test
