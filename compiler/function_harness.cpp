// Builds `void f(const float* const* operands, float* result, i64 vectors)`, a loop over whole vectors; what is left at
// the end goes through a padded copy.
#include "compiler/function_harness.hpp"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>

#include <array>
#include <utility>
#include <vector>

#if defined(__SSE__)
#include <immintrin.h>
#endif

#include "compiler/functions.hpp"

namespace rnnc::compiler {
namespace {

using llvm::Value;
using VectorLoop = void (*)(const float* const* operands, float* result, std::int64_t vectors);

constexpr const char* kSymbol = "elementwise";

Error error_of(ErrorCode code, llvm::Error error) { return {code, {}, llvm::toString(std::move(error)), {}}; }

// Features of `cpu` that this machine lacks would end in an illegal instruction.
Result<void> check_host(const llvm::TargetMachine& machine) {
  const llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  for (const llvm::StringRef feature : {"sse4.2", "avx", "avx2", "fma", "avx512f", "avx512vl", "avx512bw", "avx512dq"})
    if (machine.getMCSubtargetInfo()->checkFeatures(("+" + feature).str()) && !host.lookup(feature))
      return Error{ErrorCode::Unsupported, {}, "this machine lacks " + feature.str(), {}};
  return {};
}

Result<std::unique_ptr<llvm::TargetMachine>> machine_for(std::string cpu) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder) return error_of(ErrorCode::Unsupported, builder.takeError());
  if (cpu != "host") {
    builder->setCPU(cpu);
    builder->getFeatures() = llvm::SubtargetFeatures();
  }
  auto machine = builder->createTargetMachine();
  if (!machine) return error_of(ErrorCode::Unsupported, machine.takeError());
  if (!(*machine)->getMCSubtargetInfo()->isCPUStringValid((*machine)->getTargetCPU()))
    return Error{ErrorCode::Usage, {}, "unknown CPU '" + cpu + "'", {}};
  if (auto checked = check_host(**machine); !checked) return checked.error();
  return std::move(*machine);
}

void set_widths(llvm::Function& function, unsigned lanes) {
  const std::string bits = std::to_string(std::max(128u, 32 * lanes));
  function.addFnAttr("prefer-vector-width", bits);
  function.addFnAttr("min-legal-vector-width", bits);
}

// A loop that runs at least once; operator() skips the call where there is no whole vector.
void emit_loop(llvm::Module& module, ir::Function function, unsigned lanes, bool has_fma) {
  llvm::IRBuilder<> b(module.getContext());
  llvm::Type* const vector = llvm::FixedVectorType::get(b.getFloatTy(), lanes);
  auto* const type = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), b.getPtrTy(), b.getInt64Ty()}, false);
  auto* const loop = llvm::Function::Create(type, llvm::Function::ExternalLinkage, kSymbol, module);
  set_widths(*loop, lanes);
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
  const llvm::Align align(sizeof(float));
  std::vector<Value*> operands;
  for (Value* const array : arrays)
    operands.push_back(b.CreateAlignedLoad(vector, b.CreateGEP(vector, array, index), align));
  Value* const result = FunctionEmitter(b, lanes, has_fma).emit(function, operands);
  b.CreateAlignedStore(result, b.CreateGEP(vector, loop->getArg(1), index), align);
  b.CreateCondBr(b.CreateICmpEQ(next, loop->getArg(2)), exit, body);

  b.SetInsertPoint(exit);
  b.CreateRetVoid();
}

std::unique_ptr<llvm::Module> make_module(llvm::LLVMContext& context, llvm::TargetMachine& machine,
                                          ir::Function function, unsigned lanes) {
  auto module = std::make_unique<llvm::Module>("function", context);
  module->setDataLayout(machine.createDataLayout());
  module->setTargetTriple(machine.getTargetTriple().str());
  const llvm::MCSubtargetInfo& subtarget = *machine.getMCSubtargetInfo();
  emit_loop(*module, function, lanes, subtarget.checkFeatures("+fma"));
  return module;
}

std::string assembly_of(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallString<4096> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile);
  passes.run(module);
  return text.str().str();
}

// Flush to zero (bit 15) and denormals are zero (bit 6) for the scope.
class FlushDenormals {
 public:
#if defined(__SSE__)
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#endif
};

}  // namespace

struct FunctionHarness::Content {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  VectorLoop loop = nullptr;
  std::size_t arity = 0;
  std::size_t lanes = 0;
  std::string assembly;
};

FunctionHarness::FunctionHarness(std::unique_ptr<Content> content) : content_(std::move(content)) {}
FunctionHarness::FunctionHarness(FunctionHarness&&) noexcept = default;
FunctionHarness& FunctionHarness::operator=(FunctionHarness&&) noexcept = default;
FunctionHarness::~FunctionHarness() = default;

Result<FunctionHarness> FunctionHarness::make(ir::Function function, std::string cpu, unsigned lanes) {
  auto machine = machine_for(std::move(cpu));
  if (!machine) return machine.error();
  auto content = std::make_unique<Content>();
  content->arity = static_cast<std::size_t>(ir::facts(function).arity);
  content->lanes = lanes;
  {
    llvm::LLVMContext context;
    auto module = make_module(context, **machine, function, lanes);
    content->assembly = assembly_of(*module, **machine);
  }
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = make_module(*context, **machine, function, lanes);
  llvm::orc::JITTargetMachineBuilder builder((*machine)->getTargetTriple());
  builder.setCPU((*machine)->getTargetCPU().str());
  builder.addFeatures(llvm::SubtargetFeatures((*machine)->getTargetFeatureString()).getFeatures());
  auto jit = llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create();
  if (!jit) return error_of(ErrorCode::Unsupported, jit.takeError());
  if (auto error = (*jit)->addIRModule({std::move(module), std::move(context)}))
    return error_of(ErrorCode::Unsupported, std::move(error));
  auto symbol = (*jit)->lookup(kSymbol);
  if (!symbol) return error_of(ErrorCode::Unsupported, symbol.takeError());
  content->loop = symbol->toPtr<VectorLoop>();
  content->jit = std::move(*jit);
  return FunctionHarness(std::move(content));
}

void FunctionHarness::operator()(const float* const* operands, float* result, std::size_t n) const {
  const FlushDenormals flush;
  const std::size_t lanes = content_->lanes, whole = n / lanes * lanes;
  if (whole > 0) content_->loop(operands, result, static_cast<std::int64_t>(n / lanes));
  if (whole == n) return;
  std::vector<std::vector<float>> padded;
  std::vector<const float*> pointers;
  for (std::size_t k = 0; k < content_->arity; ++k) {
    padded.emplace_back(operands[k] + whole, operands[k] + n).resize(lanes, 1.f);
    pointers.push_back(padded.back().data());
  }
  std::vector<float> last(lanes);
  content_->loop(pointers.data(), last.data(), 1);
  std::copy_n(last.begin(), n - whole, result + whole);
}

std::string FunctionHarness::assembly() const { return content_->assembly; }

}  // namespace rnnc::compiler
