// Builds `void elementwise(const float* const* operands, float* result, i64 vectors)`, a loop over whole vectors; what
// is left at the end goes through a padded copy.
#include "tests/support/function_harness.hpp"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "compiler/llvm/functions.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/llvm/target.hpp"
#include "compiler/llvm/types.hpp"
#include "ir/check.hpp"
#include "runtime/kernel_float_mode.hpp"

namespace rnnc::test {
namespace {

using compiler::Target;
using llvm::Value;
using VectorLoop = void (*)(const float* const* operands, float* result, std::int64_t vectors);

constexpr const char* kSymbol = "elementwise";

// The module is our own, so that a failure here is ours too.
template <class T>
T expect(llvm::Expected<T> value) {
  if (!value) ir::internal_error(nullptr, "compiling a function: " + llvm::toString(value.takeError()));
  return std::move(*value);
}

llvm::orc::JITTargetMachineBuilder machine_builder(const Target& target) {
  compiler::llvm_target(target.arch);
  llvm::orc::JITTargetMachineBuilder builder(llvm::Triple(llvm::sys::getProcessTriple()));
  builder.setCPU(target.cpu);
  builder.addFeatures(llvm::SubtargetFeatures(target.features).getFeatures());
  builder.getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return builder;
}

llvm::Function* declare_loop(llvm::Module& module, unsigned lanes) {
  llvm::IRBuilder<> b(module.getContext());
  auto* const type = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), b.getPtrTy(), b.getInt64Ty()}, false);
  auto* const loop = llvm::Function::Create(type, llvm::Function::ExternalLinkage, kSymbol, module);
  const std::string bits =
      std::to_string(std::max<std::int64_t>(128, 8 * runtime::bytes_of(runtime::kRowFormat, lanes)));
  loop->addFnAttr("prefer-vector-width", bits);
  loop->addFnAttr("min-legal-vector-width", bits);
  return loop;
}

// The loop runs at least once; operator() skips the call where there is no whole vector.
void emit_loop(llvm::Module& module, ir::Function function, unsigned lanes, bool has_fma) {
  llvm::IRBuilder<> b(module.getContext());
  llvm::Type* const vector = compiler::vector_of(b, lanes);
  llvm::Function* const loop = declare_loop(module, lanes);
  auto* const entry = llvm::BasicBlock::Create(b.getContext(), "entry", loop);
  auto* const body = llvm::BasicBlock::Create(b.getContext(), "body", loop);
  auto* const exit = llvm::BasicBlock::Create(b.getContext(), "exit", loop);

  b.SetInsertPoint(entry);
  std::vector<Value*> arrays;
  for (int k = 0; k < ir::facts(function).arity; ++k)
    arrays.push_back(b.CreateLoad(b.getPtrTy(), b.CreateConstGEP1_64(b.getPtrTy(), loop->getArg(0), k)));
  b.CreateBr(body);

  b.SetInsertPoint(body);
  llvm::PHINode* const index = b.CreatePHI(b.getInt64Ty(), 2);
  Value* const next = b.CreateAdd(index, b.getInt64(1));
  index->addIncoming(b.getInt64(0), entry);
  index->addIncoming(next, body);
  const llvm::Align align = compiler::alignment_of(1);
  std::vector<Value*> operands;
  for (Value* const array : arrays)
    operands.push_back(b.CreateAlignedLoad(vector, b.CreateGEP(vector, array, index), align));
  Value* const result = compiler::FunctionEmitter(b, lanes, has_fma).emit(function, operands);
  b.CreateAlignedStore(result, b.CreateGEP(vector, loop->getArg(1), index), align);
  b.CreateCondBr(b.CreateICmpEQ(next, loop->getArg(2)), exit, body);

  b.SetInsertPoint(exit);
  b.CreateRetVoid();
}

}  // namespace

struct FunctionHarness::Content {
  ir::Function function;
  Target target;
  unsigned lanes;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  VectorLoop loop = nullptr;

  std::unique_ptr<llvm::Module> module(llvm::LLVMContext& context, const llvm::TargetMachine& machine) const {
    auto result = std::make_unique<llvm::Module>("function", context);
    result->setDataLayout(machine.createDataLayout());
    result->setTargetTriple(machine.getTargetTriple().str());
    emit_loop(*result, function, lanes, target.fma);
    return result;
  }
};

FunctionHarness::FunctionHarness(std::unique_ptr<Content> content) : content_(std::move(content)) {}
FunctionHarness::FunctionHarness(FunctionHarness&&) noexcept = default;
FunctionHarness& FunctionHarness::operator=(FunctionHarness&&) noexcept = default;
FunctionHarness::~FunctionHarness() = default;

Result<FunctionHarness> FunctionHarness::make(ir::Function function, const std::string& cpu, unsigned lanes) {
  auto target = compiler::resolve_target(cpu);
  if (!target) return target.error();
  auto content = std::make_unique<Content>(Content{function, std::move(*target), lanes, nullptr});
  auto builder = machine_builder(content->target);
  const auto machine = expect(builder.createTargetMachine());
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = content->module(*context, *machine);
  content->jit = expect(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create());
  if (auto error = content->jit->addIRModule({std::move(module), std::move(context)}))
    ir::internal_error(nullptr, "compiling a function: " + llvm::toString(std::move(error)));
  content->loop = expect(content->jit->lookup(kSymbol)).toPtr<VectorLoop>();
  return FunctionHarness(std::move(content));
}

void FunctionHarness::operator()(const float* const* operands, float* result, std::size_t n) const {
  const runtime::KernelFloatMode mode;
  const std::size_t lanes = content_->lanes, whole = n / lanes * lanes;
  if (whole > 0) content_->loop(operands, result, static_cast<std::int64_t>(n / lanes));
  if (whole == n) return;
  std::vector<std::vector<float>> padded;
  std::vector<const float*> pointers;
  for (int k = 0; k < ir::facts(content_->function).arity; ++k) {
    padded.emplace_back(operands[k] + whole, operands[k] + n).resize(lanes, 1.f);
    pointers.push_back(padded.back().data());
  }
  std::vector<float> last(lanes);
  content_->loop(pointers.data(), last.data(), 1);
  std::copy_n(last.begin(), n - whole, result + whole);
}

std::string FunctionHarness::assembly() const {
  const auto machine = expect(machine_builder(content_->target).createTargetMachine());
  llvm::LLVMContext context;
  const auto module = content_->module(context, *machine);
  llvm::SmallString<4096> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile))
    ir::internal_error(nullptr, "LLVM cannot write assembly for " + content_->target.cpu);
  passes.run(*module);
  return text.str().str();
}

}  // namespace rnnc::test
