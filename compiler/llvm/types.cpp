#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {

using runtime::NumberFormat;

llvm::Type* type_of(llvm::IRBuilderBase& builder, NumberFormat format) {
  switch (format) {
    case NumberFormat::F32: return builder.getFloatTy();
  }
  return nullptr;
}

llvm::FixedVectorType* vector_of(llvm::IRBuilderBase& builder, std::int64_t lanes, NumberFormat format) {
  return llvm::FixedVectorType::get(type_of(builder, format), static_cast<unsigned>(lanes));
}

llvm::Align alignment_of(std::int64_t elements, NumberFormat format) {
  return llvm::Align(static_cast<std::uint64_t>(runtime::bytes_of(format, elements)));
}

llvm::Value* advance(llvm::IRBuilderBase& builder, llvm::Value* base, llvm::Value* elements, NumberFormat format) {
  return builder.CreateGEP(type_of(builder, format), base, elements);
}

llvm::Value* widen(llvm::IRBuilderBase&, llvm::Value* numbers, NumberFormat format) {
  switch (format) {
    case NumberFormat::F32: return numbers;
  }
  return nullptr;
}

}  // namespace rnnc::compiler
