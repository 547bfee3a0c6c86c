#include "tests/support/float_mode.hpp"

#include <cfenv>
#include <stdexcept>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace rnnc::test {
namespace {

#if defined(__x86_64__)
constexpr bool kHasX87 = true;

constexpr unsigned kFlushes = 0x8040;                   // MXCSR: flush to zero, denormals are zero
constexpr unsigned short kPrecision = 0x0300;           // of the control word of the x87 unit: 0 is single precision
constexpr unsigned kAllTraps = FE_ALL_EXCEPT | 0x0002;  // and the trap for denormal operands

// All that a call must leave as it was.
struct Environment {
  unsigned mxcsr;
  unsigned short control, status;
  friend bool operator==(const Environment&, const Environment&) = default;
};

Environment environment() {
  Environment now{};
  now.mxcsr = _mm_getcsr();
  asm volatile("fnstcw %0" : "=m"(now.control));
  asm volatile("fnstsw %0" : "=m"(now.status));
  return now;
}

void clear_flags(Environment& environment) { environment.mxcsr &= ~0x3fu; }

void enter(const FloatMode& mode) {
  std::fesetround(mode.rounding);
  unsigned mxcsr = _mm_getcsr();
  unsigned short control;
  asm volatile("fnstcw %0" : "=m"(control));
  if (mode.flushes) mxcsr |= kFlushes;
  if (mode.single) control &= static_cast<unsigned short>(~kPrecision);
  if (mode.traps) {
    mxcsr &= ~(kAllTraps << 7);
    control &= static_cast<unsigned short>(~kAllTraps);
  }
  asm volatile("fldcw %0" ::"m"(control));
  _mm_setcsr(mxcsr);
}
#else
constexpr bool kHasX87 = false;

// All that a call must leave as it was.
struct Environment {
  unsigned long mode, flags;
  friend bool operator==(const Environment&, const Environment&) = default;
};

Environment environment() {
  Environment now{};
  asm volatile("mrs %0, fpcr" : "=r"(now.mode));
  asm volatile("mrs %0, fpsr" : "=r"(now.flags));
  return now;
}

void clear_flags(Environment& environment) { environment.flags = 0; }

void enter(const FloatMode& mode) {
  std::fesetround(mode.rounding);
  const unsigned long bits = environment().mode | (mode.flushes ? 1ul << 24 : 0);
  asm volatile("msr fpcr, %0" ::"r"(bits));
}
#endif

// The flags may differ in the mode in which kernels compute.
bool same(Environment before, Environment after, const FloatMode& mode) {
  if (mode.flushes && !mode.traps && mode.rounding == FE_TONEAREST) clear_flags(before), clear_flags(after);
  return before == after;
}

}  // namespace

std::vector<FloatMode> float_modes() {
  std::vector<FloatMode> modes;
  for (const int rounding : {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO})
    for (const bool flushes : {false, true})
      for (const bool traps : {false, true})
        if (kHasX87 || !traps) modes.push_back({rounding, traps, flushes, kHasX87 && flushes != traps});
  return modes;
}

std::string to_string(const FloatMode& mode) {
  std::string text = mode.rounding == FE_TONEAREST  ? "to nearest"
                     : mode.rounding == FE_UPWARD   ? "upward"
                     : mode.rounding == FE_DOWNWARD ? "downward"
                                                    : "toward zero";
  if (mode.traps) text += ", traps";
  if (mode.flushes) text += ", flushing";
  if (mode.single) text += ", x87 in single precision";
  return text;
}

void in_mode(const FloatMode& mode, const std::function<void()>& call) {
  std::fenv_t callers;
  std::fegetenv(&callers);
  std::feclearexcept(FE_ALL_EXCEPT);
  enter(mode);
  const Environment before = environment();
  call();
  const Environment after = environment();
  std::fesetenv(&callers);
  if (!same(before, after, mode)) throw std::runtime_error("a call changes the floating-point mode or its flags");
}

}  // namespace rnnc::test
