// Every piece of code that the documents show is right: cells parse and are verified, C and C++ compile, whole programs
// link, changes apply. CMake is used by tests/embed/package_test.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/structure/document.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kCompilers[][2] = {
    {"c", "cc -std=c99 -pedantic"},
    {"cpp", "c++ -std=c++20"},
};

bool is_whole(const std::string& program) { return program.find("int main(") != std::string::npos; }

// A block that is a file is compiled by the commands of its document, which name it or, for CMake, its folder.
bool is_used(const Block& file) {
  const std::string folder = " -S " + std::filesystem::path(file.file).parent_path().string() + " ";
  for (const std::string language : {"sh", "console"})
    for (const Block& block : blocks_in(language, file.document)) {
      const bool names_it = block.text.find(file.file) != std::string::npos;
      if (block.line > file.line && (names_it || block.text.find(folder) != std::string::npos)) return true;
    }
  return false;
}

// What a folder says of compiling `code`; "" where it does.
std::string compile(const Folder& folder, const std::string& language, const std::string& compiler,
                    const std::string& code) {
  const std::string name = "snippet." + language;
  folder.write(name, code);
  const std::string libraries =
      is_whole(code) ? " -o snippet " RNNC_LIBRARIES " -Wl,--allow-shlib-undefined" : " -fsyntax-only";
  const std::string command = "cd '" + folder / "" + "' && " + compiler +
                              " " RNNC_SANITIZE_FLAGS " -Wall -Wextra -Werror -I'" RNNC_SOURCE_DIR "/include' " + name +
                              libraries + " >log.txt 2>&1";
  const bool compiled = std::system(command.c_str()) == 0;
  return compiled ? "" : command + "\n" + folder.text("log.txt");
}

// The first hunk of a unified diff that does not fit the file it is for; "" where all do.
std::string misfit(const std::string& diff) {
  std::string path, old, sought;
  std::istringstream lines(diff + "--- \n");
  for (std::string line; std::getline(lines, line);) {
    const bool begins = line.starts_with("@@") || line.starts_with("--- ");
    if (begins && !sought.empty() && old.find("\n" + sought) == std::string::npos) return path + " has not:\n" + sought;
    if (begins) sought.clear();
    if (line.starts_with("+++ b/")) {
      path = line.substr(6);
      old = "\n" + read_source(path);
    } else if (!begins && (line.starts_with(' ') || line.starts_with('-'))) {
      sought += line.substr(1) + "\n";
    } else if (!begins && line.empty()) {
      sought += "\n";
    }
  }
  return path.empty() ? "it names no file" : "";
}

}  // namespace

TEST_CASE("the cells and networks in the documents are right", "[docs]") {
  const std::vector<Block> blocks = blocks_in("rnn");
  CHECK(blocks.size() >= 3);
  for (const Block& block : blocks) {
    INFO(block.document << ":" << block.line << "\n" << block.text);
    const Result<ir::Module> shown = ir::parse(block.text);
    REQUIRE((shown ? "" : shown.error().to_string()) == "");
    CHECK(shown->cells.size() + shown->networks.size() > 0);
    for (const ir::Cell& cell : shown->cells) CHECK(ir::verify(cell));
    for (const ir::Network& network : shown->networks) CHECK(ir::verify(network));
  }
}

TEST_CASE("the C and C++ code in the documents compiles, and whole programs link", "[docs]") {
  const Folder folder;
  for (const auto& [language, compiler] : kCompilers) {
    const std::vector<Block> blocks = blocks_in(language);
    CHECK_FALSE(blocks.empty());
    for (const Block& block : blocks) {
      INFO(block.document << ":" << block.line);
      if (block.file.empty()) CHECK(compile(folder, language, compiler, block.text) == "");
      if (!block.file.empty()) CHECK(is_used(block));
    }
  }
}

TEST_CASE("the Python in the documents is Python", "[docs]") {
  if (std::system("python3 -c '' >/dev/null 2>&1") != 0) {
    WARN("skipped: there is no python3");
    return;
  }
  const Folder folder;
  for (const Block& block : blocks_in("python")) {
    INFO(block.document << ":" << block.line);
    folder.write("shown.py", block.text);
    const std::string path = folder / "shown.py";
    CHECK(std::system(("python3 -c 'compile(open(\"" + path + "\").read(), \"shown\", \"exec\")'").c_str()) == 0);
  }
}

TEST_CASE("the JSON of the documents is JSON", "[docs]") {
  for (const Block& block : blocks_in("json")) {
    INFO(block.document << ":" << block.line);
    CHECK(nlohmann::json::accept(block.text));
  }
}

TEST_CASE("the changes of sources that the documents show fit the sources", "[docs]") {
  for (const Block& block : blocks_in("diff")) {
    INFO(block.document << ":" << block.line);
    CHECK(misfit(block.text) == "");
  }
}

TEST_CASE("the documents' blocks of code say what they are", "[docs]") {
  // A session of Python, pycon, is run by tests/python/page_test.py.
  const std::set<std::string> known = {"sh", "console", "rnn",    "c",     "cpp", "cmake", "diff",
                                       "js", "json",    "python", "pycon", "sql", "text"};
  for (const Document& document : all_documents())
    for (const Block& block : document.blocks) {
      INFO(document.path << ":" << block.line << ": " << block.language);
      CHECK(known.contains(block.language));
    }
}

TEST_CASE("the checks of snippets see wrong ones", "[docs]") {
  const Folder folder;
  CHECK(compile(folder, "c", kCompilers[0][1], "int f(void) { return g(); }\n") != "");
  CHECK(compile(folder, "cpp", kCompilers[1][1], "int f();\nint main() { return f(); }\n") != "");
  CHECK(compile(folder, "cpp", kCompilers[1][1], "#include <rnnc/rnnc.hpp>\n#include <rnnc/import.hpp>\n") == "");
  const std::string head = "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n";
  CHECK(misfit(head + " # rnnc\n+new\n \n") == "");
  CHECK(misfit(head + " # rnncc\n+new\n") != "");
  CHECK(misfit(head + " # rnnc\n-never there\n") != "");
}

}  // namespace rnnc::test
