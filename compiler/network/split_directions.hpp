// Bidirectional scans as two scans each, before a network is cut into calls.
#pragma once

#include "ir/cell.hpp"

namespace rnnc::compiler {

/// The network with each bidirectional scan `a` as two of one direction, `a.fwd` and `a.bwd`, and their merge as an
/// expression. `network` is bound and verified; the result, whose names are no longer those of text, computes the same.
ir::Network split_directions(const ir::Network& network);

}  // namespace rnnc::compiler
