// A bound model becomes the facts that people ask of it first: what it takes, gives, keeps and weighs, and whether it
// runs step by step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/import.hpp>
#include <rnnc/program.hpp>

#include "ir/cell.hpp"

namespace rnnc::tools {

struct ModelFacts {
  std::vector<std::string> inputs, outputs, states;  // as in x : f32[64]
  std::vector<std::string> parameters;
  std::int64_t state_floats = 0, numbers = 0;  // of a sequence, and of all parameters
  std::string why_not, what_helps;             // empty where the model runs step by step
};

/// `graph` is the file's, where the network was made of one.
ModelFacts facts_of(const ir::Network& network, const ImportedGraph& graph);

/// Returns the facts that a program tells: all but those about its parameters, and what would help.
ModelFacts facts_of(const Program& program);

/// Returns "1 float", "2 floats".
std::string plural(std::int64_t count, const std::string& noun);

}  // namespace rnnc::tools
