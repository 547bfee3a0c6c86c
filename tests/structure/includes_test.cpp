// The directions of design: ir -> include and one table of runtime, runtime -> include, import -> ir, compiler -> ir
// and runtime, and the rooms of compiler/ one after the other; reference -> ir and compiler; extensions and the Python
// package see what is public. Libraries that a user of a smaller part must never meet stay where they are: LLVM in
// compiler/, oneDNN in bench/onednn, a plug-in.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = RNNC_SOURCE_DIR;

using Names = std::set<std::string>;

// Which folders a folder may include beside itself; "rnnc" is include/rnnc. tools, tests, bench and examples may use
// all.
const std::map<std::string, Names> kAllowed = {
    {"include", {"rnnc"}},
    {"ir", {"rnnc", "ir"}},
    {"runtime", {"rnnc", "runtime"}},
    {"import", {"rnnc", "ir", "import"}},
    {"compiler", {"rnnc", "ir", "runtime", "compiler"}},
    {"reference", {"rnnc", "ir", "compiler", "reference"}},
    {"extensions", {"rnnc", "extensions"}},
    {"python", {"rnnc", "python"}},
};
// Tables of a folder that another one may include all the same: they hold names and numbers, and include nothing of
// ours.
const std::map<std::string, Names> kTables = {
    {"ir", {"runtime/functions.def", "runtime/functions.hpp"}},
};
// The rooms of compiler/, in their order: each includes those before it and itself, and what stands beside the rooms
// all.
const std::vector<std::string> kRooms = {"passes",   "schedule", "portable", "network",
                                         "gradient", "llvm",     "object",   "inspect"};
const Names kOurs = {"rnnc",   "ir",    "runtime",    "import", "compiler", "reference",
                     "python", "tools", "extensions", "tests",  "bench",    "examples"};

// Where headers of a library may be included, by the first part of the include.
const std::map<std::string, Names> kLibraries = {
    {"llvm", {"compiler/llvm", "compiler/object", "tests/support"}},
    {"llvm-c", {"compiler/llvm"}},
    {"oneapi", {"bench/onednn"}},
    {"xsimd", {"runtime"}},
};

struct Include {
  std::string file;    // from the root
  std::string folder;  // its first part
  std::string path;    // as written
};

bool is_source(const fs::path& path) {
  return path.extension() == ".cpp" || path.extension() == ".hpp" || path.extension() == ".h" ||
         path.extension() == ".def";
}

std::vector<Include> all_includes() {
  std::vector<Include> includes;
  for (const std::string folder : {"include", "ir", "runtime", "import", "compiler", "reference", "extensions",
                                   "python", "tools", "tests", "bench", "examples"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        const std::size_t begin = line.find_first_of("<\"");
        if (!line.starts_with("#include") || begin == std::string::npos) continue;
        const std::size_t end = line.find_first_of(">\"", begin + 1);
        includes.push_back(
            {fs::relative(entry.path(), kRoot).string(), folder, line.substr(begin + 1, end - begin - 1)});
      }
    }
  }
  return includes;
}

std::string first_part(const std::string& path) {
  const std::size_t slash = path.find('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// The room of a file of compiler/, by its place in kRooms; what stands beside the rooms is behind all of them.
std::size_t room_of(const std::string& path) {
  for (std::size_t i = 0; i < kRooms.size(); ++i)
    if (path.starts_with("compiler/" + kRooms[i] + "/")) return i;
  return kRooms.size();
}

std::string violations(const std::vector<Include>& includes) {
  std::string found;
  for (const Include& include : includes) {
    const std::string part = first_part(include.path);
    const auto allowed = kAllowed.find(include.folder);
    const auto tables = kTables.find(include.folder);
    const bool is_table = tables != kTables.end() && tables->second.contains(include.path);
    const bool wrong_way =
        allowed != kAllowed.end() && kOurs.contains(part) && !allowed->second.contains(part) && !is_table;
    const auto library = kLibraries.find(part);
    const bool leaks = library != kLibraries.end() && !library->second.contains(include.folder) &&
                       !library->second.contains(include.file.substr(0, include.file.rfind('/')));
    const bool upward =
        include.folder == "compiler" && part == "compiler" && room_of(include.path) > room_of(include.file);
    if (wrong_way || leaks || upward) found += include.file + " includes " + include.path + "\n";
  }
  return found;
}

}  // namespace

TEST_CASE("Includes go one way, and libraries stay in their folders", "[structure]") {
  const std::vector<Include> includes = all_includes();
  CHECK(includes.size() > 300);
  CHECK(violations(includes) == "");
}

TEST_CASE("A table that another folder may include brings nothing else along", "[structure]") {
  Names tables;
  for (const auto& [folder, paths] : kTables) tables.insert(paths.begin(), paths.end());
  for (const Include& include : all_includes())
    if (tables.contains(include.file) && kOurs.contains(first_part(include.path))) CHECK(tables.contains(include.path));
  for (const std::string& table : tables) CHECK(fs::exists(kRoot / table));
}

// The interpreter is what results are compared with.
bool asks_interpreter(const Include& include) {
  return include.folder == "compiler" &&
         (include.path.starts_with("ir/interpret") || include.path.starts_with("ir/evaluat") ||
          include.path == "rnnc/reference.hpp");
}

TEST_CASE("Nothing that the compiler computes comes from the interpreter", "[structure]") {
  for (const Include& include : all_includes()) {
    INFO(include.file << " includes " << include.path);
    CHECK_FALSE(asks_interpreter(include));
  }
  CHECK(asks_interpreter({"compiler/passes/simplify.cpp", "compiler", "ir/interpret.hpp"}));
}

TEST_CASE("Few files of the compiler stand beside its rooms", "[structure]") {
  std::size_t beside = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(kRoot / "compiler"))
    beside += entry.is_regular_file() && is_source(entry.path()) ? 1 : 0;
  CHECK(beside <= 3);
  for (const fs::directory_entry& entry : fs::directory_iterator(kRoot / "compiler"))
    CHECK((!entry.is_directory() || std::ranges::count(kRooms, entry.path().filename().string()) == 1));
}

TEST_CASE("The check of includes sees a wrong one", "[structure]") {
  CHECK(violations({{"ir/print.cpp", "ir", "compiler/schedule/plan.hpp"}}) != "");
  CHECK(violations({{"ir/op.hpp", "ir", "runtime/formulas.hpp"}}) != "");
  CHECK(violations({{"ir/op.hpp", "ir", "runtime/functions.hpp"}}) == "");
  CHECK(violations({{"runtime/pack.cpp", "runtime", "ir/cell.hpp"}}) != "");
  CHECK(violations({{"include/rnnc/model.hpp", "include", "ir/cell.hpp"}}) != "");
  CHECK(violations({{"include/rnnc/tensor.hpp", "include", "xsimd/xsimd.hpp"}}) != "");
  CHECK(violations({{"tools/bench.cpp", "tools", "llvm/ADT/StringRef.h"}}) != "");
  CHECK(violations({{"tools/bench.cpp", "tools", "oneapi/dnnl/dnnl.hpp"}}) != "");
  CHECK(violations({{"compiler/llvm/lower.cpp", "compiler", "ir/cell.hpp"}}) == "");
}

TEST_CASE("The snippet of the README is the program that is built", "[structure]") {
  const auto read = [](const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  };
  const std::string program = read(kRoot / "examples/readme_snippet.cpp");
  CHECK_FALSE(program.empty());
  CHECK(read(kRoot / "README.md").find("```cpp\n" + program + "```\n") != std::string::npos);
}
