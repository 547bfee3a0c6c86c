// A phase of much code becomes functions of some of its stages each. LLVM takes more than linear time for a function,
// and each stage may have accumulators in the frame of its function.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "compiler/llvm/meeting.hpp"
#include "compiler/llvm/tile.hpp"

namespace rnnc::compiler {

/// The values of a function that its stages read.
struct StageValues {
  RowSpaces spaces;
  Part part;
  std::optional<Meeting> meeting;  // only where threads share the stages
  llvm::Value* count = nullptr;    // the rows
  llvm::Value* turned = nullptr;   // as StageContext::turned
  llvm::Value* frame = nullptr;    // the address of all these values; null where stages need no function
};

/// Emits loads of the values from the frame that lies at `frame`; `values` tells which of them are there.
StageValues taken_from(llvm::IRBuilder<>& builder, llvm::Value* frame, StageValues values);

/// Groups the stages of a phase, in order, by the functions that are to hold them. One group needs no function of its
/// own. The largest standard cell has one group.
std::vector<std::vector<std::size_t>> function_groups(const Schedule& schedule, Phase phase);

/// Emits a function of the module for each group, whose code `body` emits, and calls of all of them, one after the
/// other.
void emit_functions(llvm::IRBuilder<>& builder, const std::vector<std::vector<std::size_t>>& groups,
                    const StageValues& values,
                    const std::function<void(const std::vector<std::size_t>&, StageValues&)>& body);

}  // namespace rnnc::compiler
