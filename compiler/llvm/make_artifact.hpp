// From a bound cell to its artifact: object code by LLVM, and the description of what the code reads and writes.
#pragma once

#include "compiler/schedule/lower.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::compiler {

/// Errors: Limit where the packed weights would take more than kMaxWeightsBytes. What RNNC_DEBUG asks for is printed to
/// standard error, or written to RNNC_DUMP_DIR.
Result<runtime::Artifact> make_artifact(const ir::Cell& cell, const Target& target, const PlanOptions& options = {});

}  // namespace rnnc::compiler
