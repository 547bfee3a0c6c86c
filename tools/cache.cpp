// rnnc cache prints what is kept on this machine (generated code, what bench measured, and the plans of bench --tune),
// or removes it.
#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <iostream>
#include <memory>

#include <rnnc/join.hpp>

#include "compiler/schedule/code_cache.hpp"
#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/tuned.hpp"
#include "ir/environment.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

// Returns the day on which a file was written.
std::string day_of(const std::string& path) {
  struct stat status {};
  std::tm parts{};
  char text[32] = "an unknown day";
  if (::stat(path.c_str(), &status) == 0 && gmtime_r(&status.st_mtime, &parts) != nullptr)
    (void)std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

void print_measurements(const std::string& folder) {
  for (const auto& [path, limits] : compiler::kept_limits(folder))
    std::cout << "limits: " << limits.cpu << (limits.target.empty() ? "" : ", " + limits.target) << ", measured "
              << day_of(path) << (limits.core ? " with bench --machine" : "") << ", " << path << "\n";
  for (const compiler::KeptPlan& plan : compiler::kept_plans(folder))
    std::cout << "tuned plan: " << plan.cell << " (" << join(plan.sizes) << ") on " << plan.cpu << ": " << plan.choices
              << "\n";
}

// Removes everything that is kept.
compiler::CodeCache::Size clear(const std::string& folder) {
  compiler::CodeCache::Size removed = compiler::CodeCache(folder).prune(0);
  for (const auto& files : {compiler::remove_limits(folder), compiler::remove_plans(folder)})
    for (const std::uint64_t bytes : files) removed = {removed.files + 1, removed.bytes + bytes};
  return removed;
}

// A folder that is not there keeps nothing; anything else that cannot be read would look so.
Result<void> check_folder(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (open || errno == ENOENT) return {};
  return Error{ErrorCode::File,
               {folder},
               std::string("cannot be the folder of the cache: ") + std::strerror(errno) +
                   "; name a folder in RNNC_CACHE_DIR, or unset it"};
}

Result<int> run_action(const std::string& action) {
  const std::string folder = read_environment().cache_dir;
  if (folder.empty())
    return Error{ErrorCode::Usage, {}, "no folder is known for the cache; set RNNC_CACHE_DIR or HOME"};
  if (const auto checked = check_folder(folder); !checked) return checked.error();
  const compiler::CodeCache cache(folder);
  const auto print = [](const char* what, const compiler::CodeCache::Size& size) {
    std::cout << what << size.files << " files, " << size.bytes << " bytes\n";
  };
  if (action == "prune") print("removed: ", cache.prune(compiler::kCacheBytes));
  if (action == "clear") print("removed: ", clear(folder));
  std::cout << "folder: " << folder << "\n";
  print("code kept: ", cache.size());
  std::cout << "code limit: " << compiler::kCacheBytes << " bytes\n";
  print_measurements(folder);
  std::cout << std::flush;
  return kOk;
}

}  // namespace

Verb add_cache(CLI::App& program) {
  CLI::App& app =
      add_verb(program, "cache", {"rnnc cache stat", "rnnc cache prune", "rnnc cache clear"},
               "Shows what is kept on this machine, or removes it: compiled code, measured limits and tuned plans.");
  auto action = std::make_shared<std::string>();
  add_choice(
      app, "ACTION", *action, {"stat", "prune", "clear"},
      "stat: say what is kept; prune: remove the oldest code above the limit; clear: remove all code, what bench "
      "measured of this machine (limits-*.json) and the plans of bench --tune (plan-*.txt)")
      ->required();
  return {&app, [action] { return run_action(*action); }};
}

}  // namespace rnnc::tools
