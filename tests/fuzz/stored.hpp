// These programs and artifacts are made without LLVM, and seeds are written from them: real descriptions, and code that
// returns at once.
#pragma once

#include <rnnc/program.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "ir/graph.hpp"
#include "runtime/artifact_file.hpp"

namespace rnnc::fuzz {

inline const std::string kSeedKey = "key";

/// A tensor for each that the bound graph takes, all elements alike.
TensorMap equal_weights(const ir::Graph& graph);

runtime::CodeImage code_that_returns();

/// Code of the cache, of one cell; and the programs of a cell and of a network.
runtime::StoredEntry stored_entry();
runtime::StoredProgram stored_cell();
runtime::StoredProgram stored_network();

/// A network with states of two cells, which streams.
Program seed_program();

}  // namespace rnnc::fuzz
