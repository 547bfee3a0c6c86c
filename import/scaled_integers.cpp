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

TensorView floats_of(const TensorView& integers, const Scales& by) {
  const std::vector<double> values = doubles_of(integers);
  std::vector<float> floats(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t k = by.of_place(i);
    floats[i] = static_cast<float>((values[i] - by.zero_points[k]) * by.scales[k]);
  }
  return TensorView::own(integers.shape, floats);
}

}  // namespace rnnc::files
