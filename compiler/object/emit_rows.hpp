// Rows of memory in emitted code, each a number of floats behind the one before: copies of them, and functions over
// time.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "runtime/steps.hpp"

namespace rnnc::compiler {

struct EmittedRows {
  llvm::Value* data = nullptr;
  std::int64_t stride = 0;
};

/// Row `row` (i64) of them.
llvm::Value* row_of(llvm::IRBuilder<>& builder, const EmittedRows& rows, llvm::Value* row);

/// `width` floats of each of `count` rows.
void emit_copy(llvm::IRBuilder<>& builder, const EmittedRows& from, const EmittedRows& to, std::int64_t width,
               llvm::Value* count);

/// The same of `batch` rows, which become those of each step.
void emit_repeat(llvm::IRBuilder<>& builder, const EmittedRows& from, const EmittedRows& to, std::int64_t width,
                 llvm::Value* steps, llvm::Value* batch);

/// A function over the `steps` rows of each of `batch` sequences, with the bits of runtime::over_time. Rows of no step
/// give 0. `repeats`: `from` has one row for each sequence, which stands at each of its steps.
void emit_over_time(llvm::IRBuilder<>& builder, runtime::TimeFunction function, int lanes, const EmittedRows& from,
                    bool repeats, const EmittedRows& to, std::int64_t width, llvm::Value* steps, llvm::Value* batch);

}  // namespace rnnc::compiler
