#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {
namespace {

constexpr ArchFacts kFacts[] = {
#define TARGET(arch, ...) {__VA_ARGS__},
#include "compiler/schedule/targets.def"
#undef TARGET
};

}  // namespace

const ArchFacts& facts(Arch arch) { return kFacts[static_cast<std::size_t>(arch)]; }

Arch arch_of(std::string_view cpu) {
  for (const Arch arch : kArchs)
    if (const std::string_view prefix = facts(arch).prefix; !prefix.empty() && cpu.starts_with(prefix)) return arch;
  return kHostArch;
}

Target baseline(Arch arch) { return {.arch = arch, .cpu = facts(arch).baseline_cpu, .features = {}}; }

std::string name_of(const Target& target) { return facts(target.arch).prefix + target.cpu; }

std::string llvm_cpu(const Target& target) {
  switch (target.arch) {
    case Arch::X86_64:
    case Arch::AArch64: return target.cpu;
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return target.cpu;
    case Arch::Wasm32: return "generic";
    case Arch::RiscV64: return "generic-rv64";
    case Arch::RiscV32: return "generic-rv32";
  }
  return target.cpu;
}

// The CPU "-rvv256" has registers of 256 bits.
std::string vectors_of_riscv(const std::string& cpu) {
  return cpu.empty() ? "" : ",+v,+zvl" + cpu.substr(std::string_view("-rvv").size()) + "b";
}

// Every engine that has vectors also copies and fills memory with one instruction.
std::string llvm_features(const Target& target) {
  switch (target.arch) {
    case Arch::X86_64:
    case Arch::AArch64:
    case Arch::Thumb7em: return target.features;
    // LLVM 19 puts constants between instructions, where it may take a block of predicated instructions apart: the
    // branch over the constants then stands in the block. Execute-only code has no constants of its own.
    case Arch::Thumb81m: return "+execute-only";
    case Arch::Arm7a: return "+neon";
    case Arch::Wasm32: return std::string("+simd128,+bulk-memory") + (target.cpu.empty() ? "" : ",+relaxed-simd");
    case Arch::RiscV64: return "+m,+a,+f,+d,+c" + vectors_of_riscv(target.cpu);
    case Arch::RiscV32: return "+m,+a,+f,+c";
  }
  return target.features;
}

std::string triple_of(const Target& target) { return facts(target.arch).triple; }

}  // namespace rnnc::compiler
