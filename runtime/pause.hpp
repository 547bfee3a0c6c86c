// Threads that wait for another in a loop, without a system call while the other one runs.
#pragma once

#include <thread>

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

/// The number of pauses after which a waiting thread gives its core away: some 50 us. The thread that it waits for does
/// not run by then, and may need this core to do so.
inline constexpr int kPausesToYield = 4096;

/// Waits once in a loop that looks again and again.
class Waiting {
 public:
  void once() noexcept {
    if (++pauses_ % kPausesToYield == 0) std::this_thread::yield();
    pause();
  }
  void begin_again() noexcept { pauses_ = 0; }

 private:
  int pauses_ = 0;
};

}  // namespace rnnc::runtime
