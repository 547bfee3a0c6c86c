// This check takes the description of a cell that was read from a file and tells whether its sizes and offsets fit each
// other.
#pragma once

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

/// Checks the sizes of the memory that a cell asks for, and the places of its states in it. The packing of the weights
/// is not checked, since the weights in a file are packed already. Throws Damaged.
void check_description(const Description& description);

}  // namespace rnnc::runtime
