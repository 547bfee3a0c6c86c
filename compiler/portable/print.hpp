// A portable program becomes text: the places of weights, the operations of each phase in their order, and the sizes of
// rows. An operation takes one line, as `step[0:64] = tanh(step[64:128])`.
#pragma once

#include <string>

#include "compiler/schedule/cell_code.hpp"

namespace rnnc::compiler {

/// Returns the text of `code`, which portable_code_of has made. The text is the same for all kernels, because the
/// program does not depend on them.
std::string print_portable(const CellCode& code);

}  // namespace rnnc::compiler
