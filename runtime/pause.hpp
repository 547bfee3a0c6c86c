// A thread that waits for another in a loop calls this function.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rnnc::runtime {

/// Tells the CPU that this thread only waits.
inline void pause() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace rnnc::runtime
