// A cell over sequences of different lengths: the rows of a chunk of time are gathered in the timeline's order, run and
// put where the caller wants them, so that nothing is computed behind the end of a sequence.
#include <algorithm>

#include "runtime/program.hpp"

namespace rnnc::runtime {
namespace {

class LengthsRun {
 public:
  LengthsRun(const LoadedProgram& program, const RunArguments& arguments, StateContent& state) noexcept
      : program_(program), description_(program.cell.description), arguments_(arguments), state_(state) {}

  void run() noexcept {
    Timeline& timeline = state_.ragged.timeline;
    timeline.set(arguments_.steps, arguments_.lengths);
    if (timeline.is_ragged()) sort_states(description_, timeline, state_.ragged.in_place, state_.cell);
    run_segments(program_.cell, timeline.segments(), false, state_.cell,
                 [&](const Segment& segment, KernelArguments& kernel) { run_segment(segment, kernel); });
    if (timeline.is_ragged()) unsort_states(description_, timeline, state_.ragged.in_place, state_.cell);
    for (std::int64_t b = 0; b < arguments_.batch; ++b)
      for (std::int64_t t = arguments_.lengths[b]; t < arguments_.steps; ++t)
        std::fill_n(row(arguments_.y, t, b, description_.output_size), description_.output_size, 0.0f);
  }

 private:
  template <class Float>
  Float* row(Float* data, std::int64_t t, std::int64_t b, std::int64_t width) const noexcept {
    return data + (t * arguments_.batch + b) * width;
  }

  void run_segment(const Segment& segment, KernelArguments& kernel) noexcept {
    const std::int64_t chunk = kernel.chunk_steps;
    for (std::int64_t t = 0; t < segment.steps; t += kernel.steps) {
      kernel.steps = std::min(chunk, segment.steps - t);
      run_chunk(segment, segment.first_step + t, kernel);
      if (kernel.steps % 2 == 1) std::swap(kernel.current, kernel.next);
    }
  }

  void run_chunk(const Segment& segment, std::int64_t first, KernelArguments& kernel) noexcept {
    const std::int64_t in = description_.input_size, out = description_.output_size;
    const Timeline& timeline = state_.ragged.timeline;
    float* x = state_.ragged.x.data();
    for (std::int64_t t = first; t < first + kernel.steps; ++t)
      for (std::int64_t i = 0; i < segment.live; ++i, x += in)
        std::copy_n(row(arguments_.x, t, timeline.sequence(i), in), in, x);
    kernel.x = state_.ragged.x.data();
    kernel.y = state_.ragged.y.data();
    kernel.x_step = segment.live * in;
    kernel.y_step = segment.live * out;
    run_kernel(program_.cell, program_.threads, kernel, state_.cell.flags);
    const float* y = kernel.y;
    for (std::int64_t t = first; t < first + kernel.steps; ++t)
      for (std::int64_t i = 0; i < segment.live; ++i, y += out)
        std::copy_n(y, out, row(arguments_.y, t, timeline.sequence(i), out));
  }

  const LoadedProgram& program_;
  const Description& description_;
  const RunArguments& arguments_;
  StateContent& state_;
};

}  // namespace

void run_lengths(const LoadedProgram& program, const RunArguments& arguments, StateContent& state) noexcept {
  LengthsRun(program, arguments, state).run();
}

}  // namespace rnnc::runtime
