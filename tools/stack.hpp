// A cell becomes the network that the flags --layers and --bidirectional ask for.
#pragma once

#include <rnnc/model.hpp>
#include <rnnc/result.hpp>

#include "ir/cell.hpp"
#include "tools/flags.hpp"

namespace rnnc::tools {

/// Makes `network stack<dims of the cell>` with layers l1, l2, ... of `cell`, which is in `cells` or a standard cell.
/// Each layer reads the output of the one before, of both directions side by side where it is bidirectional. Errors:
/// Usage where the cell does not read one vector of a size that has a name, or does not give a vector.
Result<Model> stack(const Model& cells, const ir::Cell& cell, const StackFlags& flags);

}  // namespace rnnc::tools
