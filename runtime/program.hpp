// This header has the contents behind the public classes Program and State.
#pragma once

#include <memory>
#include <span>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

#include "runtime/cell.hpp"
#include "runtime/network.hpp"

namespace rnnc::runtime {

struct LoadedProgram {
  Description description;  // names and sizes of the whole program, not of one of its cells
  LoadedNetwork network;
  Threads threads;
};

struct StateContent {
  std::shared_ptr<const LoadedProgram> program;
  std::int64_t batch = 0;
  std::unique_ptr<NetworkState> network;
  CellState* direct = nullptr;  // the state of the only cell if the program is a direct scan, otherwise null
};

/// Makes a program that runs on `threads`; if there are several and no executor, the program starts its own threads.
/// Errors: Limit if the system has no more threads.
RNNC_API Result<Program> load_program(Description description, LoadedNetwork network, Threads threads);

/// Return the number of Program::states, and the i-th state of sequence `b`.
std::size_t count_states(const StateContent& content);
std::span<float> state_row(const StateContent& content, std::size_t state, std::int64_t b);

}  // namespace rnnc::runtime
