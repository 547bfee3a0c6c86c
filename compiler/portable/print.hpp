// A portable program as text: where weights lie, the operations of each phase in their order, and the sizes of rows.
#pragma once

#include <string>

#include "compiler/schedule/cell_code.hpp"

namespace rnnc::compiler {

/// `code` is of portable_code_of. The text is the same for all kernels: the program does not depend on them.
std::string print_portable(const CellCode& code);

}  // namespace rnnc::compiler
