// These checks take the description of a cell or a program that was read from a file and tell whether its sizes and
// offsets fit each other.
#pragma once

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

/// Checks the sizes of the memory that a cell asks for, and the places of its states in it. The packing of the weights
/// is not checked, since the weights in a file are packed already. Throws Damaged.
void check_description(const Description& description);

/// Checks that the inputs and the output have the sizes that x and y have. Throws Damaged.
void check_ports(const Description& description);

}  // namespace rnnc::runtime
