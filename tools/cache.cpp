// rnnc cache prints how much generated code is kept, or removes it together with what was measured.
#include <iostream>
#include <memory>

#include "compiler/schedule/code_cache.hpp"
#include "compiler/schedule/limits.hpp"
#include "ir/environment.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

Result<int> run(const std::string& action) {
  const std::string folder = read_environment().cache_dir;
  if (folder.empty())
    return Error{ErrorCode::Usage, {}, "no folder is known for the cache; set RNNC_CACHE_DIR or HOME"};
  const compiler::CodeCache cache(folder);
  const auto print = [](const char* what, const compiler::CodeCache::Size& size) {
    std::cout << what << size.files << " files, " << size.bytes << " bytes\n";
  };
  if (action == "prune") print("removed: ", cache.prune(compiler::kCacheBytes));
  if (action == "clear") {
    compiler::CodeCache::Size removed = cache.prune(0);
    for (const std::uint64_t bytes : compiler::remove_limits(folder))
      removed = {removed.files + 1, removed.bytes + bytes};
    print("removed: ", removed);
  }
  std::cout << "folder: " << folder << "\n";
  print("kept: ", cache.size());
  std::cout << "limit: " << compiler::kCacheBytes << " bytes" << std::endl;
  return kOk;
}

}  // namespace

Verb add_cache(CLI::App& program) {
  CLI::App& app = add_verb(program, "cache", {"rnnc cache stat", "rnnc cache prune", "rnnc cache clear"},
                           "Shows how much compiled code is kept, or removes it.");
  auto action = std::make_shared<std::string>();
  add_choice(app, "ACTION", *action, {"stat", "prune", "clear"},
             "stat: say what is kept; prune: remove the oldest code above the limit; clear: remove all code and what "
             "bench measured of this machine (limits-*.json); plans of bench --tune stay")
      ->required();
  return {&app, [action] { return run(*action); }};
}

}  // namespace rnnc::tools
