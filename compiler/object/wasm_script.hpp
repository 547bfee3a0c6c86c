// Facts about a module of WebAssembly become the script that loads and runs it, and the script's types.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/object/c_header.hpp"

namespace rnnc::compiler {

struct WasmScript {
  std::string script;    // an ES module
  std::string types;     // of it, for TypeScript
  std::uint32_t id = 0;  // the script takes a module only if its function `facts` returns the same
};

/// Makes the script of the module that lies beside it in a file with the name `file`.
WasmScript wasm_script(const HeaderFacts& facts, const std::string& file);

}  // namespace rnnc::compiler
