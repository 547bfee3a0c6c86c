// Bidirectional scans as two scans each, before a network is cut into calls.
#pragma once

#include "ir/cell.hpp"

namespace rnnc::ir {

/// The network with each bidirectional scan `a` as two of one direction, `a.fwd` and `a.bwd`, and their merge as an
/// expression. `network` is bound and verified; the result, whose names are no longer those of text, computes the same.
Network split_directions(const Network& network);

}  // namespace rnnc::ir
