// The flags that say on which sequences results are compared: files of the user's, or random ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include <rnnc/result.hpp>

#include "ir/cell.hpp"
#include "tools/flags.hpp"

namespace rnnc::tools {

struct ComparedData {
  std::vector<std::string> inputs;  // files; random sequences where there are none
  std::string layout = kStepsFirst;
  std::int64_t steps = 100, batch = 3, seed = 1;
};

/// Adds --input, --layout, and --steps, --batch and --seed, which exclude --input.
void add_compared_data(CLI::App& app, ComparedData& flags);

/// Errors: Usage where a layout is given and no files.
Result<void> check_layout(const ComparedData& flags);

/// Errors: Limit where random sequences of the network would not fit in memory.
Result<void> check_memory_of(const ComparedData& flags, const ir::Network& network);

}  // namespace rnnc::tools
