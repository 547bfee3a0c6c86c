// A bound cell becomes the operations that the portable executor runs. The passes are those of generated code; there is
// no plan and no machine code.
#pragma once

#include "compiler/schedule/cell_code.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Translates a bound cell. Errors: Limit if the packed weights would be too large; those of check_integer_sums.
/// Weights of products are integers where the format is one, on the kernels without fused multiply-adds; else they are
/// rounded to the format and kept as f32.
Result<CellCode> portable_code_of(const ir::Cell& cell, const runtime::PortableKernels& kernels,
                                  runtime::NumberFormat weights = runtime::kRowFormat);

/// The same in the form in which all code is planned; the code is there at once.
Result<PendingCode> plan_portable(const ir::Cell& cell, const runtime::PortableKernels& kernels,
                                  runtime::NumberFormat weights = runtime::kRowFormat);

/// Returns the name that a program of these kernels gives as its CPU.
std::string portable_cpu(const runtime::PortableKernels& kernels);

}  // namespace rnnc::compiler
