// The operations of portable programs for the vectors of one instruction set, and the choice among those built.
#pragma once

#include <span>

#include "runtime/portable.hpp"

namespace rnnc::runtime {

/// Rows that an operation is done for: of space s, row r begins at base[s] + r * stride[s].
struct PortableRows {
  float* base[kPortableSpaces] = {};
  std::int64_t stride[kPortableSpaces] = {};
  std::int64_t count = 0;
};

struct PortableKernels {
  const char* name;
  void (*product)(const PortableOp& op, const PortableRows& rows) noexcept;
  /// All of `ops`, which are no products, of a row before those of the next: what one writes the next reads from L1.
  void (*others)(std::span<const PortableOp> ops, const PortableRows& rows) noexcept;
};

extern const PortableKernels kPortableBaseline;
#if defined(__x86_64__)
extern const PortableKernels kPortableAvx2;
extern const PortableKernels kPortableAvx512;
#endif

}  // namespace rnnc::runtime
