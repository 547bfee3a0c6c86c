// The stages of a kernel share a context: the schedule and plan, and the values in which code finds rows and threads.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <array>

#include "compiler/llvm/tile_kernels.hpp"
#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/stages.hpp"
#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

/// The rows of a space begin at `base`; each begins `stride` floats (i64) behind the one before.
struct Rows {
  llvm::Value* base = nullptr;
  llvm::Value* stride = nullptr;
};

using RowSpaces = std::array<Rows, kSpaces>;

/// A thread computes part `index` of `count` of every stage's blocks; `index` is null where one thread computes all.
struct Part {
  llvm::Value* index = nullptr;  // i64
  llvm::Value* count = nullptr;
};

class PlaceTable;
class SharedCode;

struct StageContext {
  const Schedule& schedule;
  const Plan& plan;
  const Target& target;
  const RowSpaces& spaces;
  TileKernels& kernels;
  Part part;
  llvm::Value* turned = nullptr;       // i1: a single row passes over the blocks backwards; null where it never does
  PlaceTable* places = nullptr;        // of code that several parts of stages share; null where places are constants
  const SharedCode* shared = nullptr;  // of the phase; null where no parts of stages share code
  llvm::Value* frame = nullptr;        // that SharedCode::emit_calls needs

  /// Emits the place (i64) of what lies `offset` elements behind the beginning of a row of a space.
  llvm::Value* place(llvm::IRBuilder<>& builder, Space space, std::int64_t offset) const;
};

}  // namespace rnnc::compiler
