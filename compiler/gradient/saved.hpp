// The values that a forward pass keeps for the backward pass are chosen here: as few floats as possible, from which all
// that the backward pass needs follows without a product or a reduction.
#pragma once

#include <vector>

#include "ir/graph.hpp"

namespace rnnc::compiler {

/// Returns the values to save, in order. `is_forward` marks the nodes that depend on no cotangent, `needed` those of
/// them that the backward pass reads. Parameters, constants and inputs are there anyway, and so is what follows from
/// parameters and constants; the caller keeps inputs. All others follow from these and the saved values by functions of
/// elements, slices and the like; where several choices are equally small, the one that leaves less to compute is
/// taken. The rows of scans count nothing: they are in memory.
std::vector<ir::Value> choose_saved(const ir::Graph& graph, const std::vector<bool>& is_forward,
                                    const std::vector<bool>& needed);

}  // namespace rnnc::compiler
