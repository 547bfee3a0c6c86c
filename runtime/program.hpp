// What stands behind the public Program and State.
#pragma once

#include <memory>
#include <vector>

#include <rnnc/executor.hpp>
#include <rnnc/program.hpp>

#include "runtime/aligned_buffer.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::runtime {

struct LoadedProgram {
  Description description;
  AlignedBuffer weights;
  RunKernel run = nullptr;
  std::shared_ptr<void> code;  // keeps `run` alive
  int threads = 1;
  std::shared_ptr<Executor> executor;  // null where one thread runs everything
  Sharing sharing = Sharing::Auto;
};

struct StateContent {
  std::shared_ptr<const LoadedProgram> program;
  std::int64_t batch = 0;
  std::int64_t chunk_steps = 1;
  AlignedBuffer buffers[2];  // double-buffered states; `current` tells which holds their values
  int current = 0;
  AlignedBuffer in_place;
  AlignedBuffer sequence, step;  // working memory of a call
  std::vector<Flag> flags;       // one for each thread
};

/// How many threads a call may use, and whose: where `executor` is null and there are several, the program starts its own.
struct Threads {
  int count = 1;
  std::shared_ptr<Executor> executor;
  Sharing sharing = Sharing::Auto;
};

/// Packs `weights`, computes what depends on them only, and makes the program, which runs on `threads` at most.
/// Errors: those of pack_weights; Limit where the system has no more threads.
Result<Program> load_program(Description description, RunKernel run, PrepareKernel prepare, std::shared_ptr<void> code,
                             const TensorMap& weights, Threads threads);

/// The same with weights that are packed and prepared. Errors: Limit where the system has no more threads.
Result<Program> make_program(Description description, RunKernel run, std::shared_ptr<void> code, AlignedBuffer weights,
                             Threads threads);

}  // namespace rnnc::runtime
