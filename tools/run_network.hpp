// rnnc run of a network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "tools/flags.hpp"
#include "tools/load_model.hpp"

namespace rnnc::tools {

struct RunFlags {
  ModelFlags model;
  std::string output;
  std::vector<std::string> inputs, lengths, steps, states, final_states;
  std::int64_t threads = 1;
};

/// Errors: those of the files, of compiling, and Usage.
Result<int> run_network(const RunFlags& flags, const Source& source);

}  // namespace rnnc::tools
