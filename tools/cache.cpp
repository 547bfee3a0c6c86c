// rnnc cache: how much generated code is kept, and its removal.
#include <iostream>
#include <memory>

#include "compiler/code_cache.hpp"
#include "ir/environment.hpp"
#include "tools/exit_code.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

Result<int> run(const std::string& action) {
  const std::string folder = read_environment().cache_dir;
  if (folder.empty())
    return Error{ErrorCode::Usage, {}, "no folder is known for the cache; set RNNC_CACHE_DIR or HOME", {}};
  const compiler::CodeCache cache(folder);
  const auto print = [](const char* what, const compiler::CodeCache::Size& size) {
    std::cout << what << size.files << " files, " << size.bytes << " bytes\n";
  };
  if (action == "prune") print("removed: ", cache.prune(compiler::kCacheBytes));
  if (action == "clear") print("removed: ", cache.prune(0));
  std::cout << "folder: " << folder << "\n";
  print("kept: ", cache.size());
  std::cout << "limit: " << compiler::kCacheBytes << " bytes" << std::endl;
  return kOk;
}

}  // namespace

Verb add_cache(CLI::App& program) {
  CLI::App& app = *program.add_subcommand("cache",
                                          "Example: rnnc cache stat\n\n"
                                          "Shows how much generated code is kept, or removes it.");
  auto action = std::make_shared<std::string>();
  app.add_option(
         "ACTION", *action,
         "stat; prune: remove the oldest code above the limit; clear: remove all code; plans of bench --tune stay")
      ->required()
      ->check(CLI::IsMember({"stat", "prune", "clear"}).description(""))
      ->type_name("stat|prune|clear");
  return {&app, [action] { return run(*action); }};
}

}  // namespace rnnc::tools
