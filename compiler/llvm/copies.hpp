// The copies of a stage, which take parts of vectors in memory to where other vectors are put together, become a loop
// over a table of places. Written out, each is code of its own that runs once in a step: with a loop, a frame of a
// denoiser with 15,000 copies takes 64 us instead of 83 (docs/performance.md, "Many small parts").
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <vector>

#include "compiler/llvm/stage_context.hpp"

namespace rnnc::compiler {

/// The places count floats from the beginning of a row of their space.
struct Copy {
  Space from, to;
  std::int64_t source = 0, target = 0;
};

/// Takes the copies out of a stage where they are enough for a loop. Those between the same spaces are side by side.
std::vector<Copy> take_copies(const Schedule& schedule, Stage& stage);

/// Emits copies of `units` floats for all rows (i64). They read what earlier stages wrote, so that they come before all
/// else of their stage.
void emit_copies(llvm::IRBuilder<>& builder, const StageContext& context, const std::vector<Copy>& copies,
                 std::int64_t units, llvm::Value* rows);

}  // namespace rnnc::compiler
