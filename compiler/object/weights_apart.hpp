// The weights leave a module of LLVM and become the content of a file that is copied into the module's memory before
// its first call. The module then holds code alone.
#pragma once

#include <llvm/IR/Module.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rnnc::compiler {

/// Takes all arrays of numbers out of `module`, in which zeros stand in their place, and returns their bytes. A
/// function `name` returns the address where the bytes belong.
std::vector<std::byte> take_weights(llvm::Module& module, const std::string& name);

/// Returns the content of the file: 64 bytes, of which the last four are `hash`, and the weights. The script compares
/// the hash alone, since to compute it takes longer than all else before the first step.
std::vector<std::byte> weights_file(std::span<const std::byte> weights, std::uint32_t hash);

}  // namespace rnnc::compiler
