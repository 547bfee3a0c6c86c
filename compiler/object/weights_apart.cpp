#include "compiler/object/weights_apart.hpp"

#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {
namespace {

constexpr std::size_t kHeadBytes = 64;  // so that weights stay aligned
constexpr std::string_view kMagic = "rnnc weights 1\n";

// LLVM's kernels have small tables too, which are aligned to their elements. The arrays of a program begin on a line.
bool holds_weights(const llvm::GlobalVariable& global) {
  return global.isConstant() && global.hasInitializer() && global.getValueType()->isArrayTy() &&
         global.getAlign() == llvm::MaybeAlign(kCacheLine);
}

void append(std::vector<std::byte>& bytes, const llvm::GlobalVariable& global) {
  bytes.resize((bytes.size() + kCacheLine.value() - 1) / kCacheLine.value() * kCacheLine.value());
  // An array of zeros has no data of its own.
  const auto* data = llvm::dyn_cast<llvm::ConstantDataSequential>(global.getInitializer());
  const std::size_t begin = bytes.size();
  bytes.resize(begin + global.getParent()->getDataLayout().getTypeAllocSize(global.getValueType()));
  if (!data) return;
  const llvm::StringRef raw = data->getRawDataValues();
  std::memcpy(bytes.data() + begin, raw.data(), raw.size());
}

void add_address(llvm::Module& module, const std::string& name, llvm::GlobalVariable* memory) {
  llvm::IRBuilder<> builder(module.getContext());
  auto* function = llvm::Function::Create(llvm::FunctionType::get(builder.getPtrTy(), false),
                                          llvm::Function::ExternalLinkage, name, module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", function));
  builder.CreateRet(memory);
}

}  // namespace

std::vector<std::byte> take_weights(llvm::Module& module, const std::string& name) {
  std::vector<std::byte> bytes;
  std::vector<std::pair<llvm::GlobalVariable*, std::size_t>> places;
  for (llvm::GlobalVariable& global : module.globals()) {
    if (!holds_weights(global)) continue;
    append(bytes, global);
    const std::size_t size = module.getDataLayout().getTypeAllocSize(global.getValueType());
    places.emplace_back(&global, bytes.size() - size);
  }
  auto* type = llvm::ArrayType::get(llvm::Type::getInt8Ty(module.getContext()), bytes.size());
  // The script writes there. Without the mark, LLVM would read zeros where the weights are to be.
  auto* memory = new llvm::GlobalVariable(module, type, false, llvm::GlobalValue::ExternalLinkage,
                                          llvm::Constant::getNullValue(type), name + "_memory");
  memory->setAlignment(kCacheLine);
  memory->setExternallyInitialized(true);
  llvm::IRBuilder<> builder(module.getContext());
  for (const auto& [global, place] : places) {
    global->replaceAllUsesWith(
        llvm::ConstantExpr::getInBoundsGetElementPtr(builder.getInt8Ty(), memory, builder.getInt64(place)));
    global->eraseFromParent();
  }
  add_address(module, name, memory);
  return bytes;
}

std::vector<std::byte> weights_file(std::span<const std::byte> weights, std::uint32_t hash) {
  std::vector<std::byte> content(kHeadBytes + weights.size());
  std::ranges::copy(std::as_bytes(std::span(kMagic)), content.begin());
  for (std::size_t i = 0; i < 4; ++i) content[kHeadBytes - 4 + i] = static_cast<std::byte>(hash >> (8 * i));
  std::ranges::copy(weights, content.begin() + kHeadBytes);
  return content;
}

}  // namespace rnnc::compiler
