// This file implements the functions of rnnc.h that read files of other programs.
#include <memory>
#include <span>

#include <rnnc/c_handles.hpp>
#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

namespace {

using rnnc::c::fail;
using rnnc::c::guarded;
using rnnc::c::hand_over;

}  // namespace

extern "C" {

rnnc_status rnnc_weights_load_file(const char* path, rnnc_weights** weights, rnnc_error* error) noexcept {
  if (!path || !weights) return fail(RNNC_USAGE, "path or weights is NULL", error);
  return guarded(error, [&] { return hand_over(rnnc::load_tensors(path), weights, error); });
}

rnnc_status rnnc_weights_load(const void* bytes, size_t size, const char* name, rnnc_weights** weights,
                              rnnc_error* error) noexcept {
  if (!bytes || !weights) return fail(RNNC_USAGE, "bytes or weights is NULL", error);
  return guarded(error, [&] {
    const std::span content(static_cast<const std::byte*>(bytes), size);
    return hand_over(rnnc::parse_safetensors(content, name ? name : "<memory>"), weights, error);
  });
}

rnnc_status rnnc_import_file(const char* path, rnnc_model** model, rnnc_weights** weights, rnnc_error* error) noexcept {
  if (!path || !model || !weights) return fail(RNNC_USAGE, "path, model or weights is NULL", error);
  return guarded(error, [&] {
    auto imported = rnnc::import_model_file(path);
    if (!imported) return fail(imported.error(), error);
    auto both = std::make_unique<rnnc_weights>(rnnc_weights{std::move(imported->weights)});
    *model = new rnnc_model{imported->model};
    *weights = both.release();
    return RNNC_OK;
  });
}

}  // extern "C"
