// Code for a cell, ready to run: from the cache if it is there, else generated, by the plan that is asked for or kept.
#pragma once

#include <rnnc/compile.hpp>

#include "compiler/schedule/cell_code.hpp"
#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Whether this build has LLVM.
bool can_generate_code();

/// `cell` is bound; of `options`, what concerns threads, plan and cache counts. Errors: those of make_artifact, of
/// parse_choices and of map_code.
Result<CellCode> code_of(const ir::Cell& cell, const Target& target, const CompileOptions& options);

}  // namespace rnnc::compiler
