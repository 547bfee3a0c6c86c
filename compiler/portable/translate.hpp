// From a cell to the operations that the portable executor runs: the same passes, no code.
#pragma once

#include "compiler/schedule/cell_code.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

/// `cell` is bound. Errors: Limit where the packed weights would be too large.
Result<CellCode> portable_code_of(const ir::Cell& cell, const runtime::PortableKernels& kernels);

/// What programs that run on them call their CPU.
std::string portable_cpu(const runtime::PortableKernels& kernels);

}  // namespace rnnc::compiler
