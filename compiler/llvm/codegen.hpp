// A schedule and its plan become LLVM IR as text, assembly or object code, through LLVM's back end for the target.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/stages.hpp"
#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

std::string emit_llvm(const Schedule& schedule, const Plan& plan, const Target& target);
/// The assembly has LLVM's comments; mark_loops (compiler/llvm/assembly.hpp) makes it easier to read.
std::string emit_assembly(const Schedule& schedule, const Plan& plan, const Target& target);
std::vector<std::byte> emit_object(const Schedule& schedule, const Plan& plan, const Target& target);
/// The same object with a `run` that does nothing: a machine that lacks the instructions of the plan's products can run
/// `prepare`.
std::vector<std::byte> emit_preparation(const Schedule& schedule, const Plan& plan, const Target& target);

}  // namespace rnnc::compiler
