// Whether the sizes and places of a cell's description fit each other.
#pragma once

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

/// Of a cell: what memory is asked for, and where states lie in it. How weights were packed is not looked at again.
/// Throws Damaged.
void check_description(const Description& description);

}  // namespace rnnc::runtime
