// A model becomes what rnnc explain says of it: its facts, the boxes of its drawing, the plan of each stage of each
// kind of cell in words, and the predicted and measured time of a step beside the limit of the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "tools/bench_contest.hpp"
#include "tools/model_facts.hpp"
#include "tools/network_boxes.hpp"
#include "tools/noise.hpp"
#include "tools/progress.hpp"

namespace rnnc::tools {

struct StageFacts {
  std::string when;              // once, ahead, step
  std::string does;              // products, functions and what is written, in words
  std::string tile;              // the units and rows that are computed at once
  double bytes = 0;              // of its weights
  std::string level;             // of memory, where they are read from; "" without weights
  double predicted_seconds = 0;  // of a step of the whole batch
};

/// The time of a step that was measured, and the least that the machine needs for it.
struct StepTime {
  double seconds = 0, limit_seconds = 0;
};

/// A kind of cell, which several calls may share with weights of their own.
struct CellFacts {
  std::string name, callers;  // `callers` is "" for a cell without a name
  std::int64_t calls = 1;
  std::string plan, chosen_by;  // as --plan takes it, and who chose it
  std::int64_t chunk = 0;       // the rows that are computed ahead at once
  std::vector<StageFacts> stages;
  double predicted_seconds = 0;      // of a step of one call
  std::optional<StepTime> measured;  // of the cell of a network alone, with random weights
};

struct Explanation {
  std::string kind, name, cpu, machine, weights_as;
  std::int64_t steps = 0, batch = 0, threads = 1;
  ModelFacts model;
  double weight_bytes = 0;  // in the format of the products, where they are multiplied
  std::vector<Box> boxes;
  std::vector<CellFacts> cells;
  double predicted_seconds = 0;      // of a step of all calls
  std::optional<StepTime> measured;  // nothing where this machine does not run the code
  Noise noise;                       // of `measured`
};

/// Times the model where its code runs here, with random weights where it has none. Errors: those of loading, binding
/// and compiling.
Result<Explanation> explain(const BenchFlags& flags, const Report& report);

/// Returns the text for a terminal of 100 columns.
std::string explain_text(const Explanation& explanation);

/// Returns the page. `command` is the command line that it is of.
std::string explain_page(const Explanation& explanation, const std::string& command);

}  // namespace rnnc::tools
