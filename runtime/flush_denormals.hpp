// An object of this class makes the CPU treat denormals as zero while it lives; its destructor restores the caller's
// mode.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace rnnc::runtime {

class FlushDenormals {
 public:
  FlushDenormals() noexcept : before_(read()) {
    if (!is_set()) write(before_ | kFlush);
  }
  ~FlushDenormals() {
    if (!is_set()) write(before_);
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__x86_64__)
  using Mode = unsigned;
  static constexpr Mode kFlush = 0x8040;  // MXCSR: flush to zero, denormals are zero
  static Mode read() noexcept { return _mm_getcsr(); }
  static void write(Mode mode) noexcept { _mm_setcsr(mode); }
#elif defined(__aarch64__)
  using Mode = std::uint64_t;
  static constexpr Mode kFlush = 1u << 24;  // FPCR.FZ
  static Mode read() noexcept {
    Mode mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void write(Mode mode) noexcept { asm volatile("msr fpcr, %0" ::"r"(mode)); }
#else
  using Mode = unsigned;
  static constexpr Mode kFlush = 0;
  static Mode read() noexcept { return 0; }
  static void write(Mode) noexcept {}
#endif
  // A write of the mode takes a CPU some 20 cycles; callers that process audio have set the mode already.
  bool is_set() const noexcept { return (before_ & kFlush) == kFlush; }

  Mode before_;
};

}  // namespace rnnc::runtime
