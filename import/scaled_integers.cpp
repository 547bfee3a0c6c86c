#include "import/scaled_integers.hpp"

#include <cmath>

#include "ir/print.hpp"

namespace rnnc::files {

bool is_small_integer(ElementType type) {
  return type == ElementType::I8 || type == ElementType::U8 || type == ElementType::I16 || type == ElementType::U16 ||
         type == ElementType::I32;
}

std::optional<std::string> fault_of(const std::vector<double>& scales) {
  for (std::size_t k = 0; k < scales.size(); ++k)
    if (!std::isfinite(scales[k]))
      return "scale " + std::to_string(k) + " is " + ir::number_text(static_cast<float>(scales[k])) +
             "; every scale must be a finite number: quantise the model again";
  return std::nullopt;
}

// Integers of 8 and 16 bits are f32 exactly, which takes half of the memory that doubles take.
TensorView floats_of(const TensorView& integers, const Scales& by) {
  const bool narrow = size_bytes(integers.type) < sizeof(float);
  const std::vector<double> wide = narrow ? std::vector<double>() : doubles_of(integers);
  std::vector<float> floats = narrow ? integers.to_f32() : std::vector<float>(wide.size());
  for (std::size_t i = 0; i < floats.size(); ++i) {
    const std::size_t k = by.of_place(i);
    const double integer = narrow ? static_cast<double>(floats[i]) : wide[i];
    floats[i] = static_cast<float>((integer - by.zero_points[k]) * by.scales[k]);
  }
  return TensorView::own(integers.shape, floats);
}

}  // namespace rnnc::files
