#include "compiler/llvm/codegen.hpp"

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/raw_ostream.h>

#include <memory>
#include <optional>

#include "compiler/llvm/emit_kernel.hpp"
#include "compiler/llvm/machine.hpp"
#include "compiler/llvm/narrow_indices.hpp"
#include "compiler/llvm/suit_target.hpp"
#include "compiler/llvm/target.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {

namespace {

// Code for WebAssembly that could lie anywhere would import the places of its memory and its table. A program of a
// microcontroller lies where its linker put it.
llvm::Reloc::Model relocations_of(Arch arch) {
  switch (arch) {
    case Arch::X86_64:
    case Arch::AArch64:
    case Arch::Arm7a:
    case Arch::RiscV64: return llvm::Reloc::PIC_;
    case Arch::Wasm32:
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::RiscV32: return llvm::Reloc::Static;
  }
  return llvm::Reloc::PIC_;
}

// Code for a bare RISC-V may lie anywhere: all addresses are distances from the code.
std::optional<llvm::CodeModel::Model> code_model_of(Arch arch) {
  if (arch == Arch::RiscV32) return llvm::CodeModel::Medium;
  return std::nullopt;
}

// The name of the calling convention, where LLVM's default is not that of the features.
const char* abi_of(Arch arch) {
  switch (arch) {
    case Arch::X86_64:
    case Arch::AArch64:
    case Arch::Wasm32:
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return "";
    case Arch::RiscV64: return "lp64d";
    case Arch::RiscV32: return "ilp32f";
  }
  return "";
}

// Some objects have to say more of themselves than LLVM writes. Tag_ABI_VFP_args (28) tells how floats are passed to
// functions. LLVM leaves it out for these triples, and GNU ld takes that for core registers: it would refuse to link
// the object with code that passes floats in registers of the floating-point unit. No function here takes or returns a
// float, so the object goes with both (3).
const char* attributes_of(Arch arch) {
  switch (arch) {
    case Arch::X86_64:
    case Arch::AArch64:
    case Arch::Wasm32:
    case Arch::Arm7a:
    case Arch::RiscV64:
    case Arch::RiscV32: return "";
    case Arch::Thumb7em:
    case Arch::Thumb81m: return ".eabi_attribute 28, 3";
  }
  return "";
}

}  // namespace

std::unique_ptr<llvm::TargetMachine> machine_for(const Target& target) {
  llvm::TargetOptions options;
  options.MCOptions.AsmVerbose = true;                 // mark_loops reads names and spills in the comments
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;  // canonical arithmetic says where a multiply-add is fused
  options.MCOptions.ABIName = abi_of(target.arch);
  options.EmitStackSizeSection = target.is_small;
  options.EABIVersion = llvm::EABI::GNU;  // memcpy and memset have their names of C
  std::unique_ptr<llvm::TargetMachine> machine(
      llvm_target(target.arch)
          .createTargetMachine(triple_of(target), llvm_cpu(target), llvm_features(target), options,
                               relocations_of(target.arch), code_model_of(target.arch), llvm::CodeGenOptLevel::Less));
  RNNC_ASSERT(machine->getPointerSize(0) == facts(target.arch).pointer_bytes, nullptr);
  return machine;
}

void finish_module(llvm::Module& module, const llvm::TargetMachine& machine, Arch arch, const ir::Cell* cell) {
  module.setTargetTriple(machine.getTargetTriple().str());
  module.setDataLayout(machine.createDataLayout());
  if (facts(arch).index_bytes == 4) narrow_indices(module);
  suit_target(module, arch);
  if (const char* attributes = attributes_of(arch); *attributes) module.appendModuleInlineAsm(attributes);
  if (const std::string& abi = machine.Options.MCOptions.ABIName; !abi.empty())
    module.addModuleFlag(llvm::Module::Error, "target-abi", llvm::MDString::get(module.getContext(), abi));
  std::string message;
  llvm::raw_string_ostream out(message);
  if (llvm::verifyModule(module, &out)) ir::internal_error(cell, "generated code is malformed: " + message);
}

std::string text_of(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out, nullptr);
  return text;
}

llvm::SmallVector<char, 0> generate(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, type))
    ir::internal_error(nullptr, "LLVM cannot write this kind of file for " + machine.getTargetCPU().str());
  passes.run(module);
  return bytes;
}

namespace {

std::unique_ptr<llvm::Module> make_module(llvm::LLVMContext& context, llvm::TargetMachine& machine,
                                          const Schedule& schedule, const Plan& plan, const Target& target,
                                          KernelParts parts = KernelParts::All) {
  auto module = emit_kernel(context, schedule, plan, target, parts);
  finish_module(*module, machine, target.arch, &schedule.cell);
  return module;
}

llvm::SmallVector<char, 0> kernel_file(const Schedule& schedule, const Plan& plan, const Target& target,
                                       llvm::CodeGenFileType type, KernelParts parts = KernelParts::All) {
  llvm::LLVMContext context;
  const auto machine = machine_for(target);
  return generate(*make_module(context, *machine, schedule, plan, target, parts), *machine, type);
}

std::vector<std::byte> bytes_of(const llvm::SmallVector<char, 0>& file) {
  const auto* first = reinterpret_cast<const std::byte*>(file.data());
  return {first, first + file.size()};
}

}  // namespace

std::string emit_llvm(const Schedule& schedule, const Plan& plan, const Target& target) {
  llvm::LLVMContext context;
  const auto machine = machine_for(target);
  return text_of(*make_module(context, *machine, schedule, plan, target));
}

std::string emit_assembly(const Schedule& schedule, const Plan& plan, const Target& target) {
  const auto bytes = kernel_file(schedule, plan, target, llvm::CodeGenFileType::AssemblyFile);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> emit_object(const Schedule& schedule, const Plan& plan, const Target& target) {
  return bytes_of(kernel_file(schedule, plan, target, llvm::CodeGenFileType::ObjectFile));
}

std::vector<std::byte> emit_preparation(const Schedule& schedule, const Plan& plan, const Target& target) {
  return bytes_of(kernel_file(schedule, plan, target, llvm::CodeGenFileType::ObjectFile, KernelParts::Preparation));
}

}  // namespace rnnc::compiler
