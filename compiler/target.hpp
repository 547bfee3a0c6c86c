// The CPU that code is made for: LLVM's name of it, and what a plan must know.
#pragma once

#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "runtime/cpu_features.hpp"

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

/// `name` is "host" (or empty), an LLVM CPU name of x86-64-v2 or above, or `aarch64-` and an LLVM CPU name, of which "generic" is
/// every 64-bit ARM. Errors: Usage where LLVM does not know the name, Unsupported where the CPU is too old for rnnc, or where
/// `must_run_here` and this machine is another or lacks a feature of it.
Result<Target> resolve_target(const std::string& name, bool must_run_here = true);

/// As resolve_target takes it, but for "host", whose CPU it names.
std::string name_of(const Target& target);

/// LLVM's triple for it.
std::string triple_of(const Target& target);

/// What code for `target` needs of the machine it runs on.
runtime::CpuFeatures required_features(const Target& target);

/// The x86-64 levels (x86-64-v2, ...) that this machine can run, lowest first.
std::vector<std::string> runnable_levels();

}  // namespace rnnc::compiler
