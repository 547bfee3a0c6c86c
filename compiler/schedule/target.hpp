// The CPU that code is made for: LLVM's names for it, and what a plan must know.
#pragma once

#include <string>

namespace rnnc::compiler {

enum class Arch { X86_64, AArch64 };

struct Target {
  Arch arch = Arch::X86_64;
  std::string cpu;       // as LLVM spells it, e.g. "x86-64-v3", "cortex-a72"
  std::string features;  // LLVM's feature string; "" where the name says all
  int lanes = 16;        // f32 in a vector register
  int registers = 32;    // vector registers
  bool fma = true;
};

/// The name by which resolve_target (compiler/llvm) finds it, but for "host", whose CPU it names.
std::string name_of(const Target& target);

/// LLVM's triple for it.
std::string triple_of(const Target& target);

}  // namespace rnnc::compiler
