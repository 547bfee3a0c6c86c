// This check takes a program that was read from a file and compares every index and size with the list it belongs to,
// before anything runs.
#pragma once

#include "runtime/artifact_file.hpp"

namespace rnnc::runtime {

/// Checks a program with each of its levels. Throws Damaged.
void check_program(const StoredProgram& stored);

}  // namespace rnnc::runtime
