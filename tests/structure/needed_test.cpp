// The program and the shared libraries name what the system has to load with them: neither oneDNN nor an OpenMP
// runtime.
#include <array>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>

#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  REQUIRE(pipe != nullptr);
  std::string output;
  std::array<char, 4096> part{};
  while (const std::size_t count = std::fread(part.data(), 1, part.size(), pipe.get()))
    output.append(part.data(), count);
  return output;
}

// The lines of `objdump` that name a library which `file` needs.
std::string needed_by(const std::string& file) { return output_of("objdump -p '" + file + "' | grep NEEDED"); }

std::string foreign_in(const std::string& needed) {
  std::string found;
  for (const char* library : {"dnnl", "gomp", "libomp", "iomp"})
    if (needed.find(library) != std::string::npos) found += std::string(library) + " ";
  return found;
}

}  // namespace

TEST_CASE("neither the program nor a library needs oneDNN or OpenMP", "[structure]") {
  std::istringstream files(std::string(RNNC_PROGRAM) + " " + RNNC_LIBRARIES);
  for (std::string file; files >> file;) {
    const std::string needed = needed_by(file);
    INFO(file << "\n" << needed);
    CHECK(needed.find("libstdc++") != std::string::npos);
    CHECK(foreign_in(needed) == "");
  }
}

#ifdef RNNC_ONEDNN_PLUGIN
TEST_CASE("the check of what is needed sees oneDNN where it is", "[structure][onednn]") {
  CHECK(foreign_in(needed_by(RNNC_ONEDNN_PLUGIN)) == "dnnl gomp ");
}
#endif

}  // namespace rnnc::test
