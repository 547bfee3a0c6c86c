// This header has the operations of portable programs for the vectors of one instruction set, and the sets that are
// built.
#pragma once

#include <span>

#include "runtime/portable.hpp"

namespace rnnc::runtime {

/// The rows that an operation runs for: row r of space s begins at base[s] + r * stride[s].
struct PortableRows {
  float* base[kPortableSpaces] = {};
  std::int64_t stride[kPortableSpaces] = {};
  std::int64_t count = 0;
};

struct PortableKernels {
  const char* name;
  void (*product)(const PortableOp& op, const PortableRows& rows) noexcept;
  /// Runs all of `ops`, none of which is a product, for one row before the next: each operation reads from L1 what the
  /// one before wrote.
  void (*others)(std::span<const PortableOp> ops, const PortableRows& rows) noexcept;
};

extern const PortableKernels kPortableBaseline;
#if defined(__x86_64__)
extern const PortableKernels kPortableAvx2;
extern const PortableKernels kPortableAvx512;
#else
extern const PortableKernels kPortableUnfused;
#endif

}  // namespace rnnc::runtime
