// A bound cell becomes its artifact: object code by LLVM, and the description of what the code reads and writes.
#pragma once

#include "compiler/schedule/lower.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::compiler {

/// Errors: Limit where the packed weights would take more than kMaxWeightsBytes. Dumper (compiler/llvm/dump.hpp) shows
/// the stages that RNNC_DEBUG names.
Result<runtime::Artifact> make_artifact(const ir::Cell& cell, const Target& target, const PlanOptions& options = {});

}  // namespace rnnc::compiler
