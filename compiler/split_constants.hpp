// What a scan computes alike at each step, computed once a sequence.
#pragma once

#include "ir/cut_network.hpp"

namespace rnnc::compiler {

/// Scans may read vectors that are the same at each step. What depends on those and on parameters only leaves such a scan:
/// a call of its own computes it, once a sequence.
ir::CallList split_constants(ir::CallList list);

}  // namespace rnnc::compiler
