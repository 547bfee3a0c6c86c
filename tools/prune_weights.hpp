// The recurrent matrices of a network lose their smallest blocks, so that --sparse programs leave these out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "ir/cell.hpp"

namespace rnnc::tools {

struct Pruning {
  double keep = 0.2;                    // the part of the blocks of each 16 rows that stays, in (0, 1]
  std::int64_t rows = 16, columns = 4;  // of a block
  std::vector<std::string> only = {};   // matrices; all where it is empty
};

/// What became of the part of a matrix that products in the step read.
struct PrunedMatrix {
  std::string name;
  std::int64_t blocks = 0, kept = 0;
  double squares = 0, squares_kept = 0;  // of the weights, summed up
};

/// Sets all but the blocks with the largest sums of squares to zero, in every matrix that a product in the step of a
/// scan reads: those that are multiplied by a state, or by what follows from one. Blocks are counted from the first
/// unit of each gate, as code lays its vectors. All rows of blocks keep the same number, so that vectors take the same
/// time. `weights` have the network's names, and those that change become f32.
///
/// Errors: Usage where `only` names no such matrix, or no product in a step reads one
Result<std::vector<PrunedMatrix>> prune(const ir::Network& network, TensorMap& weights, const Pruning& pruning);

}  // namespace rnnc::tools
