// What a scan computes alike at each step, computed once a sequence.
#pragma once

#include "compiler/network/cut.hpp"

namespace rnnc::compiler {

/// Scans may read vectors that are the same at each step. What depends on those and on parameters only leaves such a
/// scan: a call of its own computes it, once a sequence.
CallList split_constants(CallList list);

}  // namespace rnnc::compiler
