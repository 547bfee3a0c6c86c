// The CPU that code is made for: LLVM's name of it, and what a plan must know.
#pragma once

#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "runtime/cpu_features.hpp"

namespace rnnc::compiler {

struct Target {
  std::string cpu;       // as LLVM spells it, e.g. "x86-64-v3"
  std::string features;  // LLVM's feature string; "" where the name says all
  int lanes = 16;        // f32 in a vector register
  int registers = 32;    // vector registers
  bool fma = true;
};

/// `name` is "host" (or empty), or an LLVM CPU name of x86-64-v2 or above. Errors: Usage where LLVM does not know the
/// name, Unsupported where the CPU is too old for rnnc, or where `must_run_here` and this machine lacks a feature of
/// it.
Result<Target> resolve_target(const std::string& name, bool must_run_here = true);

/// What code for `target` needs of the machine it runs on.
runtime::CpuFeatures required_features(const Target& target);

/// The x86-64 levels (x86-64-v2, ...) that this machine can run, lowest first.
std::vector<std::string> runnable_levels();

}  // namespace rnnc::compiler
