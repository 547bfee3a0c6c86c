// Drawings for Graphviz: of a graph its operations, of a plan its stages, of a network its calls. What goes from one
// time step to a later one, or from one scan's end to another's beginning, is dashed.
#pragma once

#include <string>

#include "compiler/network/cut.hpp"
#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/stages.hpp"
#include "ir/graph.hpp"

namespace rnnc::compiler {

std::string dot_of(const ir::Graph& graph);
std::string dot_of(const Plan& plan, const Schedule& schedule);
std::string dot_of(const CallList& list, const ir::Network& network);

}  // namespace rnnc::compiler
