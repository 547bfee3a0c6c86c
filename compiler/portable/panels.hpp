// The matrices of a product, one below the other, become the packed panel of a portable program.
#pragma once

#include "ir/cell.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::compiler {

/// Returns the panel of a Project, which has no place yet: a single gate of all rows. Its weights are integers where
/// the product is one of integers; other weights are f32, rounded to `weights` where that is a format of floats.
runtime::PanelPacking panel_of(const ir::Cell& cell, ir::Value product, runtime::NumberFormat weights);

}  // namespace rnnc::compiler
