// This file replaces operator new of the whole test program by one that counts; the memory is malloc's as ever.
#include "tests/support/allocations.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

#include "tests/support/guarded_allocations.hpp"

namespace {

thread_local long count = 0, live = 0;
thread_local long until_failure = 0;  // calls; 0 where none is to fail

}  // namespace

// Sanitizers have an operator new of their own, which finds more than this count.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void* allocate(std::size_t size, std::size_t alignment) {
  ++count;
  if (until_failure > 0 && --until_failure == 0) throw std::bad_alloc();
  size = (size + alignment - 1) / alignment * alignment;
  void* memory = alignment <= alignof(std::max_align_t) ? std::malloc(size) : std::aligned_alloc(alignment, size);
  if (!memory) throw std::bad_alloc();
  ++live;
  return memory;
}

static void release(void* memory) {
  if (memory) --live;
  std::free(memory);
}

void* operator new(std::size_t size) { return allocate(size == 0 ? 1 : size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  if (void* memory = rnnc::test::guarded_memory(size, static_cast<std::size_t>(alignment))) return memory;
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  if (!rnnc::test::release_guarded(memory)) release(memory);
}
static constexpr bool kCounted = true;
#else
static constexpr bool kCounted = false;
#endif

namespace rnnc::test {

long allocations() { return count; }
long live_allocations() { return live; }
bool allocations_are_counted() { return kCounted; }

FailingAllocation::FailingAllocation(long n) { until_failure = n; }
FailingAllocation::~FailingAllocation() { until_failure = 0; }
bool FailingAllocation::happened() const { return until_failure == 0; }

}  // namespace rnnc::test
