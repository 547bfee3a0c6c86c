// Pages of the library itself, which a system brings into memory at their first use.
#pragma once

namespace rnnc::runtime {

/// Brings the code and constants of this library into memory, so that no later call is the first that needs them. In a
/// program that has the library linked into it, those within half a MiB of this function. Where the system does not
/// tell what is mapped, does nothing.
void touch_code() noexcept;

}  // namespace rnnc::runtime
