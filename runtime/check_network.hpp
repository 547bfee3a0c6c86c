// A network that was read from a file: every index and size against what it counts, before anything runs.
#pragma once

#include "runtime/artifact_file.hpp"

namespace rnnc::runtime {

/// Throws Damaged.
void check_network(const StoredNetwork& stored);

}  // namespace rnnc::runtime
