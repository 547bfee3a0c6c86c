// Cells to text: `parse(print(cell))` is equal to the cell. A value that is used twice and has no name gets one of the
// form `%7`, which the parser reads back as no name.
#pragma once

#include <string>

#include "ir/cell.hpp"

namespace rnnc::ir {

std::string print(const Cell& cell);
std::string print(const Module& module);

}  // namespace rnnc::ir
