// An object of this class gives its thread the floating-point mode in which kernels compute; its destructor restores
// the caller's mode and flags.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace rnnc::runtime {

/// Rounding is to nearest even, no exception traps, and denormal operands and results count as zero. Lanes behind the
/// end of a vector compute too, so that an exception in them says nothing about the caller's values: the flags are
/// those from before. Only if the caller's mode is that of kernels already, and nothing has to be written, the flags of
/// what was computed are added to them.
class KernelFloatMode {
 public:
  KernelFloatMode() noexcept : before_(read_mode()), flags_(read_flags()) {
    if (differs()) write_mode(kMode | (before_ & kFlags));
  }
  ~KernelFloatMode() {
    if (!differs()) return;
    write_mode(before_);
    write_flags(flags_);
  }
  KernelFloatMode(const KernelFloatMode&) = delete;
  KernelFloatMode& operator=(const KernelFloatMode&) = delete;

 private:
#if defined(__x86_64__)
  using Mode = unsigned;
  static constexpr Mode kFlags = 0x003f;  // MXCSR: the exceptions that have been raised
  static constexpr Mode kMode = 0x9fc0;   // all exceptions masked, flush to zero, denormals are zero
  static Mode read_mode() noexcept { return _mm_getcsr(); }
  static void write_mode(Mode mode) noexcept { _mm_setcsr(mode); }
  static Mode read_flags() noexcept { return 0; }
  static void write_flags(Mode) noexcept {}
#elif defined(__aarch64__)
  using Mode = std::uint64_t;
  static constexpr Mode kFlags = 0;        // they are in FPSR
  static constexpr Mode kMode = 1u << 24;  // FPCR.FZ, which flushes operands too
  static Mode read_mode() noexcept {
    Mode mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void write_mode(Mode mode) noexcept { asm volatile("msr fpcr, %0" ::"r"(mode)); }
  static Mode read_flags() noexcept {
    Mode flags;
    asm volatile("mrs %0, fpsr" : "=r"(flags));
    return flags;
  }
  static void write_flags(Mode flags) noexcept { asm volatile("msr fpsr, %0" ::"r"(flags)); }
#else
  using Mode = unsigned;
  static constexpr Mode kFlags = 0, kMode = 0;
  static Mode read_mode() noexcept { return 0; }
  static void write_mode(Mode) noexcept {}
  static Mode read_flags() noexcept { return 0; }
  static void write_flags(Mode) noexcept {}
#endif

  // A write of the mode takes a CPU some 20 cycles. A caller that processes audio has set the mode already.
  bool differs() const noexcept { return (before_ & ~kFlags) != kMode; }

  Mode before_, flags_;
};

}  // namespace rnnc::runtime
