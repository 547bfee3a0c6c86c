#include "ir/environment.hpp"

#include <cstdlib>
#include <string_view>

namespace rnnc {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == word) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

std::string default_cache_dir() {
  if (const std::string xdg = variable("XDG_CACHE_HOME"); !xdg.empty()) return xdg + "/rnnc";
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache/rnnc";
  return "";
}

}  // namespace

Environment read_environment() {
  Environment result;
  const std::string debug = variable("RNNC_DEBUG");
  result.debug_ir = lists(debug, "ir");
  result.debug_plan = lists(debug, "plan");
  result.debug_llvm = lists(debug, "llvm");
  result.debug_asm = lists(debug, "asm");
  result.debug_time = lists(debug, "time");
  result.dump_dir = variable("RNNC_DUMP_DIR");
  result.cache_dir = variable("RNNC_CACHE_DIR");
  if (result.cache_dir.empty()) result.cache_dir = default_cache_dir();
  const std::string cache = variable("RNNC_CACHE");
  result.cache_writes = cache != "off" && cache != "ro";
  result.cache_reads = cache != "off";
  result.isa = variable("RNNC_ISA");
  return result;
}

}  // namespace rnnc
