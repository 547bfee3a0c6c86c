// This file implements the functions of rnnc.h that need no compiler and are called seldom: weights from the caller's
// memory, artifacts and states. The calls of a program are in c_run.cpp.
#include <algorithm>
#include <optional>
#include <span>

#include <rnnc/artifact.hpp>
#include <rnnc/c_handles.hpp>
#include <rnnc/version.hpp>

namespace {

using rnnc::c::fail;
using rnnc::c::guarded;
using rnnc::c::hand_over;

constexpr std::size_t kMostRank = 8;
constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

// Returns the number of elements of a shape, or nullopt if a dim is negative or the number is too large.
std::optional<std::int64_t> elements_of(std::span<const std::int64_t> shape) noexcept {
  std::int64_t elements = 1;
  for (const std::int64_t dim : shape) {
    if (dim < 0 || dim > kMostElements || (dim > 0 && elements > kMostElements / dim)) return std::nullopt;
    elements *= dim;
  }
  return elements;
}

// Copies the caller's options into the C++ struct, or returns an error.
rnnc_status read_options(const rnnc_load_options* from, rnnc::LoadOptions& to, rnnc_error* error) {
  rnnc_load_options options{};
  if (from && !rnnc::c::read_struct(from, options))
    return fail(RNNC_USAGE, "rnnc_load_options: struct_size is wrong, or a newer header's field is set", error);
  to.threads = options.threads == 0 ? 1 : options.threads;
  to.cpu = options.cpu ? options.cpu : "";
  return RNNC_OK;
}

rnnc_status fill(const rnnc::Port& from, const char* time, rnnc_port* to) noexcept {
  const rnnc_port port{sizeof port, from.name.c_str(), time, from.size()};
  return rnnc::c::write_struct(port, to) ? RNNC_OK : RNNC_USAGE;
}

}  // namespace

extern "C" {

const char* rnnc_version(void) noexcept { return rnnc::kVersion; }

const char* rnnc_status_text(rnnc_status status) noexcept {
  switch (status) {
    case RNNC_OK: return "no error";
    case RNNC_USAGE: return "an argument makes no sense";
    case RNNC_SYNTAX: return "the text is not a model";
    case RNNC_NAME: return "a name is unknown, or declared twice";
    case RNNC_SHAPE_MISMATCH: return "shapes do not fit each other";
    case RNNC_INVALID_MODEL: return "the model means nothing";
    case RNNC_INVALID_DATA: return "a file or tensor is malformed, missing or left over";
    case RNNC_LIMIT: return "more than a limit or the memory allows";
    case RNNC_UNSUPPORTED: return "not supported on this machine or in this version";
    case RNNC_FILE: return "the file cannot be read";
    case RNNC_INTERNAL: return "a bug of rnnc";
    case RNNC_BATCH_MISMATCH: return "the batch is not the state's";
    case RNNC_WRONG_STATE: return rnnc::text(rnnc::RunStatus::WrongState);
    case RNNC_NEGATIVE_STEPS: return rnnc::text(rnnc::RunStatus::NegativeSteps);
    case RNNC_MISSING_POINTER: return rnnc::text(rnnc::RunStatus::MissingPointer);
    case RNNC_BAD_LENGTH: return rnnc::text(rnnc::RunStatus::BadLength);
    case RNNC_TOO_MANY_STEPS: return rnnc::text(rnnc::RunStatus::TooManySteps);
    case RNNC_MISSING_INPUT: return rnnc::text(rnnc::RunStatus::MissingInput);
    case RNNC_UNKNOWN_NAME: return rnnc::text(rnnc::RunStatus::UnknownName);
    case RNNC_NO_STREAMING: return rnnc::text(rnnc::RunStatus::NoStreaming);
    case RNNC_NO_FORWARD: return rnnc::text(rnnc::RunStatus::NoForward);
    case RNNC_WRONG_WORKSPACE: return rnnc::text(rnnc::RunStatus::WrongWorkspace);
    case RNNC_NO_WORKSPACE: return rnnc::text(rnnc::RunStatus::NoWorkspace);
  }
  return "no status of rnnc";
}

rnnc_status rnnc_weights_create(rnnc_weights** weights, rnnc_error* error) noexcept {
  if (!weights) return fail(RNNC_USAGE, "weights is NULL", error);
  return guarded(error, [&] {
    *weights = new rnnc_weights{};
    return RNNC_OK;
  });
}

rnnc_status rnnc_weights_add(rnnc_weights* weights, const char* name, const float* values, const int64_t* shape,
                             size_t rank, rnnc_error* error) noexcept {
  if (!weights || !name || (rank > 0 && !shape)) return fail(RNNC_USAGE, "weights, name or shape is NULL", error);
  if (rank > kMostRank) return fail(RNNC_LIMIT, "a tensor has at most 8 dimensions", error);
  const auto elements = elements_of(std::span(shape, rank));
  if (!elements) return fail(RNNC_SHAPE_MISMATCH, "a dimension of the shape is negative or absurd", error);
  if (*elements > 0 && !values) return fail(RNNC_USAGE, "values is NULL", error);
  return guarded(error, [&] {
    if (weights->tensors.contains(name)) return fail(RNNC_NAME, "there is a tensor of this name already", error);
    std::vector<float> copy(values, values + *elements);
    weights->tensors.emplace(name, rnnc::Tensor::from_f32(rnnc::Shape(shape, shape + rank), copy));
    return RNNC_OK;
  });
}

size_t rnnc_weights_count(const rnnc_weights* weights) noexcept { return weights ? weights->tensors.size() : 0; }
void rnnc_weights_destroy(rnnc_weights* weights) noexcept { delete weights; }

rnnc_status rnnc_program_load_file(const char* path, const rnnc_load_options* options, rnnc_program** program,
                                   rnnc_error* error) noexcept {
  if (!path || !program) return fail(RNNC_USAGE, "path or program is NULL", error);
  return guarded(error, [&] {
    rnnc::LoadOptions read;
    if (const rnnc_status status = read_options(options, read, error); status != RNNC_OK) return status;
    return hand_over(rnnc::load_artifact(path, read), program, error);
  });
}

rnnc_status rnnc_program_load(const void* bytes, size_t size, const char* name, const rnnc_load_options* options,
                              rnnc_program** program, rnnc_error* error) noexcept {
  if (!bytes || !program) return fail(RNNC_USAGE, "bytes or program is NULL", error);
  return guarded(error, [&] {
    rnnc::LoadOptions read;
    if (const rnnc_status status = read_options(options, read, error); status != RNNC_OK) return status;
    const std::span content(static_cast<const std::byte*>(bytes), size);
    return hand_over(rnnc::parse_artifact(content, name ? name : "<memory>", read), program, error);
  });
}

void rnnc_program_destroy(rnnc_program* program) noexcept { delete program; }

rnnc_status rnnc_program_get_info(const rnnc_program* program, rnnc_program_info* info) noexcept {
  if (!program) return RNNC_USAGE;
  const rnnc_program_info filled{
      .struct_size = sizeof filled,
      .name = program->name.c_str(),
      .cpu = program->current_cpu(),
      .output_time = program->output_time.c_str(),
      .no_streaming = program->no_streaming.c_str(),
      .input_size = program->program.input_size(),
      .output_size = program->program.output_size(),
      .weights_bytes = program->program.weights_bytes(),
      .input_count = program->inputs.size(),
      .state_count = program->states.size(),
      .named_input_count = program->named_inputs.size(),
      .output_count = program->outputs.size(),
      .backend = program->program.backend() == rnnc::Backend::Jit ? RNNC_BACKEND_JIT : RNNC_BACKEND_PORTABLE,
      .fallback = program->program.fallback().c_str()};
  return rnnc::c::write_struct(filled, info) ? RNNC_OK : RNNC_USAGE;
}

rnnc_status rnnc_program_wait_for_code(const rnnc_program* program, rnnc_error* error) noexcept {
  if (!program) return fail(RNNC_USAGE, "program is NULL", error);
  return guarded(error, [&] {
    const rnnc::Result<void> waited = program->program.wait_for_code();
    return waited ? RNNC_OK : fail(waited.error(), error);
  });
}

rnnc_status rnnc_program_get_input(const rnnc_program* program, size_t index, rnnc_port* port) noexcept {
  return program && index < program->inputs.size() ? fill(program->inputs[index], "", port) : RNNC_USAGE;
}

rnnc_status rnnc_program_get_state(const rnnc_program* program, size_t index, rnnc_port* port) noexcept {
  return program && index < program->states.size() ? fill(program->states[index], "", port) : RNNC_USAGE;
}

rnnc_status rnnc_program_get_named_input(const rnnc_program* program, size_t index, rnnc_port* port) noexcept {
  if (!program || index >= program->named_inputs.size()) return RNNC_USAGE;
  const rnnc::NamedPort& input = program->named_inputs[index];
  return fill(input.port, input.time.c_str(), port);
}

rnnc_status rnnc_program_get_output(const rnnc_program* program, size_t index, rnnc_port* port) noexcept {
  if (!program || index >= program->outputs.size()) return RNNC_USAGE;
  const rnnc::NamedPort& output = program->outputs[index];
  return fill(output.port, output.time.c_str(), port);
}

rnnc_status rnnc_state_create(const rnnc_program* program, int64_t batch, int64_t max_steps, rnnc_state** state,
                              rnnc_error* error) noexcept {
  if (!program || !state) return fail(RNNC_USAGE, "program or state is NULL", error);
  return guarded(error, [&] { return hand_over(program->program.try_make_state(batch, max_steps), state, error); });
}

rnnc_status rnnc_state_create_without_workspace(const rnnc_program* program, int64_t batch, rnnc_state** state,
                                                rnnc_error* error) noexcept {
  if (!program || !state) return fail(RNNC_USAGE, "program or state is NULL", error);
  return guarded(error,
                 [&] { return hand_over(program->program.try_make_state_without_workspace(batch), state, error); });
}

rnnc_status rnnc_workspace_create(const rnnc_program* program, int64_t batch, int64_t max_steps,
                                  rnnc_workspace** workspace, rnnc_error* error) noexcept {
  if (!program || !workspace) return fail(RNNC_USAGE, "program or workspace is NULL", error);
  return guarded(error,
                 [&] { return hand_over(program->program.try_make_workspace(batch, max_steps), workspace, error); });
}

void rnnc_workspace_destroy(rnnc_workspace* workspace) noexcept { delete workspace; }

void rnnc_state_destroy(rnnc_state* state) noexcept { delete state; }

void rnnc_state_reset(rnnc_state* state) noexcept {
  if (state) state->state.reset();
}

rnnc_status rnnc_state_get(const rnnc_state* state, const char* name, float* values, size_t count,
                           rnnc_error* error) noexcept {
  if (!state || !name || (count > 0 && !values)) return fail(RNNC_USAGE, "state, name or values is NULL", error);
  return rnnc::c::copy_state(state->state, &rnnc::State::get, name, values, count, error);
}

rnnc_status rnnc_state_set(rnnc_state* state, const char* name, const float* values, size_t count,
                           rnnc_error* error) noexcept {
  if (!state || !name || (count > 0 && !values)) return fail(RNNC_USAGE, "state, name or values is NULL", error);
  return rnnc::c::assign_state(state->state, &rnnc::State::set, name, values, count, error);
}

rnnc_status rnnc_state_save(const rnnc_state* state, void* bytes, size_t* size, rnnc_error* error) noexcept {
  if (!state || !size) return fail(RNNC_USAGE, "state or size is NULL", error);
  return guarded(error, [&] {
    const std::vector<std::byte> saved = state->state.save();
    const std::size_t room = *size;
    *size = saved.size();
    if (!bytes) return RNNC_OK;
    if (room < saved.size()) return fail(RNNC_LIMIT, "there is too little room for the state", error);
    std::ranges::copy(saved, static_cast<std::byte*>(bytes));
    return RNNC_OK;
  });
}

rnnc_status rnnc_state_restore(rnnc_state* state, const void* bytes, size_t size, rnnc_error* error) noexcept {
  if (!state || !bytes) return fail(RNNC_USAGE, "state or bytes is NULL", error);
  return guarded(error, [&] {
    const auto done = state->state.restore(std::span(static_cast<const std::byte*>(bytes), size));
    return done ? RNNC_OK : fail(done.error(), error);
  });
}

}  // extern "C"
