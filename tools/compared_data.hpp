// The flags that say on which sequences results are compared: files of the user's, or random ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include <rnnc/result.hpp>

#include "ir/cell.hpp"
#include "tools/flags.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

struct ComparedData {
  std::vector<std::string> inputs;  // files; random sequences where there are none
  std::string layout = kStepsFirst;
  std::vector<std::string> steps;  // N for all times, and NAME=N for one
  std::int64_t batch = 3, seed = 1;
};

/// Adds --input, --layout, --steps, and --batch and --seed, which exclude --input.
void add_compared_data(CLI::App& app, ComparedData& flags);

/// Errors: Usage where a layout is given and no files, or steps of times that files tell.
Result<void> check_files(const ComparedData& flags);

/// Returns the steps of each time of random sequences; of files, none. Errors: Usage; Limit where the sequences would
/// not fit in memory.
Result<Steps> random_steps(const ComparedData& flags, const ir::Network& network);

}  // namespace rnnc::tools
