#include "compiler/llvm/resolve_target.hpp"

#include <llvm-c/Target.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>

#include <memory>
#include <mutex>

#include <rnnc/join.hpp>

#include "compiler/llvm/cpu_names.hpp"
#include "compiler/llvm/target.hpp"
#include "ir/syntax.hpp"

namespace rnnc::compiler {
namespace {

constexpr std::string_view kAArch64 = "aarch64-";

std::unique_ptr<llvm::MCSubtargetInfo> subtarget(const Target& target) {
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      llvm_target(target.arch).createMCSubtargetInfo(triple_of(target), target.cpu, target.features));
}

std::string host_features(const llvm::StringMap<bool, llvm::MallocAllocator>& features) {
  std::string result;
  for (const auto& feature : features) {
    if (!result.empty()) result += ',';
    result += (feature.second ? "+" : "-") + feature.first().str();
  }
  return result;
}

// The vector shape that follows from a CPU's features; nothing where rnnc cannot use the CPU.
bool describe(Target& target) {
  const auto info = subtarget(target);
  if (target.arch == Arch::AArch64) {
    target.lanes = 4;
    target.registers = 32;
    return info->checkFeatures("+neon");
  }
  if (!info->checkFeatures("+sse4.1") || !info->checkFeatures("+popcnt")) return false;
  target.fma = info->checkFeatures("+fma");
  const bool wide = info->checkFeatures("+avx512f") && info->checkFeatures("+avx512vl") &&
                    info->checkFeatures("+avx512dq") && info->checkFeatures("+avx512bw");
  target.lanes = wide ? 16 : info->checkFeatures("+avx2") ? 8 : 4;
  target.registers = wide ? 32 : 16;
  return true;
}

// What `target` has and this machine lacks. Features that only tune are not in the host's list.
std::string missing_features(const Target& target) {
  std::vector<std::string> missing;
  const auto info = subtarget(target);
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    if (feature.second || !info->checkFeatures("+" + feature.first().str())) continue;
    missing.push_back(feature.first().str());
  }
  return join(missing);
}

Error unsupported(std::string message) { return {ErrorCode::Unsupported, {}, std::move(message), {}}; }

}  // namespace

const llvm::Target& llvm_target(Arch arch) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();  // of inline assembly
  });
  static std::once_flag aarch64;
  if (arch == Arch::AArch64)
    std::call_once(aarch64, [] {
      LLVMInitializeAArch64TargetInfo();
      LLVMInitializeAArch64Target();
      LLVMInitializeAArch64TargetMC();
      LLVMInitializeAArch64AsmPrinter();
    });
  std::string error;
  return *llvm::TargetRegistry::lookupTarget(triple_of({.arch = arch, .cpu = {}, .features = {}}), error);
}

namespace {

Result<Target> resolve_aarch64(const std::string& name, bool must_run_here) {
  Target target{.arch = Arch::AArch64, .cpu = name.substr(kAArch64.size()), .features = {}};
  if (!subtarget({.arch = Arch::AArch64, .cpu = "generic", .features = {}})->isCPUStringValid(target.cpu))
    return Error{ErrorCode::Usage,
                 {},
                 "unknown CPU '" + name +
                     "'; use aarch64-generic, or aarch64- and a CPU name of LLVM such as aarch64-cortex-a72" +
                     ir::did_you_mean(name, cpu_names()),
                 {}};
  if (!describe(target)) return unsupported("CPU '" + name + "' has no vector instructions (NEON), which rnnc uses");
  if (must_run_here)
    return unsupported("this machine cannot run code for '" + name + "'; compile it to an object (-o m.o)");
  return target;
}

}  // namespace

Result<Target> resolve_target(const std::string& name, bool must_run_here) {
  Target target;
  if (name.starts_with(kAArch64)) return resolve_aarch64(name, must_run_here);
  if (name.empty() || name == "host") {
    target.cpu = llvm::sys::getHostCPUName().str();
    target.features = host_features(llvm::sys::getHostCPUFeatures());
    if (!describe(target))
      return unsupported("this CPU (" + target.cpu + ") is older than x86-64-v2, the least rnnc uses");
    return target;
  }
  target.cpu = name;
  if (!subtarget({.cpu = "x86-64", .features = {}})->isCPUStringValid(name))
    return Error{ErrorCode::Usage,
                 {},
                 "unknown CPU '" + name +
                     "'; use host, x86-64-v2, x86-64-v3, x86-64-v4, or a CPU name of LLVM such as znver4 or "
                     "aarch64-cortex-a72" +
                     ir::did_you_mean(name, cpu_names()),
                 {}};
  if (!describe(target)) return unsupported("CPU '" + name + "' is older than x86-64-v2, the least rnnc uses");
  if (must_run_here)
    if (const std::string missing = missing_features(target); !missing.empty())
      return unsupported("this machine cannot run code for '" + name + "': it lacks " + missing);
  return target;
}

runtime::CpuFeatures required_features(const Target& target) {
  if (target.arch != Arch::X86_64) return 0;
  const auto info = subtarget(target);
  runtime::CpuFeatures features = 0;
  for (std::size_t i = 0; i < std::size(runtime::kCpuFeatures); ++i)
    if (info->checkFeatures("+" + std::string(runtime::kCpuFeatures[i].name))) features |= runtime::CpuFeatures{1} << i;
  return features;
}

std::vector<std::string> runnable_levels() {
  std::vector<std::string> levels;
  for (const char* level : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    if (resolve_target(level)) levels.push_back(level);
  return levels;
}

}  // namespace rnnc::compiler
