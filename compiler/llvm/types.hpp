// LLVM's types and addresses for numbers in memory, from their format. Rows are of the row format, and so is what no
// format is told for.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "runtime/number_format.hpp"

namespace rnnc::compiler {

/// One number.
llvm::Type* type_of(llvm::IRBuilderBase& builder, runtime::NumberFormat format = runtime::kRowFormat);

/// `lanes` numbers side by side.
llvm::FixedVectorType* vector_of(llvm::IRBuilderBase& builder, std::int64_t lanes,
                                 runtime::NumberFormat format = runtime::kRowFormat);

/// The alignment of `elements` numbers that begin on a multiple of their size.
llvm::Align alignment_of(std::int64_t elements, runtime::NumberFormat format = runtime::kRowFormat);

/// The address of the number that lies `elements` numbers behind `base`.
llvm::Value* advance(llvm::IRBuilderBase& builder, llvm::Value* base, llvm::Value* elements,
                     runtime::NumberFormat format = runtime::kRowFormat);

/// Numbers of a format, converted to the row format without rounding.
llvm::Value* widen(llvm::IRBuilderBase& builder, llvm::Value* numbers, runtime::NumberFormat format);

/// Values that begin on a cache line, of the row format.
inline const llvm::Align kCacheLine{static_cast<std::uint64_t>(runtime::kCacheLineBytes)};

}  // namespace rnnc::compiler
