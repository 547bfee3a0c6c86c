#include "tools/cache_levels.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

namespace rnnc::tools {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Returns the bytes of the caches that hold data, by level, as one core sees them.
std::map<int, double> cache_bytes() {
  std::map<int, double> caches;
  constexpr int kMostCaches = 16;
  for (int i = 0; i < kMostCaches; ++i) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    const std::string size = first_line(folder + "size"), level = first_line(folder + "level");
    if (size.empty() || level.size() != 1 || first_line(folder + "type") == "Instruction") continue;
    const double unit = size.back() == 'K' ? 1024 : size.back() == 'M' ? 1024 * 1024 : 0;
    const double bytes = std::strtod(size.c_str(), nullptr) * unit;
    if (bytes > 0) caches[level[0] - '0'] = bytes;
  }
  return caches;
}

}  // namespace

std::string size_text(double bytes) {
  constexpr double kKiB = 1024, kMiB = 1024 * kKiB;
  char text[48];
  if (bytes < kKiB) return std::to_string(static_cast<long long>(bytes)) + " bytes";
  const double size = bytes / (bytes >= kMiB ? kMiB : kKiB);
  std::snprintf(text, sizeof text, size >= 100 ? "%.0f" : "%.3g", size);
  return text + std::string(bytes >= kMiB ? " MiB" : " KiB");
}

std::string level_of(double bytes) {
  const std::map<int, double> caches = cache_bytes();
  for (const auto& [level, size] : caches)
    if (bytes <= size / 2) return "L" + std::to_string(level);
  return caches.empty() ? "" : "memory";
}

std::vector<LevelSpeed> level_speeds(const Limits& limits) {
  std::vector<LevelSpeed> levels;
  const auto add = [&](const std::string& name, double above, double up_to) {
    double best = 0;
    for (const ReadSpeed& read : limits.reads)
      if (read.bytes > above && read.bytes <= up_to) best = std::max(best, read.bytes_per_second);
    if (best > 0) levels.push_back({name, best});
  };
  double before = 0;
  for (const auto& [level, bytes] : cache_bytes()) {
    add("L" + std::to_string(level), before, bytes / 2);
    before = bytes;
  }
  const double largest = limits.reads.back().bytes;
  if (before > 0) add("memory", std::max(before, 2 * before - 1), largest);
  if (levels.empty())
    for (const ReadSpeed& read : {limits.reads.front(), limits.reads.back()})
      levels.push_back({size_text(read.bytes), read.bytes_per_second});
  return levels;
}

}  // namespace rnnc::tools
