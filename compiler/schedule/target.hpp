// The CPU that code is made for: LLVM's names for it, what a plan must know, and the facts of its architecture.
#pragma once

#include <string>
#include <string_view>

namespace rnnc::compiler {

enum class Arch {
#define TARGET(arch, ...) arch,
#include "compiler/schedule/targets.def"
#undef TARGET
};

inline constexpr Arch kArchs[] = {
#define TARGET(arch, ...) Arch::arch,
#include "compiler/schedule/targets.def"
#undef TARGET
};

/// The architecture of the machines whose own code rnnc runs: "host" is one of its CPUs.
inline constexpr Arch kHostArch = Arch::X86_64;

/// A row of targets.def, which tells what each column means.
struct ArchFacts {
  const char *name, *triple, *prefix, *baseline_cpu, *example_cpu;
  unsigned pointer_bytes;
  bool has_images, has_choice;
};
const ArchFacts& facts(Arch arch);

/// The architecture of a CPU that has this name among ours.
Arch arch_of(std::string_view cpu);

struct Target {
  Arch arch = kHostArch;
  std::string cpu;       // as LLVM spells it, e.g. "x86-64-v3", "cortex-a72"
  std::string features;  // LLVM's feature string; "" where the name says all
  int lanes = 16;        // f32 in a vector register
  int registers = 32;    // vector registers
  bool fma = true;
};

/// The CPU whose code every machine of an architecture runs, without what depends on features.
Target baseline(Arch arch);

/// The name by which resolve_target (compiler/llvm) finds it, but for "host", whose CPU it names.
std::string name_of(const Target& target);

/// LLVM's triple for it.
std::string triple_of(const Target& target);

}  // namespace rnnc::compiler
