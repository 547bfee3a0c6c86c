// Rows in memory, each a number of floats behind the one before, become emitted code that copies them or computes
// functions over time of them.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "runtime/steps.hpp"

namespace rnnc::compiler {

struct EmittedRows {
  llvm::Value* data = nullptr;
  std::int64_t stride = 0;
};

/// Computes the address of row `row` (i64).
llvm::Value* row_of(llvm::IRBuilder<>& builder, const EmittedRows& rows, llvm::Value* row);

/// Copies `width` floats of each of `count` rows.
void emit_copy(llvm::IRBuilder<>& builder, const EmittedRows& from, const EmittedRows& to, std::int64_t width,
               llvm::Value* count);

/// Copies `width` floats of each of `batch` rows to every one of `steps` steps.
void emit_repeat(llvm::IRBuilder<>& builder, const EmittedRows& from, const EmittedRows& to, std::int64_t width,
                 llvm::Value* steps, llvm::Value* batch);

/// Computes a function over the `steps` rows of each of `batch` sequences, with the bits of runtime::over_time. Without
/// steps the result is 0. A function that gives a sequence writes `steps` rows of each. Where `repeats`, `from` has one
/// row for each sequence, which stands for all its steps.
void emit_over_time(llvm::IRBuilder<>& builder, runtime::OverTime function, int lanes, const EmittedRows& from,
                    bool repeats, const EmittedRows& to, std::int64_t width, llvm::Value* steps, llvm::Value* batch);

}  // namespace rnnc::compiler
