// rnnc bench --against onednn where the plug-in is not, or is not one that this program understands.
#include <cstdlib>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kBench = "bench --cell lstm --steps 1 --batch 1 --input-size 3 --hidden-size 4 --rounds 3 ";
constexpr const char* kFile = "librnnc_bench_onednn.so";

// The variable of this process and of the programs that it starts, for as long as this lives.
class PluginFolder {
 public:
  explicit PluginFolder(const std::string& path) { ::setenv("RNNC_PLUGIN_DIR", path.c_str(), 1); }
  ~PluginFolder() { ::unsetenv("RNNC_PLUGIN_DIR"); }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;
};

void build_plugin(const Folder& folder, const std::string& source) {
  folder.write("plugin.c", source);
  const std::string command = "cd '" + folder / "" + "' && cc -shared -fPIC plugin.c -o " + kFile;
  REQUIRE(std::system(command.c_str()) == 0);
}

}  // namespace

TEST_CASE("bench says how to get the plug-in where there is none", "[tools]") {
  const Folder folder;
  const PluginFolder here(folder / "");
  const Finished finished = check_fails(folder, kBench + "--against onednn", 4,
                                        "--against onednn: librnnc_bench_onednn.so is not in " + folder / "");
  CHECK(finished.out.empty());
  CHECK(
      finished.err.find("note: it comes with a build of rnnc that has oneDNN: install libdnnl-dev, and configure with "
                        "-DRNNC_ONEDNN=ON") != std::string::npos);
  CHECK(folder.rnnc(kBench).code == 0);
}

TEST_CASE("bench refuses a plug-in of another version", "[tools]") {
  const Folder folder;
  const PluginFolder here(folder / "");
  build_plugin(folder,
               "static const unsigned version = 999;\nconst void* rnnc_bench_onednn(void) { return &version; }\n");
  const Finished finished =
      check_fails(folder, kBench + "--against onednn", 4, "is a plug-in of version 999, and this rnnc needs version 2");
  CHECK(finished.err.find("note: take program and plug-in from one build") != std::string::npos);
}

TEST_CASE("bench refuses a plug-in that is none, or cannot be loaded", "[tools]") {
  const Folder folder;
  const PluginFolder here(folder / "");
  build_plugin(folder, "int rnnc_bench_other(void) { return 0; }\n");
  check_fails(folder, kBench + "--against onednn", 4, "librnnc_bench_onednn.so is no plug-in of rnnc");
  folder.write(kFile, "no library");
  check_fails(folder, kBench + "--against onednn", 4, "librnnc_bench_onednn.so cannot be loaded: ");
}

}  // namespace rnnc::test
