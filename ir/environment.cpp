#include "ir/environment.hpp"

#include <cstdlib>
#include <string_view>

#include "ir/syntax.hpp"

namespace rnnc {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// A word that RNNC_DEBUG may list, and the flag that it sets.
struct Look {
  const char* word;
  bool Environment::*flag;
};
constexpr Look kLooks[] = {{"ir", &Environment::debug_ir},
                           {"plan", &Environment::debug_plan},
                           {"llvm", &Environment::debug_llvm},
                           {"asm", &Environment::debug_asm},
                           {"time", &Environment::debug_time}};

void read_looks(std::string_view list, Environment& result) {
  std::vector<std::string> known;
  for (const Look& look : kLooks) known.emplace_back(look.word);
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string word(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    bool found = word.empty();
    for (const Look& look : kLooks)
      if (word == look.word) found = result.*look.flag = true;
    if (!found)
      result.warnings.push_back("RNNC_DEBUG: '" + word + "' is none of ir, plan, llvm, asm, time" +
                                ir::did_you_mean(word, known));
  }
}

void read_cache(const std::string& value, Environment& result) {
  result.cache_writes = value != "off" && value != "ro";
  result.cache_reads = value != "off";
  if (!value.empty() && value != "off" && value != "ro" && value != "on")
    result.warnings.push_back("RNNC_CACHE: '" + value + "' is none of off, ro, on; the cache is on" +
                              ir::did_you_mean(value, {"off", "ro", "on"}));
}

std::string default_cache_dir() {
  if (const std::string xdg = variable("XDG_CACHE_HOME"); !xdg.empty()) return xdg + "/rnnc";
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache/rnnc";
  return "";
}

}  // namespace

Environment read_environment() {
  Environment result;
  read_looks(variable("RNNC_DEBUG"), result);
  result.dump_dir = variable("RNNC_DUMP_DIR");
  result.cache_dir = variable("RNNC_CACHE_DIR");
  if (result.cache_dir.empty()) result.cache_dir = default_cache_dir();
  read_cache(variable("RNNC_CACHE"), result);
  result.isa = variable("RNNC_ISA");
  result.plugin_dir = variable("RNNC_PLUGIN_DIR");
  return result;
}

}  // namespace rnnc
