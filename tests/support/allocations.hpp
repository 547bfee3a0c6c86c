// These functions tell what this thread does with operator new, and make it fail.
#pragma once

namespace rnnc::test {

long allocations();       // how often it has been called so far
long live_allocations();  // of these, how many have not been freed yet, by this thread

/// False where a sanitizer has an operator new of its own: then nothing of this counts or fails.
bool allocations_are_counted();

/// While it lives, the n-th call from its beginning on throws std::bad_alloc, and no other does.
class FailingAllocation {
 public:
  explicit FailingAllocation(long n);
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

  bool happened() const;
};

}  // namespace rnnc::test
