// A row of a matrix becomes integers with one scale, as docs/numerics.md defines them.
#pragma once

#include <span>

#include "runtime/panel_layout.hpp"

namespace rnnc::runtime {

/// Packs the weights of a unit of a gate, and its scale and start values, into the panel that begins at `panel`. A row
/// with an element that is not finite has NaN as its scale.
void pack_integers(const PanelShape& shape, int gate, std::int64_t unit, std::span<const float> row, float* panel);

}  // namespace rnnc::runtime
