// An object of this class gives its thread the floating-point environment in which a C program starts; its destructor
// restores the caller's. The header is for our own libraries and is not installed.
#pragma once

#include <cfenv>

namespace rnnc {

/// Numbers in texts and files, constants that are folded and costs that are estimated must not depend on the caller's
/// rounding, on denormals that the caller flushes or on traps that the caller enables. The functions that read and
/// compile hold an object of this class. The caller's modes and flags are as before afterwards.
class DefaultFloatEnvironment {
 public:
  DefaultFloatEnvironment() noexcept {
    std::fegetenv(&callers_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultFloatEnvironment() { std::fesetenv(&callers_); }
  DefaultFloatEnvironment(const DefaultFloatEnvironment&) = delete;
  DefaultFloatEnvironment& operator=(const DefaultFloatEnvironment&) = delete;

 private:
  std::fenv_t callers_;
};

}  // namespace rnnc
