// A graph, a plan or a list of calls becomes a drawing for Graphviz, of operations, stages or calls. Edges from one
// time step to a later one, or from the end of one scan to the beginning of another, are dashed.
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
