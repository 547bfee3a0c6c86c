// The functions of a network's object: calls of kernels, copies and functions over time in the order in which the
// runtime's executor makes them, in memory that is the caller's.
#pragma once

#include "compiler/object/memory.hpp"
#include "compiler/object/module.hpp"

namespace rnnc::compiler {

/// A network without its cells, which the levels have.
struct ObjectNetwork {
  runtime::LoadedNetwork network;
  ObjectMemory memory;
};

/// Defines `name`_run, `name`_start and, where the network can run step by step, `name`_step; all else in the module is
/// internal. Levels come lowest first.
std::unique_ptr<llvm::Module> emit_network(llvm::LLVMContext& context, const std::string& name,
                                           const ObjectNetwork& object, std::span<const Level> levels);

}  // namespace rnnc::compiler
