// The system loads pages of this library at their first use; this function reads them all once before.
#pragma once

namespace rnnc::runtime {

/// Brings the code and constants of this library into memory, so that no later call is the first that needs them. If
/// the library is linked into a program, only the pages within half a MiB of this function are read. Does nothing if
/// the system does not tell which pages are mapped.
void touch_code() noexcept;

}  // namespace rnnc::runtime
