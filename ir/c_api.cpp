// This file implements the functions of rnnc.h that read models as text.
#include <rnnc/c_handles.hpp>

namespace {

using rnnc::c::fail;
using rnnc::c::guarded;
using rnnc::c::hand_over;

}  // namespace

extern "C" {

rnnc_status rnnc_model_parse(const char* text, const char* name, rnnc_model** model, rnnc_error* error) noexcept {
  if (!text || !model) return fail(RNNC_USAGE, "text or model is NULL", error);
  return guarded(error, [&] { return hand_over(rnnc::parse(text, name ? name : "<text>"), model, error); });
}

rnnc_status rnnc_model_load_file(const char* path, rnnc_model** model, rnnc_error* error) noexcept {
  if (!path || !model) return fail(RNNC_USAGE, "path or model is NULL", error);
  return guarded(error, [&] { return hand_over(rnnc::parse_file(path), model, error); });
}

rnnc_status rnnc_model_standard(const char* cell, rnnc_model** model, rnnc_error* error) noexcept {
  if (!cell || !model) return fail(RNNC_USAGE, "cell or model is NULL", error);
  return guarded(error, [&] { return hand_over(rnnc::standard_cell(cell), model, error); });
}

void rnnc_model_destroy(rnnc_model* model) noexcept { delete model; }

}  // extern "C"
