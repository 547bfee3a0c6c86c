// Buffers of the runtime, which are allocated with an alignment, between pages that nobody may touch: weights, states
// and working memory of cells and networks. Generated code that leaves them faults. Nothing of it works with a
// sanitizer's operator new.
#pragma once

#include <cstddef>

namespace rnnc::test {

/// While it lives, what this thread allocates with an alignment ends right before a guard page, or begins right behind
/// one. The bytes between a size that is no multiple of the alignment and the page are looked at when the memory is
/// freed.
class GuardedAllocations {
 public:
  explicit GuardedAllocations(bool at_end);
  ~GuardedAllocations();
  GuardedAllocations(const GuardedAllocations&) = delete;
  GuardedAllocations& operator=(const GuardedAllocations&) = delete;
};

/// How many have been given out so far.
long guarded_allocations();

// For operator new and delete. Null where no GuardedAllocations lives, or the alignment is more than a page's.
void* guarded_memory(std::size_t size, std::size_t alignment);
bool release_guarded(void* memory);

}  // namespace rnnc::test
