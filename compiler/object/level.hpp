// A network and its weights become a level: the program's steps, the code of its kinds of cells and their weights, for
// one CPU. An artifact stores one level, and an object may have several.
#pragma once

#include <limits>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "compiler/network/network.hpp"
#include "compiler/schedule/kinds.hpp"
#include "compiler/schedule/lower.hpp"

namespace rnnc::compiler {

/// Holds a cell of a program: the number of its kind, and its own weights, packed and prepared.
struct CellUse {
  std::size_t kind = 0;
  std::vector<float> weights;
};

/// Holds a program for one CPU. The levels of an object differ in code and weights only.
struct Level {
  Target target;
  NetworkParts parts = {};
  Kinds<CellKind> kinds = {};
  std::vector<CellUse> cells = {};

  const CellUse& cell(int i) const { return cells[static_cast<std::size_t>(i)]; }
  const runtime::Description& description(int i) const { return kinds[cell(i).kind].description; }
};

/// Makes the level of a bound network. Errors: those of put_together, make_kind and pack_weights; Unsupported where the
/// target has fused multiply-adds and this machine, which prepares the weights, has none; Limit where the weights take
/// more than `most_bytes`.
Result<Level> make_level(const ir::Network& network, const Target& target, const TensorMap& weights,
                         const PlanOptions& options = {},
                         std::int64_t most_bytes = std::numeric_limits<std::int64_t>::max());

}  // namespace rnnc::compiler
