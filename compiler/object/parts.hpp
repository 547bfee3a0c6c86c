// A model and its weights become the parts that the files for other programs are made of: the levels, the layout of
// memory, facts for a header or a script, and the object file.
#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/Module.h>

#include <cstddef>
#include <string>
#include <vector>

#include <rnnc/ahead.hpp>

#include "compiler/object/c_header.hpp"
#include "compiler/object/emit_program.hpp"

namespace rnnc::compiler {

struct Parts {
  std::string name;  // all symbols begin with it
  std::vector<Level> levels;
  ObjectProgram program;
};

/// Errors    as `compile_object`
Result<Parts> parts_of(const Model& model, const TensorMap& weights, const ObjectOptions& options);

HeaderFacts facts_of(const Parts& parts);

/// Tells whether other modules see the function, and it is defined here.
bool is_public(const llvm::Function& function);

/// Makes the object file, of whose module `change` changes what is particular to a kind of file. The module is printed
/// to `llvm` where that is not null.
std::vector<std::byte> object_of(const Parts& parts, llvm::function_ref<void(llvm::Module&)> change, std::string* llvm);

}  // namespace rnnc::compiler
