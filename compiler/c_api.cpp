// A model, weights and options of the C interface become a program: rnnc_compile checks the options and calls
// compile().
#include <rnnc/c_handles.hpp>
#include <rnnc/compile.hpp>

#include <initializer_list>
#include <utility>

namespace {

using rnnc::c::fail;
using rnnc::c::guarded;

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
