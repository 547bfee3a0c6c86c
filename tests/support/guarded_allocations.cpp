#include "tests/support/guarded_allocations.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

namespace rnnc::test {
namespace {

enum class Mode { Off, AtBegin, AtEnd };
thread_local Mode mode = Mode::Off;

struct Region {
  char* data = nullptr;
  std::size_t size = 0;
  char* map = nullptr;
  std::size_t length = 0;
  std::size_t gap = 0;  // bytes behind `size` that are no guard page
};

constexpr unsigned char kUntouched = 0x5a;

// What is given out. Memory may be freed by another thread, and after the GuardedAllocations is gone.
std::mutex mutex;
std::array<Region, 4096> regions;
long given = 0;

}  // namespace

GuardedAllocations::GuardedAllocations(bool at_end) { mode = at_end ? Mode::AtEnd : Mode::AtBegin; }
GuardedAllocations::~GuardedAllocations() { mode = Mode::Off; }

long guarded_allocations() { return given; }

void* guarded_memory(std::size_t size, std::size_t alignment) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (mode == Mode::Off || alignment > page) return nullptr;
  const std::size_t aligned = (size + alignment - 1) / alignment * alignment,
                    inner = (aligned + page - 1) / page * page;
  Region region{nullptr, size, nullptr, inner + 2 * page, 0};
  void* map = ::mmap(nullptr, region.length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) throw std::bad_alloc();
  region.map = static_cast<char*>(map);
  ::mprotect(region.map + page, inner, PROT_READ | PROT_WRITE);
  region.data = region.map + page + (mode == Mode::AtEnd ? inner - aligned : 0);
  region.gap = mode == Mode::AtEnd ? aligned - size : inner - size;
  std::memset(region.data + size, kUntouched, region.gap);
  const std::lock_guard lock(mutex);
  Region* free = std::find_if(regions.begin(), regions.end(), [](const Region& each) { return !each.data; });
  if (free == regions.end()) throw std::bad_alloc();
  *free = region;
  ++given;
  return region.data;
}

bool release_guarded(void* memory) {
  if (!memory) return false;
  const std::lock_guard lock(mutex);
  Region* found = std::find_if(regions.begin(), regions.end(), [&](const Region& each) { return each.data == memory; });
  if (found == regions.end()) return false;
  const bool untouched = std::all_of(found->data + found->size, found->data + found->size + found->gap,
                                     [](char byte) { return static_cast<unsigned char>(byte) == kUntouched; });
  if (!untouched) {
    std::fprintf(stderr, "bytes behind a buffer of %zu bytes were written\n", found->size);
    std::abort();
  }
  ::munmap(found->map, found->length);
  *found = {};
  return true;
}

}  // namespace rnnc::test
