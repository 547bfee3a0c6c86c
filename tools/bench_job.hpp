// The flags of one shape and a model become a job: a network with sizes, weights and random data, which rnnc and a
// baseline run.
#pragma once

#include <string>

#include <rnnc/result.hpp>

#include "compiler/schedule/target.hpp"
#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

// The flags describe one shape and what to do with it. A size is 0 where neither a flag nor the model tells it.
struct BenchFlags {
  ModelFlags model;
  std::int64_t steps = 0, batch = 0, input_size = 0, hidden_size = 0;
  std::vector<std::string> steps_of_times;  // NAME=N, of times that do not have `steps`
  std::int64_t threads = 1, rounds = 5, seed = 1, sessions = 0;
  bool tune = false, ragged = false;
  std::string against;
};

struct BenchJob {
  BenchFlags flags;
  Source source;
  compiler::Target target;
  ir::Network network;
  Interface interface;
  ir::NetworkBatch batch, ragged;  // `ragged` is empty where it is not asked for
};

/// Errors: those of binding; Usage; Limit where the data would not fit in memory.
Result<BenchJob> make_job(const BenchFlags& flags, Source source);

/// Adds --input-size and --hidden-size as dims I and H. Errors: Usage.
Result<void> add_sizes(const BenchFlags& flags, Source& source);

/// Takes the steps and sequences that the flags leave open from the model's file, else 100 and 1.
void take_sizes(const GivenByModel& given, BenchFlags& flags);

/// Returns the steps of each time, once `steps` are known, which become those of the longest time. Errors: Usage where
/// there is no time of a name.
Result<Steps> take_times(const Interface& interface, BenchFlags& flags);

}  // namespace rnnc::tools
