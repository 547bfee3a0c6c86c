// An object file for WebAssembly becomes a module. The work is done by wasm-ld, a program of LLVM, which runs as a
// process of its own.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::compiler {

/// Finds wasm-ld: in PATH, first under the name with LLVM's version, or else where LLVM is installed. Errors:
/// Unsupported where there is none.
Result<std::string> find_wasm_linker();

/// Links `object`, which defines all that it calls. The module exports the object's exported functions, its memory and
/// the end of its data; it imports nothing.
///
/// Errors    File where a temporary file cannot be written; Unsupported where the linker fails, with what it said
Result<std::vector<std::byte>> link_wasm(const std::string& linker, std::span<const std::byte> object);

}  // namespace rnnc::compiler
