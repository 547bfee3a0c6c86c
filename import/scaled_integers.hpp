// Integers with scales, as files of quantised models hold them, become floats: (integer - zero point) * scale, computed
// in double and rounded once. --weights-as w8 finds such integers again (runtime/pack_integers.cpp).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "import/tensor_view.hpp"

namespace rnnc::files {

/// How integers stand for floats.
struct Scales {
  std::vector<double> scales, zero_points;           // equally many
  std::function<std::size_t(std::size_t)> of_place;  // the number of the scale of an element
};

/// Tells whether elements are integers that a quantised tensor may consist of.
bool is_small_integer(ElementType type);

/// Returns what is wrong with one of the scales, as a sentence without its subject; nothing where all are right.
std::optional<std::string> fault_of(const std::vector<double>& scales);

TensorView floats_of(const TensorView& integers, const Scales& by);

}  // namespace rnnc::files
