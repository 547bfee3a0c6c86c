// A shape and a model become a contest: a cell or network on this machine and, where asked for, oneDNN beside it.
// Results are compared before anything is timed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/onednn_plugin.hpp"
#include "tools/progress.hpp"
#include "tools/roofline.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

// The flags describe one shape and what to do with it.
struct BenchFlags {
  ModelFlags model;
  std::int64_t steps = 0, batch = 0, input_size = 0, hidden_size = 0;
  std::int64_t threads = 1, rounds = 5, seed = 1, sessions = 0;
  bool tune = false, ragged = false;
  std::string against;
};

struct Contest {
  std::string name, cpu, backend, fallback;
  std::vector<std::string> notes;  // lines for people, of what was tuned
  std::int64_t input_size = 0, hidden_size = 0;
  std::int64_t layers = 1, directions = 1;  // scans one behind the other, and at most side by side
  std::vector<Work> work;                   // of each cell that is called
  double compile_ms = 0;
  std::function<void()> ours;
  std::function<void()> ragged;    // `ours` with lengths uniform in [1, steps]; empty where not asked for
  std::function<void()> together;  // a step of all sessions at once; `ours` is then as many single steps
  std::function<void()> baseline;  // empty where there is none
  std::string baseline_name, baseline_version;
  Difference from_interpreter, from_baseline;
  std::string compared_with = "the interpreter";  // where integers have other bits, "the portable executor"
};

/// `onednn` is null where nothing is to be timed beside it.
/// Errors: those of binding and compiling; Limit where the data would not fit in memory; Unsupported where oneDNN has
/// no such cell, or lacks what a flag asks for.
Result<Contest> make_contest(const BenchFlags& flags, Source source, const OnednnPlugin* onednn, const Report& report);

/// Adds --input-size and --hidden-size as dims I and H. Errors: Usage.
Result<void> add_sizes(const BenchFlags& flags, Source& source);

}  // namespace rnnc::tools
