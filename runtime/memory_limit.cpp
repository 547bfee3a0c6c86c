#include "runtime/memory_limit.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace rnnc::runtime {
namespace {

constexpr std::int64_t kSmall = std::int64_t{64} << 20;
constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max();

// Returns the number at the beginning of a file; nothing if there is none, as of "max".
std::optional<std::int64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

// Returns the memory that the system could give out without taking it from others (proc(5), MemAvailable).
std::int64_t available_in_system() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  for (std::int64_t kib = 0; file >> name >> kib; file.ignore(64, '\n'))
    if (name == "MemAvailable:") return kib * 1024;
  return kUnknown;
}

// Returns the bytes of files that the group has read and that the system drops first where memory gets short. They
// count as memory of the group, but nobody has to be ended for them.
std::int64_t droppable_in(const std::string& folder) {
  std::ifstream file(folder + "memory.stat");
  std::string name;
  for (std::int64_t bytes = 0; file >> name >> bytes;)
    if (name == "inactive_file") return bytes;
  return 0;
}

// Returns what is left of the smallest limit of the control groups of this process (cgroups(7), version 2).
std::int64_t available_in_groups() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line) && !line.starts_with("0::")) continue;
  if (!line.starts_with("0::")) return kUnknown;
  std::int64_t least = kUnknown;
  for (std::string group = line.substr(3);; group.erase(group.rfind('/'))) {
    const std::string folder = "/sys/fs/cgroup" + group + "/";
    const auto most = number_in(folder + "memory.max"), now = number_in(folder + "memory.current");
    if (most && now) least = std::min(least, std::max<std::int64_t>(0, *most - *now + droppable_in(folder)));
    if (group.find('/') == std::string::npos) return least;
  }
}

std::string mib(std::int64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

}  // namespace

std::int64_t available_memory() { return std::min(available_in_system(), available_in_groups()); }

void require_memory(std::int64_t bytes, const std::string& what) {
  if (bytes <= kSmall) return;
  const std::int64_t available = available_memory();
  if (bytes <= available) return;
  throw NotEnoughMemory(what + " takes " + mib(bytes) + ", but only " + mib(available) +
                        " of memory are left; use a smaller batch or fewer steps");
}

}  // namespace rnnc::runtime
