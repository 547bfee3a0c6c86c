#include "runtime/touch_code.hpp"

#include <cstddef>
#include <cstdint>

#if __has_include(<link.h>)
#include <link.h>
#include <unistd.h>

#include <algorithm>

namespace rnnc::runtime {
namespace {

constexpr std::uintptr_t kReach = 512 << 10;

std::uintptr_t here() noexcept { return reinterpret_cast<std::uintptr_t>(&touch_code); }

// The sanitizer is off here, since it keeps areas between constants that no other code may read.
[[gnu::no_sanitize_address]] void touch(std::uintptr_t begin, std::uintptr_t end) noexcept {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (std::uintptr_t at = begin; at < end; at = (at / page + 1) * page)
    (void)*reinterpret_cast<const volatile char*>(at);
}

// Reads the read-only pages near this function, if `object` is the one that contains it, and ends the search then.
int touch_object(dl_phdr_info* object, std::size_t, void*) noexcept {
  const auto begin_of = [&](const auto& segment) { return object->dlpi_addr + segment.p_vaddr; };
  const auto loaded = [&](auto visit) {
    for (std::size_t i = 0; i < object->dlpi_phnum; ++i)
      if (const auto& segment = object->dlpi_phdr[i];
          segment.p_type == PT_LOAD && (segment.p_flags & (PF_R | PF_W)) == PF_R)
        visit(begin_of(segment), begin_of(segment) + segment.p_memsz);
  };
  bool is_ours = false;
  loaded([&](std::uintptr_t begin, std::uintptr_t end) { is_ours = is_ours || (begin <= here() && here() < end); });
  if (!is_ours) return 0;
  loaded([](std::uintptr_t begin, std::uintptr_t end) {
    touch(std::max(begin, here() - std::min(here(), kReach)), std::min(end, here() + kReach));
  });
  return 1;
}

}  // namespace

void touch_code() noexcept { dl_iterate_phdr(touch_object, nullptr); }

}  // namespace rnnc::runtime

#else

namespace rnnc::runtime {
void touch_code() noexcept {}
}  // namespace rnnc::runtime

#endif
