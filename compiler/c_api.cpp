// A model, weights and options of the C interface become a program or a training: these functions check the options and
// call compile() or Training::make().
#include <rnnc/c_handles.hpp>
#include <rnnc/compile.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <utility>

namespace {

using rnnc::c::assign_state;
using rnnc::c::copy_state;
using rnnc::c::fail;
using rnnc::c::guarded;
using rnnc::c::kMostNamed;
using rnnc::c::read_named;
using rnnc::c::status_of;
using rnnc::c::unsized;

template <class Choice>
using Choices = std::initializer_list<std::pair<int, Choice>>;

constexpr Choices<rnnc::Backend> kBackends = {{RNNC_BACKEND_AUTO, rnnc::Backend::Auto},
                                              {RNNC_BACKEND_JIT, rnnc::Backend::Jit},
                                              {RNNC_BACKEND_PORTABLE, rnnc::Backend::Portable},
                                              {RNNC_BACKEND_TIERED, rnnc::Backend::Tiered}};
constexpr Choices<rnnc::WeightFormat> kWeightFormats = {
    {RNNC_WEIGHTS_F32, rnnc::WeightFormat::F32},     {RNNC_WEIGHTS_F16, rnnc::WeightFormat::F16},
    {RNNC_WEIGHTS_BF16, rnnc::WeightFormat::BF16},   {RNNC_WEIGHTS_W16, rnnc::WeightFormat::W16},
    {RNNC_WEIGHTS_W8A16, rnnc::WeightFormat::W8A16}, {RNNC_WEIGHTS_W8, rnnc::WeightFormat::W8}};

// Finds the choice that the caller's number stands for. Returns false if there is none.
template <class Choice>
bool read_choice(std::int32_t given, Choices<Choice> choices, Choice& to) {
  for (const auto& [number, choice] : choices)
    if (number == given) return to = choice, true;
  return false;
}

rnnc_status read_options(const rnnc_compile_options* from, rnnc::CompileOptions& to, rnnc_error* error) {
  rnnc_compile_options options{};
  if (from && !rnnc::c::read_struct(from, options))
    return fail(RNNC_USAGE, "rnnc_compile_options: struct_size is wrong, or a newer header's field is set", error);
  if (options.dim_count > 0 && !options.dims) return fail(RNNC_USAGE, "dims is NULL", error);
  for (std::size_t i = 0; i < options.dim_count; ++i) {
    if (!options.dims[i].name) return fail(RNNC_USAGE, "the name of a dim is NULL", error);
    to.dims[options.dims[i].name] = options.dims[i].value;
  }
  to.cell = options.cell ? options.cell : "";
  to.cpu = options.cpu ? options.cpu : "";
  to.threads = options.threads == 0 ? 1 : options.threads;
  to.cache = options.no_cache == 0;
  to.compile_threads = options.compile_threads;
  to.sparse = options.sparse != 0;
  if (!read_choice(options.backend, kBackends, to.backend))
    return fail(RNNC_USAGE, "backend is none of rnnc_backend", error);
  if (!read_choice(options.weights, kWeightFormats, to.weights))
    return fail(RNNC_USAGE, "weights is none of rnnc_weight_format", error);
  if (!options.ranges) return RNNC_OK;
  rnnc::Result<rnnc::Ranges> ranges = rnnc::parse_ranges(options.ranges, "ranges");
  if (!ranges) return rnnc::c::fail(ranges.error(), error);
  to.ranges = std::move(*ranges);
  return RNNC_OK;
}

template <class Set>
rnnc_status set_values(rnnc_training* training, Set set, const char* name, const float* values, std::size_t count,
                       rnnc_error* error) noexcept {
  if (!training || !name || (count > 0 && !values)) return fail(RNNC_USAGE, "training, name or values is NULL", error);
  return assign_state(training->training, set, name, values, count, error);
}

template <class Get>
rnnc_status get_values(const rnnc_training* training, Get get, const char* name, float* values, std::size_t count,
                       rnnc_error* error) noexcept {
  if (!training || !name || (count > 0 && !values)) return fail(RNNC_USAGE, "training, name or values is NULL", error);
  return copy_state(training->training, get, name, values, count, error);
}

}  // namespace

extern "C" rnnc_status rnnc_compile(const rnnc_model* model, const rnnc_weights* weights,
                                    const rnnc_compile_options* options, rnnc_program** program,
                                    rnnc_error* error) noexcept {
  if (!model || !weights || !program) return fail(RNNC_USAGE, "model, weights or program is NULL", error);
  return guarded(error, [&] {
    rnnc::CompileOptions read;
    if (const rnnc_status status = read_options(options, read, error); status != RNNC_OK) return status;
    return rnnc::c::hand_over(rnnc::compile(model->model, weights->tensors, read), program, error);
  });
}

extern "C" rnnc_status rnnc_training_create(const rnnc_model* model, const rnnc_weights* weights,
                                            const rnnc_compile_options* compile, const rnnc_training_options* options,
                                            rnnc_training** training, rnnc_error* error) noexcept {
  if (!model || !weights || !training) return fail(RNNC_USAGE, "model, weights or training is NULL", error);
  rnnc_training_options given;
  if (!rnnc::c::read_struct(options, given))
    return fail(RNNC_USAGE, "rnnc_training_options: it is NULL, or struct_size is wrong", error);
  return guarded(error, [&] {
    rnnc::TrainingOptions read;
    if (const rnnc_status status = read_options(compile, read.compile, error); status != RNNC_OK) return status;
    read.batch = given.batch;
    read.max_steps = given.max_steps;
    read.memory_bytes = given.memory_bytes;
    return rnnc::c::hand_over(rnnc::Training::make(model->model, weights->tensors, read), training, error);
  });
}

extern "C" void rnnc_training_destroy(rnnc_training* training) noexcept { delete training; }

extern "C" rnnc_status rnnc_training_forward(rnnc_training* training, const rnnc_run_arguments* arguments) noexcept {
  rnnc_run_arguments given;
  if (!training || !rnnc::c::read_struct(arguments, given) || given.workspace) return RNNC_USAGE;
  if (given.input_count > kMostNamed || given.output_count > kMostNamed) return RNNC_LIMIT;
  if (given.time_count > 0) return RNNC_UNKNOWN_NAME;
  if (given.batch != training->training.batch()) return RNNC_BATCH_MISMATCH;
  std::array<rnnc::NamedInput, kMostNamed> inputs;
  std::array<rnnc::NamedOutput, kMostNamed> outputs;
  if (!read_named(given.inputs, given.input_count, inputs)) return RNNC_USAGE;
  if (!read_named(given.outputs, given.output_count, outputs)) return RNNC_USAGE;
  return status_of(training->training.forward({.x = unsized(given.x),
                                               .y = unsized(given.y),
                                               .steps = given.steps,
                                               .lengths = unsized(given.lengths),
                                               .inputs = std::span(inputs.data(), given.input_count),
                                               .outputs = std::span(outputs.data(), given.output_count)}));
}

extern "C" rnnc_status rnnc_training_backward(rnnc_training* training,
                                              const rnnc_backward_arguments* arguments) noexcept {
  rnnc_backward_arguments given;
  if (!training || !rnnc::c::read_struct(arguments, given)) return RNNC_USAGE;
  if (given.d_output_count > kMostNamed || given.d_input_count > kMostNamed) return RNNC_LIMIT;
  std::array<rnnc::NamedInput, kMostNamed> d_outputs;
  std::array<rnnc::NamedOutput, kMostNamed> d_inputs;
  if (!read_named(given.d_outputs, given.d_output_count, d_outputs)) return RNNC_USAGE;
  if (!read_named(given.d_inputs, given.d_input_count, d_inputs)) return RNNC_USAGE;
  return status_of(training->training.backward({.dy = unsized(given.dy),
                                                .d_outputs = std::span(d_outputs.data(), given.d_output_count),
                                                .dx = unsized(given.dx),
                                                .d_inputs = std::span(d_inputs.data(), given.d_input_count)}));
}

extern "C" void rnnc_training_reset(rnnc_training* training) noexcept {
  if (training) training->training.reset();
}

extern "C" rnnc_status rnnc_training_set_state(rnnc_training* training, const char* name, const float* values,
                                               size_t count, rnnc_error* error) noexcept {
  return set_values(training, &rnnc::Training::set_state, name, values, count, error);
}

extern "C" rnnc_status rnnc_training_get_state(const rnnc_training* training, const char* name, float* values,
                                               size_t count, rnnc_error* error) noexcept {
  return get_values(training, &rnnc::Training::state, name, values, count, error);
}

extern "C" rnnc_status rnnc_training_set_state_gradient(rnnc_training* training, const char* name, const float* values,
                                                        size_t count, rnnc_error* error) noexcept {
  return set_values(training, &rnnc::Training::set_state_gradient, name, values, count, error);
}

extern "C" rnnc_status rnnc_training_get_state_gradient(const rnnc_training* training, const char* name, float* values,
                                                        size_t count, rnnc_error* error) noexcept {
  return get_values(training, &rnnc::Training::state_gradient, name, values, count, error);
}

extern "C" const float* rnnc_training_gradient(const rnnc_training* training, const char* parameter,
                                               size_t* count) noexcept {
  const std::span<const float> values =
      training && parameter ? training->training.gradient(parameter) : std::span<const float>();
  if (count) *count = values.size();
  return values.data();
}

extern "C" float* rnnc_training_weight(rnnc_training* training, const char* parameter, size_t* count) noexcept {
  const std::span<float> values = training && parameter ? training->training.weight(parameter) : std::span<float>();
  if (count) *count = values.size();
  return values.data();
}

extern "C" void rnnc_training_clear_gradients(rnnc_training* training) noexcept {
  if (training) training->training.clear_gradients();
}

extern "C" rnnc_status rnnc_training_update(rnnc_training* training, rnnc_error* error) noexcept {
  if (!training) return fail(RNNC_USAGE, "training is NULL", error);
  return guarded(error, [&] {
    const auto done = training->training.update();
    return done ? RNNC_OK : fail(done.error(), error);
  });
}
