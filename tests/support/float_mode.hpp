// These are the floating-point modes in which a caller may be when it calls us: roundings, traps and flushed
// denormals.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace rnnc::test {

struct FloatMode {
  int rounding;  // of <cfenv>: FE_UPWARD, ...; of the x87 unit too
  bool traps;    // every exception ends the process; always false where the system cannot do so
  bool flushes;  // denormals count as zero
  bool single;   // the x87 unit computes in single precision; always false on other machines
};

std::vector<FloatMode> float_modes();
std::string to_string(const FloatMode& mode);

/// Runs `call` on this thread in the mode, which must neither compute nor throw beside what is tested. Throws if the
/// mode or the flags of exceptions are not the same behind the call; in the mode in which kernels compute, flags may be
/// added.
void in_mode(const FloatMode& mode, const std::function<void()>& call);

}  // namespace rnnc::test
