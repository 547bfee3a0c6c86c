// Each bidirectional scan of a network becomes two scans, before the network is cut into calls.
#pragma once

#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Returns the network with each bidirectional scan `a` replaced by two scans, `a.fwd` and `a.bwd`, and an expression
/// that merges them. `network` is bound and verified. The result computes the same, but names such as `a.fwd` cannot be
/// written in text.
ir::Network split_directions(const ir::Network& network);

}  // namespace rnnc::compiler
