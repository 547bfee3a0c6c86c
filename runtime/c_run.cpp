// This file implements the calls of rnnc.h: a run, and one step. The functions around them are in c_api.cpp, which is
// built for size, since a program calls them once.
#include <array>
#include <cstddef>
#include <span>

#include <rnnc/c_handles.hpp>

namespace {

using rnnc::c::kMostNamed;
using rnnc::c::read_named;
using rnnc::c::status_of;
using rnnc::c::unsized;

// Programs with one output do not pay for the array of the others.
rnnc_status run_with_outputs(const rnnc_program& program, rnnc_state& state, const rnnc_run_arguments& given,
                             rnnc::RunArguments arguments) noexcept {
  if (given.output_count > kMostNamed) return RNNC_LIMIT;
  std::array<rnnc::NamedOutput, kMostNamed> outputs;
  if (!read_named(given.outputs, given.output_count, outputs)) return RNNC_USAGE;
  arguments.outputs = std::span(outputs.data(), given.output_count);
  return status_of(program.program.run(state.state, arguments));
}

}  // namespace

extern "C" {

rnnc_status rnnc_run(const rnnc_program* program, rnnc_state* state, const rnnc_run_arguments* arguments) noexcept {
  rnnc_run_arguments given;
  if (!program || !state || !rnnc::c::read_struct(arguments, given)) return RNNC_USAGE;
  if (given.input_count > kMostNamed || given.time_count > kMostNamed) return RNNC_LIMIT;
  if ((given.input_count > 0 && !given.inputs) || (given.time_count > 0 && !given.times)) return RNNC_USAGE;
  if (given.batch != state->state.batch()) return RNNC_BATCH_MISMATCH;
  std::array<rnnc::NamedInput, kMostNamed> inputs;
  std::array<rnnc::NamedTime, kMostNamed> times;
  if (!read_named(given.inputs, given.input_count, inputs)) return RNNC_USAGE;
  for (std::size_t i = 0; i < given.time_count; ++i) {
    if (!given.times[i].name) return RNNC_USAGE;
    times[i] = {given.times[i].name, given.times[i].steps, unsized(given.times[i].lengths)};
  }
  const rnnc::RunArguments passed{.x = unsized(given.x),
                                  .y = unsized(given.y),
                                  .steps = given.steps,
                                  .lengths = unsized(given.lengths),
                                  .inputs = std::span(inputs.data(), given.input_count),
                                  .times = std::span(times.data(), given.time_count),
                                  .workspace = given.workspace ? &given.workspace->workspace : nullptr};
  if (given.output_count > 0) return run_with_outputs(*program, *state, given, passed);
  return status_of(program->program.run(state->state, passed));
}

rnnc_status rnnc_step(const rnnc_program* program, rnnc_state* state, const float* x, float* y) noexcept {
  if (!program || !state) return RNNC_USAGE;
  return status_of(program->program.step(state->state, unsized(x), unsized(y)));
}

rnnc_status rnnc_step_in(const rnnc_program* program, rnnc_state* state, rnnc_workspace* workspace, const float* x,
                         float* y) noexcept {
  if (!program || !state || !workspace) return RNNC_USAGE;
  return status_of(program->program.step(state->state, workspace->workspace, unsized(x), unsized(y)));
}

}  // extern "C"
