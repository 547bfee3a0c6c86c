// --layers and --bidirectional: the network that they make of a cell.
#pragma once

#include <rnnc/model.hpp>
#include <rnnc/result.hpp>

#include "ir/cell.hpp"
#include "tools/flags.hpp"

namespace rnnc::tools {

/// `network stack<dims of the cell>`: layers l1, l2, ... of `cell`, which `cells` or the standard ones have; each reads
/// the output of the one before, of both directions side by side where it is bidirectional. Errors: Usage where the
/// cell does not read one vector of a size that has a name, or does not give a vector.
Result<Model> stack(const Model& cells, const ir::Cell& cell, const StackFlags& flags);

}  // namespace rnnc::tools
