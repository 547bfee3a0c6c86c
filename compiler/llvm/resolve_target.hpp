// The name of a CPU becomes the target that code is made for, by what LLVM knows of that CPU and of this machine.
#pragma once

#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "compiler/schedule/target.hpp"
#include "runtime/cpu_features.hpp"

namespace rnnc::compiler {

/// `name` is "host" (or empty), an LLVM CPU name of x86-64-v2 or above, or `aarch64-` and an LLVM CPU name, of which
/// "generic" is every 64-bit ARM, or another name that begins with the prefix of an architecture
/// (compiler/schedule/targets.def). Errors: Usage where LLVM does not know the name, Unsupported where the CPU is too
/// old for rnnc, or where `must_run_here` and this machine is another or lacks a feature of it.
Result<Target> resolve_target(const std::string& name, bool must_run_here = true);

/// Returns words for the file that code for an architecture goes into, and the flag that names it.
std::string file_for(Arch arch);

/// Returns the CPU features that code for `target` needs of the machine it runs on.
runtime::CpuFeatures required_features(const Target& target);

/// Lists the x86-64 levels (x86-64-v2, ...) that this machine can run, lowest first.
std::vector<std::string> runnable_levels();

}  // namespace rnnc::compiler
