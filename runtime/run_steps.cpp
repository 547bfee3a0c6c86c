// This file executes steps: a switch over their kinds, each on the rows of a whole call or of one chunk of time.
#include <algorithm>

#include "runtime/network_run.hpp"
#include "runtime/over_time.hpp"

namespace rnnc::runtime {

const LoadedCell* NetworkRun::cell_of(int call) const noexcept {
  const int cell = list_.running(call).cell;
  return cell < 0 ? nullptr : &network_.cell(cell);
}

void NetworkRun::run_call(int call, const Threads& threads, const TimeChunk* chunk) noexcept {
  for (const AnyStep& step : list_.steps_of(call))
    std::visit([&](const auto& each) { run(each, threads, chunk); }, step);
}

NetworkRun::Span NetworkRun::span_of(int time, const TimeChunk* chunk) const noexcept {
  if (chunk) return {chunk->first * batch_, (chunk->first + chunk->steps) * batch_};
  return {0, rows(time)};
}

// Copies the pieces side by side into the rows of `to` that begin at `rows.first`.
void NetworkRun::gather(const std::vector<Piece>& pieces, int time, Span rows, RowView to) const noexcept {
  const Timeline* timeline = this->timeline(time);
  for (const Piece& piece : pieces) {
    const RowView from = at(piece);
    const std::int64_t width = piece.width();
    if (time_of(piece) == time) {
      for (std::int64_t r = rows.first; r < rows.end; ++r)
        std::copy_n(from.data + r * from.stride, width, to.data + r * to.stride);
    } else {
      for (const Segment& segment : timeline->segments()) {
        const std::int64_t end = std::min(rows.end, segment.first_row + segment.steps * segment.live);
        for (std::int64_t r = std::max(rows.first, segment.first_row); r < end; ++r)
          std::copy_n(from.data + timeline->sequence((r - segment.first_row) % segment.live) * from.stride, width,
                      to.data + r * to.stride);
      }
    }
    to.data += width;
  }
}

void NetworkRun::run(const Gather& step, const Threads&, const TimeChunk* chunk) noexcept {
  const int time = time_of(step.to);
  gather(step.from, time, span_of(time, chunk), at(step.to));
}

void NetworkRun::run(const Repeat& step, const Threads&, const TimeChunk* chunk) noexcept {
  if (chunk && chunk->first > 0) return;
  const Timeline& timeline = *this->timeline(step.time);
  RowView to = at(step.to);
  for (const Piece& piece : step.from) {
    const RowView from = at(piece);
    for (std::int64_t i = 0; i < batch_; ++i)
      std::copy_n(from.data + timeline.sequence(i) * from.stride, piece.width(), to.data + i * to.stride);
    to.data += piece.width();
  }
}

// States are in the caller's order at this point, as the rows are.
void NetworkRun::run(const Begin& step, const Threads&, const TimeChunk* chunk) noexcept {
  if (!begins_ || (chunk && chunk->first > 0)) return;
  const Description& description = network_.cell(step.cell).description;
  const StateInfo& info = description.states[static_cast<std::size_t>(step.state)];
  for (std::int64_t b = 0; b < batch_; ++b) {
    float* to = states(step.cell).row(info, description, b);
    for (const Piece& piece : step.from) {
      const RowView from = at(piece);
      to = std::copy_n(from.data + b * from.stride, piece.width(), to);
    }
  }
}

void NetworkRun::run(const Scan& step, const Threads& threads, const TimeChunk* chunk) noexcept {
  CellWorkspace& workspace = this->workspace(step.cell);
  const CellRows& states = this->states(step.cell);
  float* const next = workspace.next.data();
  if (chunk) {
    const Segment segment{chunk->first, chunk->steps, batch_, chunk->first * batch_};
    return run_segments_of(step, threads, {&segment, 1}, states, next);
  }
  const Timeline& timeline = *this->timeline(step.time);
  if (!timeline.is_ragged()) return run_segments_of(step, threads, timeline.segments(), states, next);
  const Description& description = network_.cell(step.cell).description;
  const CellRows sorted{next, workspace.in_place.data()};
  sort_states(description, timeline, states, sorted);
  run_segments_of(step, threads, timeline.segments(), sorted, states.doubled);
  unsort_states(description, timeline, sorted, states);
}

void NetworkRun::run_segments_of(const Scan& step, const Threads& threads, std::span<const Segment> segments,
                                 const CellRows& states, float* next) noexcept {
  const LoadedCell& cell = network_.cell(step.cell);
  CellWorkspace& workspace = this->workspace(step.cell);
  const RowView x = at(step.x), y = at(step.y);
  const auto run = [&](const Segment& segment, KernelArguments& kernel) {
    const std::int64_t row = segment.first_row + (step.reverse ? (segment.steps - 1) * segment.live : 0);
    const std::int64_t forth = step.reverse ? -segment.live : segment.live;
    kernel.x = step.repeats ? x.data : x.data + row * x.stride;
    kernel.y = y.data + row * y.stride;
    kernel.x_step = step.repeats ? 0 : forth * x.stride;
    kernel.y_step = forth * y.stride;
    kernel.x_row = x.stride;
    kernel.y_row = y.stride;
    run_kernel(cell, threads, kernel, workspace.flags);
  };
  run_segments(cell, segments, step.reverse, states, next, workspace, run);
}

void NetworkRun::run(const Rows& step, const Threads& threads, const TimeChunk* chunk) noexcept {
  const LoadedCell& cell = network_.cell(step.cell);
  CellWorkspace& workspace = this->workspace(step.cell);
  const RowView x = at(step.x), y = at(step.y);
  const Span rows = span_of(step.time, chunk);
  for (std::int64_t first = rows.first; first < rows.end; first += workspace.rows) {
    KernelArguments kernel =
        kernel_arguments(cell, states(step.cell), workspace, std::min(workspace.rows, rows.end - first));
    kernel.x_row = x.stride;
    kernel.y_row = y.stride;
    kernel.x = x.data + first * x.stride;
    kernel.y = y.data + first * y.stride;
    kernel.x_step = kernel.batch * x.stride;
    kernel.y_step = kernel.batch * y.stride;
    run_kernel(cell, threads, kernel, workspace.flags);
  }
}

void NetworkRun::run(const End& step, const Threads&, const TimeChunk* chunk) noexcept {
  const Description& description = network_.cell(step.cell).description;
  const StateInfo& info = description.states[static_cast<std::size_t>(step.state)];
  if (chunk && !chunk->ends) return;
  const RowView to = at(step.to);
  for (std::int64_t b = 0; b < batch_; ++b)
    std::copy_n(states(step.cell).row(info, description, b), info.size, to.data + b * to.stride);
}

void NetworkRun::run(const ReduceTime& step, const Threads&, const TimeChunk*) noexcept {
  const Timeline& timeline = *this->timeline(step.time);
  RowView to = at(step.to);
  for (const Piece& piece : step.from) {
    over_time(step.function, timeline, at(piece), time_of(piece) == kNoTime, piece.width(), to);
    to.data += piece.width();
  }
}

}  // namespace rnnc::runtime
