// What stands behind the public Program and State.
#pragma once

#include <memory>
#include <span>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

#include "runtime/cell.hpp"
#include "runtime/network.hpp"

namespace rnnc::runtime {

struct LoadedProgram {
  Description description;  // names and sizes: of the whole, not of one of its cells
  LoadedNetwork network;
  Threads threads;
};

struct StateContent {
  std::shared_ptr<const LoadedProgram> program;
  std::int64_t batch = 0;
  std::unique_ptr<NetworkState> network;
  CellState* direct = nullptr;  // of the only cell, where the program has a direct one
};

/// Makes a program that runs on `threads`; where there are several and no executor, it starts its own.
/// Errors: Limit where the system has no more threads.
RNNC_API Result<Program> load_program(Description description, LoadedNetwork network, Threads threads);

/// How many Program::states there are, and the i-th of sequence `b`.
std::size_t count_states(const StateContent& content);
std::span<float> state_row(const StateContent& content, std::size_t state, std::int64_t b);

}  // namespace rnnc::runtime
