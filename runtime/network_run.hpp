// This class runs one call of a program in memory that was allocated before: the arguments are checked and laid out as
// blocks, then the steps run wave by wave, once for each piece of time.
#pragma once

#include <span>

#include "runtime/network.hpp"

namespace rnnc::runtime {

/// The steps of a call with sequences of equal length that a wavefront runs at once.
struct TimeChunk {
  std::int64_t first = 0, steps = 0;
  bool ends = false;  // tells whether this is the last chunk
};

class NetworkRun {
 public:
  NetworkRun(const LoadedNetwork& network, const Threads& threads, const RunArguments& arguments, std::int64_t batch,
             NetworkWorkspace& workspace) noexcept
      : network_(network),
        list_(network.list),
        threads_(threads),
        arguments_(arguments),
        batch_(batch),
        workspace_(workspace) {}

  RunStatus run() noexcept;

 private:
  // Defined in network_run.cpp.
  RunStatus check() noexcept;
  RunStatus check_inputs() const noexcept;
  RunStatus check_outputs() const noexcept;
  std::int64_t elements(int time, std::int64_t width) const noexcept;
  std::span<float> output(std::size_t index) const noexcept;
  bool is_written_directly(std::size_t output) const noexcept;
  std::span<const float> input(int index) const noexcept;
  void run_piece(std::int64_t first) noexcept;
  void place_blocks(std::int64_t first) noexcept;
  void run_waves() noexcept;
  double seconds_saved(int first, int end, int parts) const noexcept;
  void run_wave(int first, int end) noexcept;
  void write_output(std::size_t index, std::int64_t first) noexcept;

  // Defined in run_wavefront.cpp.
  struct Chunks;
  const Wavefront* wavefront_at(int wave) const noexcept;
  bool run_wavefront(const Wavefront& wavefront) noexcept;

  // Defined in run_steps.cpp. `chunk` is null if the whole call runs.
  void run_call(int call, const Threads& threads, const TimeChunk* chunk = nullptr) noexcept;
  void run(const Gather& step, const Threads& threads, const TimeChunk* chunk) noexcept;
  void run(const Repeat& step, const Threads& threads, const TimeChunk* chunk) noexcept;
  void run(const Begin& step, const Threads& threads, const TimeChunk* chunk) noexcept;
  void run(const Scan& step, const Threads& threads, const TimeChunk* chunk) noexcept;
  void run(const Rows& step, const Threads& threads, const TimeChunk* chunk) noexcept;
  void run(const End& step, const Threads& threads, const TimeChunk* chunk) noexcept;
  void run(const ReduceTime& step, const Threads& threads, const TimeChunk* chunk) noexcept;
  void run_segments_of(const Scan& step, const Threads& threads, std::span<const Segment> segments,
                       const CellRows& states, float* next) noexcept;

  // Rows [first, end) of a time.
  struct Span {
    std::int64_t first = 0, end = 0;
  };
  Span span_of(int time, const TimeChunk* chunk) const noexcept;
  void gather(const std::vector<Piece>& pieces, int time, Span rows, RowView to) const noexcept;

  // Returns the cell that a call runs over time or over rows, or null for a function over time.
  const LoadedCell* cell_of(int call) const noexcept;
  struct Work {
    std::int64_t steps = 0, batch = 0;  // as if all sequences had their mean length
  };
  Work work_of(int call) const noexcept;

  RowView at(const Piece& piece) const noexcept {
    const RowView& block = workspace_.blocks[static_cast<std::size_t>(piece.block)];
    return {block.data + piece.begin, block.stride};
  }
  CellWorkspace& workspace(int cell) const noexcept { return workspace_.cells[static_cast<std::size_t>(cell)]; }
  const CellRows& states(int cell) const noexcept { return workspace_.states[static_cast<std::size_t>(cell)]; }
  int time_of(const Piece& piece) const noexcept { return list_.block(piece).time; }
  const Timeline* timeline(int time) const noexcept {
    return time == kNoTime ? nullptr : &workspace_.times[static_cast<std::size_t>(time)];
  }
  std::int64_t rows(int time) const noexcept { return time == kNoTime ? batch_ : timeline(time)->rows(); }

  const LoadedNetwork& network_;
  const StepList& list_;
  const Threads& threads_;
  const RunArguments& arguments_;
  const std::int64_t batch_;
  NetworkWorkspace& workspace_;
  bool begins_ = true;  // tells whether this is the first piece of a call
};

}  // namespace rnnc::runtime
