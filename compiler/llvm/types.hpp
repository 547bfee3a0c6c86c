// The format of numbers in memory becomes LLVM's types and addresses for them. Rows have the row format, which is also
// the default.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "compiler/schedule/target.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

/// Returns the type of one number as it lies in memory. Half precisions are integers, which LLVM computes nothing with,
/// and so are all digits of a number that is one.
llvm::Type* type_of(llvm::IRBuilderBase& builder, runtime::NumberFormat format = runtime::kRowFormat);

/// Returns the type of `lanes` numbers side by side.
llvm::FixedVectorType* vector_of(llvm::IRBuilderBase& builder, std::int64_t lanes,
                                 runtime::NumberFormat format = runtime::kRowFormat);

/// Returns the alignment of `elements` numbers that begin on a multiple of their size.
llvm::Align alignment_of(std::int64_t elements, runtime::NumberFormat format = runtime::kRowFormat);

/// Computes the address of the number that lies `elements` numbers behind `base`.
llvm::Value* advance(llvm::IRBuilderBase& builder, llvm::Value* base, llvm::Value* elements,
                     runtime::NumberFormat format = runtime::kRowFormat);

/// How code widens binary16: with an instruction for it; with integers, where kernels flush denormals; or with one
/// multiplication, where they do not.
enum class HalfWidening { Instruction, Integers, Product };
HalfWidening half_widening(const Target& target);

/// Converts vectors of floats of a format to the row format, without rounding.
llvm::Value* widen(llvm::IRBuilderBase& builder, llvm::Value* numbers, runtime::NumberFormat format, HalfWidening half);

/// Values that begin on a cache line have this alignment.
inline const llvm::Align kCacheLine{static_cast<std::uint64_t>(runtime::kCacheLineBytes)};

/// Reserves memory on the stack of the function that is being emitted.
llvm::AllocaInst* stack_slot(llvm::IRBuilderBase& builder, llvm::Type* type);

}  // namespace rnnc::compiler
