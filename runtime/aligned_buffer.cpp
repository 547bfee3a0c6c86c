#include "runtime/aligned_buffer.hpp"

#include <limits>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace rnnc::runtime {
namespace {

// Weights that are streamed at every step need a TLB entry for each page. Huge pages (2 MiB on x86-64) take 14 % off a
// step of an LSTM of 1024 units with one sequence and change nothing up to 512 units (docs/performance.md).
constexpr std::size_t kHugePage = std::size_t{2} << 20, kLarge = std::size_t{1} << 20;

// The request is only a hint: a system without such pages leaves the memory as it is.
void ask_for_huge_pages([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__)
  madvise(data, bytes, MADV_HUGEPAGE);
#endif
}

}  // namespace

AlignedBuffer::AlignedBuffer(std::int64_t size) : size_(size) {
  if (size == 0) return;
  if (size < 0 || size > std::numeric_limits<std::int64_t>::max() / bytes_of(kRowFormat, 1)) throw std::bad_alloc();
  const std::size_t bytes = static_cast<std::size_t>(bytes_of(kRowFormat, size));
  const bool is_large = bytes >= kLarge;
  const std::size_t alignment = is_large ? kHugePage : std::size_t{kCacheLineBytes};
  const std::size_t whole = is_large ? (bytes + kHugePage - 1) / kHugePage * kHugePage : bytes;
  data_ = {static_cast<float*>(::operator new (whole, std::align_val_t{alignment})), Free{alignment}};
  if (is_large) ask_for_huge_pages(data_.get(), whole);
  clear();
}

void AlignedBuffer::Free::operator()(float* data) const { ::operator delete (data, std::align_val_t{alignment}); }

}  // namespace rnnc::runtime
