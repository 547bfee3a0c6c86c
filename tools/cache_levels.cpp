#include "tools/cache_levels.hpp"

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
    if (bytes <= 0.75 * size) return "L" + std::to_string(level);
  return caches.empty() ? "" : "memory";
}

}  // namespace rnnc::tools
