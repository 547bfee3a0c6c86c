// Text becomes a module of cells and networks.
#pragma once

#include <string_view>

#include <rnnc/result.hpp>
#include "ir/cell.hpp"

namespace rnnc::ir {

/// Reads a file; `file` is used in messages. Every cell and network returned passes verify.
/// Limits: 16 MiB of text, nesting of 256, 1e6 nodes.
Result<Module> parse(std::string_view text, std::string_view file = "<text>");

}  // namespace rnnc::ir
