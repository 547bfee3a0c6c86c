// A model becomes the files of a module of WebAssembly, which lie beside each other. The user names the module alone.
#pragma once

#include <string>
#include <vector>

#include <rnnc/ahead.hpp>

#include "tools/load_model.hpp"

namespace rnnc::tools {

struct WasmRequest {
  std::string output;  // the path of the module
  std::vector<std::string> targets;
  bool weights_apart = false, worklet = false;
};

/// Lists the paths of all files.
std::vector<std::string> wasm_paths(const WasmRequest& request);

/// Errors: Usage where a file beside the module, which the user did not name, is there and is not of rnnc.
Result<void> check_wasm_paths(const WasmRequest& request);

/// Writes all files or none, and says on standard output what was made.
Result<void> write_wasm(const WasmRequest& request, const Source& source, const ObjectOptions& options);

}  // namespace rnnc::tools
