// This header has the contents behind the public classes Program, State and Workspace.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

#include "runtime/cell.hpp"
#include "runtime/network.hpp"
#include "runtime/next_tier.hpp"

namespace rnnc::runtime {

/// The most sequences, and the most steps of a call, that memory can be asked for.
inline constexpr std::int64_t kMostSteps = std::int64_t{1} << 31;

struct LoadedProgram {
  LoadedProgram() = default;
  LoadedProgram(const LoadedProgram&) = delete;
  LoadedProgram& operator=(const LoadedProgram&) = delete;
  ~LoadedProgram();

  Description description;  // names and sizes of the whole program, not of one of its cells
  LoadedNetwork network;
  Threads threads;
  std::unique_ptr<const NextTier> next = nullptr;  // of a program that begins without generated code, or null
};

/// Returns the content of a program, and that of one without anything for a program that was moved from.
const LoadedProgram& content_of(const std::shared_ptr<const LoadedProgram>& loaded);

struct WorkspaceContent {
  ~WorkspaceContent();

  std::shared_ptr<const LoadedProgram> program;
  std::unique_ptr<NetworkWorkspace> network;
  std::unique_ptr<WorkspaceContent> later = nullptr;  // that of the next tier, if the program waits for one
};

/// A state is one piece of memory, since a server may keep very many: this object, and behind it the floats of its
/// states.
struct alignas(kCacheLineBytes) StateContent {
  ~StateContent();

  std::shared_ptr<const LoadedProgram> program;
  std::int64_t batch = 0;
  std::unique_ptr<WorkspaceContent> workspace = nullptr;  // its own, or null

  /// The only cell's part of its own workspace if the program is a direct scan, and has no `later`.
  CellWorkspace* direct = nullptr;

  std::unique_ptr<StateContent> later = nullptr;    // room for the state in the next tier, if the program waits for one
  std::unique_ptr<StateContent> earlier = nullptr;  // what was the state until it moved to this tier

  float* floats() const noexcept { return const_cast<float*>(reinterpret_cast<const float*>(this + 1)); }

  static void* operator new(std::size_t size, std::int64_t floats);
  static void operator delete(void* memory) noexcept;
  static void operator delete(void* memory, std::int64_t) noexcept { operator delete(memory); }
};

/// Calls visit(cell, rows) for each cell with its states.
template <class Visit>
void for_each_cell(const StateContent& content, Visit visit) {
  const LoadedNetwork& network = content.program->network;
  float* floats = content.floats();
  for (std::size_t i = 0; i < network.cells.size(); ++i) {
    const Description& description = network.cells[i]->description;
    const std::int64_t doubled = whole_lines(content.batch * description.doubled_row);
    visit(i, CellRows{floats, floats + doubled});
    floats += doubled + whole_lines(content.batch * description.in_place_row);
  }
}

/// Sets the states of sequences [first, end), in the caller's order, to those of a new sequence.
void start_sequences(const StateContent& content, std::int64_t first, std::int64_t end) noexcept;

/// Makes a program that runs on `threads`; if there are several and no executor, the program starts its own threads.
/// Errors: Limit if the system has no more threads.
RNNC_API Result<std::shared_ptr<LoadedProgram>> load(Description description, LoadedNetwork network, Threads threads);
RNNC_API Result<Program> load_program(Description description, LoadedNetwork network, Threads threads);

/// Return the number of Program::states, and the i-th state of sequence `b`.
std::size_t count_states(const StateContent& content);
/// Returns what the program knows of state `state` of the list.
const StateInfo& state_info(const StateContent& content, std::size_t state);
std::span<float> state_row(const StateContent& content, std::size_t state, std::int64_t b);

}  // namespace rnnc::runtime
