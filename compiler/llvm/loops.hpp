// Functions that emit a body become control flow in LLVM IR around it: counted loops with values carried from pass to
// pass, and branches.
#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>

#include <functional>
#include <vector>

namespace rnnc::compiler {

using Values = std::vector<llvm::Value*>;

/// A value whose code is emitted when it is asked for.
using Deferred = std::function<llvm::Value*()>;

/// Emits `for (i = begin; i < end; i += step) carried = body(i, carried)`; `begin` and `end` are i64. Returns the
/// values that the last pass carried, or `carried` where there was no pass. `name` says what i counts and names the
/// loop in listings.
Values emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, std::int64_t step, Values carried,
                llvm::function_ref<Values(llvm::Value* i, Values carried)> body, const char* name = "loop");

/// Emits the same loop with a step (i64) that is known only at run time.
Values emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, llvm::Value* step, Values carried,
                llvm::function_ref<Values(llvm::Value* i, Values carried)> body, const char* name = "loop");

/// Emits the same loop without carried values.
void emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, std::int64_t step,
              llvm::function_ref<void(llvm::Value* i)> body, const char* name = "loop");

void emit_if(
    llvm::IRBuilder<>& builder, llvm::Value* condition, llvm::function_ref<void()> then,
    llvm::function_ref<void()> otherwise = [] {});

/// Emits body(n) for each n in [least, most]; it runs where `value` (i64) is n. `value` is always in this range.
void emit_switch(llvm::IRBuilder<>& builder, llvm::Value* value, int least, int most,
                 llvm::function_ref<void(int n)> body);

}  // namespace rnnc::compiler
