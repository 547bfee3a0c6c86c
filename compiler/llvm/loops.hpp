// Control flow in LLVM IR: counted loops with values carried from pass to pass, and branches.
#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>

#include <vector>

namespace rnnc::compiler {

using Values = std::vector<llvm::Value*>;

/// for (i = begin; i < end; i += step) carried = body(i, carried). `begin` and `end` are i64. Yields what the last pass
/// carried, or `carried` where there was none. `name`, what i counts, is the loop's in listings.
Values emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, std::int64_t step, Values carried,
                llvm::function_ref<Values(llvm::Value* i, Values carried)> body, const char* name = "loop");

/// The same with a step (i64) that is known only when it runs.
Values emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, llvm::Value* step, Values carried,
                llvm::function_ref<Values(llvm::Value* i, Values carried)> body, const char* name = "loop");

/// The same with nothing carried.
void emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, std::int64_t step,
              llvm::function_ref<void(llvm::Value* i)> body, const char* name = "loop");

void emit_if(
    llvm::IRBuilder<>& builder, llvm::Value* condition, llvm::function_ref<void()> then,
    llvm::function_ref<void()> otherwise = [] {});

/// Runs body(n) where `value` (i64) is n, for n in [least, most]; it is no other.
void emit_switch(llvm::IRBuilder<>& builder, llvm::Value* value, int least, int most,
                 llvm::function_ref<void(int n)> body);

}  // namespace rnnc::compiler
