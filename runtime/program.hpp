// What stands behind the public Program and State.
#pragma once

#include <memory>
#include <span>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

#include "runtime/cell.hpp"
#include "runtime/network.hpp"

namespace rnnc::runtime {

/// A cell, or a network; of a network `cell` has the names and sizes of the description only.
struct LoadedProgram {
  LoadedCell cell;
  Threads threads;
  std::unique_ptr<const LoadedNetwork> network;
};

/// What a cell needs where lengths differ: rows of a chunk of time in the timeline's order.
struct RaggedMemory {
  Timeline timeline;
  AlignedBuffer in_place, x, y;
};

struct StateContent {
  std::shared_ptr<const LoadedProgram> program;
  std::int64_t batch = 0;
  CellState cell;
  RaggedMemory ragged;
  std::unique_ptr<NetworkState> network;
};

/// Makes a program that runs on `threads`; where there are several and no executor, it starts its own.
/// Errors: those of load_cell; Limit where the system has no more threads.
RNNC_API Result<Program> load_program(Description description, Code code, const TensorMap& weights, Threads threads);
RNNC_API Result<Program> load_network(Description description, LoadedNetwork network, Threads threads);

/// The i-th of Program::states, of sequence `b`.
std::size_t count_states(const StateContent& content);
std::span<float> state_row(const StateContent& content, std::size_t state, std::int64_t b);

/// Runs a cell whose sequences differ in length, which are no larger than `arguments.steps`.
void run_lengths(const LoadedProgram& program, const RunArguments& arguments, StateContent& state) noexcept;

/// The same with weights that are packed and prepared. Errors: Limit where the system has no more threads.
Result<Program> make_program(Description description, RunKernel run, std::shared_ptr<void> code, AlignedBuffer weights,
                             Threads threads);

}  // namespace rnnc::runtime
