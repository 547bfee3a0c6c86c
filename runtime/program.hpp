// What stands behind the public Program and State.
#pragma once

#include <memory>

#include <rnnc/program.hpp>

#include "runtime/aligned_buffer.hpp"
#include "runtime/artifact.hpp"
#include "runtime/thread_pool.hpp"

namespace rnnc::runtime {

struct LoadedProgram {
  Description description;
  AlignedBuffer weights;
  RunKernel run = nullptr;
  std::shared_ptr<void> code;        // keeps `run` alive
  std::unique_ptr<ThreadPool> pool;  // null where one thread runs everything
};

struct StateContent {
  std::shared_ptr<const LoadedProgram> program;
  std::int64_t batch = 0;
  std::int64_t chunk_steps = 1;
  AlignedBuffer buffers[2];  // double-buffered states; `current` tells which holds their values
  int current = 0;
  AlignedBuffer in_place;
  AlignedBuffer sequence, step;  // working memory of a call
};

/// Packs `weights`, computes what depends on them only, and makes the program, which runs on `threads` threads at most.
/// Errors: those of pack_weights; Limit where the system has no more threads.
Result<Program> load_program(Description description, RunKernel run, PrepareKernel prepare, std::shared_ptr<void> code,
                             const TensorMap& weights, int threads);

}  // namespace rnnc::runtime
