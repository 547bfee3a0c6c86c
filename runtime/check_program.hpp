// A program that was read from a file: every index and size is checked against what it counts, before anything runs.
#pragma once

#include "runtime/artifact_file.hpp"

namespace rnnc::runtime {

/// Throws Damaged.
void check_program(const StoredProgram& stored);

}  // namespace rnnc::runtime
