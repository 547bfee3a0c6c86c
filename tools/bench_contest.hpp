// A job becomes a contest: a cell or network on this machine and, where asked for, a baseline beside it. Results are
// compared before anything is timed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "tools/baseline.hpp"
#include "tools/bench_job.hpp"
#include "tools/progress.hpp"
#include "tools/roofline.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

struct Contest {
  BenchFlags flags;  // with all sizes
  Steps steps;       // of each time
  std::string name, cpu, backend, fallback;
  std::vector<std::string> notes;  // lines for people, of what was tuned
  std::int64_t input_size = 0, hidden_size = 0;
  std::int64_t layers = 1, directions = 1;  // scans one behind the other, and at most side by side
  std::vector<Work> work;                   // of each cell that is called
  double compile_ms = 0;
  bool knows_limit = true, knows_error = true;
  std::function<void()> ours;
  std::function<void()> ragged;    // `ours` with lengths uniform in [1, steps]; empty where not asked for
  std::function<void()> together;  // a step of all sessions at once; `ours` is then as many single steps
  Baseline baseline;               // its contestant is empty where there is none
  Difference from_interpreter, from_baseline;
  std::string compared_with = "the interpreter";  // where integers have other bits, "the portable executor"
};

/// `library` is null where nothing is to be timed beside rnnc.
/// Errors: those of compiling and of the library.
Result<Contest> make_contest(BenchJob job, const BaselineLibrary* library, const Report& report);

/// Times the loading of an artifact in place of compilation. An artifact tells neither what its steps need of the
/// machine nor what its results are to be.
/// Errors: those of load_program; Limit.
Result<Contest> make_artifact_contest(const BenchFlags& flags);

}  // namespace rnnc::tools
