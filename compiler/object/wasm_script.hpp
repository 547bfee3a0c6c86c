// Facts about modules of WebAssembly become the script that loads and runs them, its types, and the processor for an
// AudioWorklet. The texts of the three are in compiler/object/wasm.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/object/c_header.hpp"

namespace rnnc::compiler {

/// The weights that lie in a file of their own.
struct WasmWeights {
  std::string file;
  std::size_t bytes = 0;   // without the head of the file
  std::uint32_t hash = 0;  // of these bytes
};

/// One of the modules of a script, which are for different engines.
struct WasmModule {
  HeaderFacts facts;
  std::string target, file;
  std::optional<WasmWeights> weights = {};
};

/// The processor for an AudioWorklet; without a file there is none.
struct WasmProcessor {
  std::string file;
  std::string name;  // under which it is registered
};

struct WasmScript {
  std::string script;   // an ES module
  std::string types;    // of it, for TypeScript
  std::string worklet;  // "" without a processor
};

/// Returns the number that the module's function `facts` returns. The script takes no other module. Names of files do
/// not count: files may be renamed.
std::uint32_t id_of(const WasmModule& module);

/// Makes the script of modules that lie beside it. The first one runs in every engine; a later one is faster.
WasmScript wasm_script(const std::vector<WasmModule>& modules, const WasmProcessor& processor);

/// Says why an AudioWorklet cannot run the program; "" if it can.
std::string unfit_for_worklet(const HeaderFacts& facts);

}  // namespace rnnc::compiler
