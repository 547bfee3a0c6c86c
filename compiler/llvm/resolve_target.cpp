#include "compiler/llvm/resolve_target.hpp"

#include <llvm-c/Target.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include <rnnc/join.hpp>

#include "compiler/llvm/cpu_names.hpp"
#include "compiler/llvm/target.hpp"
#include "ir/syntax.hpp"

namespace rnnc::compiler {
namespace {

Error unsupported(std::string message) { return {ErrorCode::Unsupported, {}, std::move(message)}; }

std::unique_ptr<llvm::MCSubtargetInfo> subtarget(const Target& target) {
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      llvm_target(target.arch).createMCSubtargetInfo(triple_of(target), llvm_cpu(target), llvm_features(target)));
}

std::string host_features(const llvm::StringMap<bool, llvm::MallocAllocator>& features) {
  std::string result;
  for (const auto& feature : features) {
    if (!result.empty()) result += ',';
    result += (feature.second ? "+" : "-") + feature.first().str();
  }
  return result;
}

bool describe_x86(const llvm::MCSubtargetInfo* info, Target& target) {
  if (!info->checkFeatures("+sse4.1") || !info->checkFeatures("+popcnt")) return false;
  target.fma = info->checkFeatures("+fma");
  target.converts_f16 = info->checkFeatures("+f16c");
  const bool wide = info->checkFeatures("+avx512f") && info->checkFeatures("+avx512vl") &&
                    info->checkFeatures("+avx512dq") && info->checkFeatures("+avx512bw");
  target.lanes = wide ? 16 : info->checkFeatures("+avx2") ? 8 : 4;
  target.registers = wide ? 32 : 16;
  const bool has_dot = wide ? info->checkFeatures("+avx512vnni") : info->checkFeatures("+avxvnni");
  target.byte_products = has_dot ? ByteProducts::Unsigned : ByteProducts::Signs;
  return true;
}

bool describe_aarch64(const llvm::MCSubtargetInfo* info, Target& target) {
  target.lanes = 4;
  target.registers = 32;
  target.byte_products = info->checkFeatures("+dotprod") ? ByteProducts::Signed : ByteProducts::Long;
  return info->checkFeatures("+neon");
}

// Engines keep vectors in registers of the machine that they run on; x86-64 has the fewest, which are 16, and V8 keeps
// one of them for itself. With 16, a tile of 12 sums spilled two of them in each column.
bool describe_wasm(Target& target) {
  target.lanes = 4;
  target.registers = 15;
  target.fma = !target.cpu.empty();
  target.converts_f16 = false;
  target.byte_products = ByteProducts::Words;
  return true;
}

// A Cortex-M has registers for 32 single floats, which are 8 vectors with MVE.
void describe_cortex_m(ByteProducts way, Target& target) {
  target.lanes = 4;
  target.registers = 8;
  target.converts_f16 = false;
  target.byte_products = way;
  target.is_small = true;
}

bool describe_thumb7em(const llvm::MCSubtargetInfo* info, Target& target) {
  describe_cortex_m(ByteProducts::Dual, target);
  return info->checkFeatures("+mclass") && info->checkFeatures("+dsp") && info->checkFeatures("+vfp4d16sp");
}

bool describe_thumb81m(const llvm::MCSubtargetInfo* info, Target& target) {
  describe_cortex_m(ByteProducts::Rows, target);
  return info->checkFeatures("+mve.fp");
}

bool describe_arm7a(const llvm::MCSubtargetInfo* info, Target& target) {
  target.lanes = 4;
  target.registers = 16;
  target.converts_f16 = false;
  target.byte_products = ByteProducts::Wide;
  return info->checkFeatures("+aclass") && info->checkFeatures("+d32") && info->checkFeatures("+vfp4");
}

// The name of the CPU says how wide its vectors are. Without them, a vector is four floats of 32.
bool describe_riscv(Target& target) {
  const bool has_vectors = !target.cpu.empty();
  target.lanes = has_vectors ? std::atoi(target.cpu.c_str() + std::strlen("-rvv")) / 32 : 4;
  target.registers = has_vectors ? 32 : 8;
  target.converts_f16 = false;
  target.byte_products = ByteProducts::Wide;
  target.is_small = target.arch == Arch::RiscV32;
  return true;
}

// Fills in the vector shape that follows from a CPU's features, and tells whether rnnc can use the CPU.
bool describe(Target& target) {
  const auto info = subtarget(target);
  switch (target.arch) {
    case Arch::X86_64: return describe_x86(info.get(), target);
    case Arch::AArch64: return describe_aarch64(info.get(), target);
    case Arch::Wasm32: return describe_wasm(target);
    case Arch::Thumb7em: return describe_thumb7em(info.get(), target);
    case Arch::Thumb81m: return describe_thumb81m(info.get(), target);
    case Arch::Arm7a: return describe_arm7a(info.get(), target);
    case Arch::RiscV64:
    case Arch::RiscV32: return describe_riscv(target);
  }
  return false;
}

// Says why a CPU that LLVM knows cannot be used.
Error too_little(Arch arch, const std::string& cpu) {
  switch (arch) {
    case Arch::X86_64: return unsupported(cpu + " is older than x86-64-v2, the least rnnc uses");
    case Arch::AArch64: return unsupported(cpu + " has no vector instructions (NEON), which rnnc uses");
    case Arch::Thumb7em:
      return unsupported(cpu +
                         " is no ARMv7E-M or ARMv8-M with DSP and a unit for floats, as a Cortex-M4, M7 and M33 are");
    case Arch::Thumb81m: return unsupported(cpu + " has no vector instructions for floats (MVE), which rnnc uses");
    case Arch::Arm7a: return unsupported(cpu + " has no NEON with fused multiply-adds (VFPv4), which rnnc uses");
    case Arch::Wasm32:
    case Arch::RiscV64:
    case Arch::RiscV32: break;
  }
  return unsupported(cpu + " cannot be used");
}

// x86-64 is the native target, which llvm_target initialises in any case.
void initialize(Arch arch) {
  switch (arch) {
    case Arch::X86_64: return;
    case Arch::AArch64:
      LLVMInitializeAArch64TargetInfo();
      LLVMInitializeAArch64Target();
      LLVMInitializeAArch64TargetMC();
      LLVMInitializeAArch64AsmPrinter();
      return;
    case Arch::Wasm32:
      LLVMInitializeWebAssemblyTargetInfo();
      LLVMInitializeWebAssemblyTarget();
      LLVMInitializeWebAssemblyTargetMC();
      LLVMInitializeWebAssemblyAsmPrinter();
      return;
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a:
      LLVMInitializeARMTargetInfo();
      LLVMInitializeARMTarget();
      LLVMInitializeARMTargetMC();
      LLVMInitializeARMAsmPrinter();
      LLVMInitializeARMAsmParser();  // for inline assembly
      return;
    case Arch::RiscV64:
    case Arch::RiscV32:
      LLVMInitializeRISCVTargetInfo();
      LLVMInitializeRISCVTarget();
      LLVMInitializeRISCVTargetMC();
      LLVMInitializeRISCVAsmPrinter();
      LLVMInitializeRISCVAsmParser();  // for inline assembly
      return;
  }
}

// Lists the features that `target` has and this machine lacks. Features that only tune are not in the host's list.
std::string missing_features(const Target& target) {
  std::vector<std::string> missing;
  const auto info = subtarget(target);
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    if (feature.second || !info->checkFeatures("+" + feature.first().str())) continue;
    missing.push_back(feature.first().str());
  }
  return join(missing);
}

}  // namespace

const llvm::Target& llvm_target(Arch arch) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();  // for inline assembly
  });
  static std::once_flag others[std::size(kArchs)];
  std::call_once(others[static_cast<std::size_t>(arch)], initialize, arch);
  std::string error;
  return *llvm::TargetRegistry::lookupTarget(facts(arch).triple, error);
}

namespace {

bool is_known(const Target& target) {
  switch (target.arch) {
    case Arch::X86_64:
    case Arch::AArch64:
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return subtarget(baseline(target.arch))->isCPUStringValid(target.cpu);
    case Arch::RiscV64:
      return target.cpu.empty() || target.cpu == "-rvv128" || target.cpu == "-rvv256" || target.cpu == "-rvv512";
    case Arch::RiscV32: return target.cpu.empty();
    case Arch::Wasm32:
      return target.cpu == facts(target.arch).baseline_cpu || target.cpu == facts(target.arch).example_cpu;
  }
  return false;
}

// Lists names to use instead of an unknown one.
std::string names_of(Arch arch) {
  const ArchFacts& row = facts(arch);
  const std::string prefix = row.prefix;
  switch (arch) {
    case Arch::X86_64:
      return "host, x86-64-v2, x86-64-v3, x86-64-v4, or a CPU name of LLVM such as " + std::string(row.example_cpu) +
             "; for others aarch64-cortex-a72, thumbv7em-cortex-m4, thumbv8.1m-cortex-m55, armv7-a-cortex-a7, riscv64, "
             "riscv32 or wasm32";
    case Arch::AArch64:
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a:
      return prefix + row.baseline_cpu + ", or " + prefix + " and a CPU name of LLVM such as " + prefix +
             row.example_cpu;
    case Arch::Wasm32: return prefix + row.baseline_cpu + " or " + prefix + row.example_cpu;
    case Arch::RiscV64: return prefix + ", " + prefix + "-rvv128, " + prefix + "-rvv256 or " + prefix + "-rvv512";
    case Arch::RiscV32: return prefix;
  }
  return prefix;
}

// A CPU of another architecture is named without that.
std::string suggestion(const std::string& name) {
  for (const Arch arch : kArchs) {
    const Target target{.arch = arch, .cpu = name, .features = {}};
    if (*facts(arch).prefix == 0 || !is_known(target)) continue;
    const std::string is_elf =
        name.starts_with("apple-") ? " Its object is an ELF file, for Linux: rnnc makes none for macOS." : "";
    return "; did you mean " + name_of(target) + "?" + is_elf;
  }
  return ir::did_you_mean(name, cpu_names());
}

Result<Target> find_host() {
  Target target{.cpu = llvm::sys::getHostCPUName().str(), .features = host_features(llvm::sys::getHostCPUFeatures())};
  if (!describe(target)) return too_little(target.arch, "this CPU (" + target.cpu + ")");
  return target;
}

// LLVM takes a third of a millisecond to tell what this machine is, which is as long as all passes take.
const Result<Target>& host() {
  static const Result<Target> target = find_host();
  return target;
}

}  // namespace

std::string file_for(Arch arch) {
  switch (arch) {
    case Arch::X86_64:
    case Arch::AArch64:
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a:
    case Arch::RiscV64:
    case Arch::RiscV32: return "an object (-o m.o)";
    case Arch::Wasm32: return "a module (-o m.wasm)";
  }
  return "";
}

Result<Target> resolve_target(const std::string& name, bool must_run_here) {
  if (name.empty() || name == "host") return host();
  const Arch arch = arch_of(name);
  Target target{.arch = arch, .cpu = name.substr(std::strlen(facts(arch).prefix)), .features = {}};
  if (!is_known(target))
    return Error{ErrorCode::Usage, {}, "unknown CPU '" + name + "'; use " + names_of(arch) + suggestion(name)};
  if (!describe(target)) return too_little(arch, "CPU '" + name + "'");
  if (!must_run_here) return target;
  if (arch != kHostArch)
    return unsupported("this machine cannot run code for '" + name + "'; compile it to " + file_for(arch));
  if (const std::string missing = missing_features(target); !missing.empty())
    return unsupported("this machine cannot run code for '" + name + "': it lacks " + missing);
  return target;
}

namespace {

runtime::CpuFeatures x86_features(const Target& target) {
  const auto info = subtarget(target);
  runtime::CpuFeatures features = 0;
  for (std::size_t i = 0; i < std::size(runtime::kCpuFeatures); ++i)
    if (info->checkFeatures("+" + std::string(runtime::kCpuFeatures[i].name))) features |= runtime::CpuFeatures{1} << i;
  return features;
}

}  // namespace

runtime::CpuFeatures required_features(const Target& target) {
  switch (target.arch) {
    case Arch::X86_64: return x86_features(target);
    case Arch::AArch64:
    case Arch::Wasm32:
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a:
    case Arch::RiscV64:
    case Arch::RiscV32: return 0;
  }
  return 0;
}

std::vector<std::string> runnable_levels() {
  std::vector<std::string> levels;
  for (const char* level : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    if (resolve_target(level)) levels.push_back(level);
  return levels;
}

}  // namespace rnnc::compiler
