#include "import/onnx/values.hpp"

#include <algorithm>

namespace rnnc::files {

std::optional<OnnxValue> first_of_equal(const OnnxValue& value, std::size_t axis) {
  const auto size = static_cast<std::size_t>(value.axes[axis].fixed());
  std::size_t inner = 1;
  for (std::size_t d = axis + 1; d < value.axes.size(); ++d) inner *= static_cast<std::size_t>(value.axes[d].fixed());
  OnnxValue result = value;
  result.elements.clear();
  for (std::size_t begin = 0; begin < value.elements.size(); begin += size * inner)
    for (std::size_t i = 0; i < inner; ++i) {
      const Element first = value.elements[begin + i];
      for (std::size_t k = 1; k < size; ++k)
        if (value.elements[begin + k * inner + i] != first) return std::nullopt;
      result.elements.push_back(first);
    }
  result.axes[axis] = Axis{};
  return result;
}

OnnxValue with_symbols(OnnxValue result, const Axes& to) {
  std::optional<bool> is_constant;  // it takes long to ask, and is seldom needed
  const auto constant = [&] {
    if (!is_constant) is_constant = std::ranges::all_of(result.elements, &Element::is_constant);
    return *is_constant;
  };
  for (std::size_t i = 0; i < std::min(to.size(), result.axes.size()); ++i) {
    const std::size_t at = result.axes.size() - 1 - i;
    const Axis& other = to[to.size() - 1 - i];
    const bool symbol = other.atoms.size() == 1 && other.atoms[0].symbol != 0;
    if (!symbol || !result.axes[at].is_number() || result.axes[at].is_one()) continue;
    // A constant is meant for every size where the file declares none.
    const bool declared = result.axes[at].fixed() == other.atoms[0].size;
    if (!declared && !(other.atoms[0].size == 0 && constant())) continue;
    if (auto one = first_of_equal(result, at)) {
      result = std::move(*one);
      result.axes[at] = other;
    }
  }
  return result;
}

}  // namespace rnnc::files
