#include <algorithm>

#include "import/onnx/glue.hpp"

namespace rnnc::files {
OnnxValue Glue::expand() {
  OnnxValue x = operand(0);
  const auto shape = wanted_shape(1, x.axes, false);
  Axes wanted;
  for (const auto& count : shape) {
    const auto term = count ? count->term() : std::nullopt;
    if (!term) attributes_.unsupported("its shape is no product of sizes");
    Axis axis = Axis::of(term->factor);
    if (term->times + term->batches > 1) attributes_.unsupported("repeats for each step of each sequence");
    if (term->times == 1) axis.atoms.insert(axis.atoms.begin(), scope_.time);
    if (term->batches == 1) axis.atoms.insert(axis.atoms.begin(), scope_.batch);
    wanted.push_back(axis);
  }
  x = with_symbols(std::move(x), wanted);
  for (std::size_t i = 0; i < std::min(wanted.size(), x.axes.size()); ++i) {
    // A number that is what the file declares of the time or the batch means that.
    Axis& axis = wanted[wanted.size() - 1 - i];
    const Axis& own = x.axes[x.axes.size() - 1 - i];
    if (axis.is_number() && own.atoms.size() == 1 && own.atoms[0].symbol != 0 && own.atoms[0].size == axis.fixed())
      axis = own;
  }
  auto axes = broadcast(x.axes, wanted);
  if (!axes) attributes_.invalid("shape mismatch: " + to_string(x.axes) + " cannot become " + to_string(wanted));
  if (fixed(*axes) > kMostElements) attributes_.too_large("makes a constant that is larger than the whole file");
  const auto places = spread(x.axes, *axes);
  OnnxValue result = x;
  result.axes = std::move(*axes);
  result.elements.clear();
  for (const std::int64_t at : places) result.elements.push_back(x.elements[static_cast<std::size_t>(at)]);
  return result;
}

OnnxValue Glue::tile() {
  const OnnxValue x = operand(0);
  const auto counts = scope_.counts.find(node_.input(1));
  if (!counts || counts->numbers.size() != x.axes.size()) attributes_.unsupported("its repeats must be known");
  Axes axes = x.axes;
  std::vector<std::int64_t> sizes = fixed_shape(x.axes);
  for (std::size_t d = 0; d < axes.size(); ++d) {
    const auto term = counts->numbers[d].term();
    const bool one = term && term->factor == 1 && term->times == 0 && term->batches == 0;
    if (one) continue;
    if (!term || term->factor < 1 || !axes[d].is_number()) attributes_.unsupported("repeats " + to_string(x.axes));
    if (term->times + term->batches == 0) {
      std::int64_t size = 0;
      if (__builtin_mul_overflow(axes[d].fixed(), term->factor, &size) || size > kMostElements)
        attributes_.too_large("makes a value of more than a million elements");
      axes[d] = Axis::of(size);
    } else if (axes[d].is_one() && term->factor == 1 && term->times + term->batches == 1) {
      axes[d] = Axis{{term->times == 1 ? scope_.time : scope_.batch}};
    } else {
      attributes_.unsupported("repeats features for each step or sequence");
    }
  }
  const std::vector<std::int64_t> strides = strides_of(x.axes);
  return taken(x, std::move(axes), [&](std::span<const std::int64_t> index) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] % sizes[d] * strides[d];
    return at;
  });
}

OnnxValue Glue::filled() {
  float value = 0;
  bool integer = false;
  if (const OnnxAttribute* given = attributes_.tensor("value")) {
    const TensorView tensor = scope_.constants.parse(given->tensor);
    if (tensor.elements() != 1) attributes_.unsupported("value must be one float");
    const OnnxValue one = constant_value(tensor);
    value = one.elements[0].constant();
    integer = one.integer;
  }
  OnnxValue result;
  result.integer = integer;
  const auto counts = scope_.counts.find(node_.input(0));
  if (!counts) attributes_.unsupported("its input 0 is no shape that is known");
  for (const Count& count : counts->numbers) {
    const auto term = count.term();
    if (count.number() && *count.number() < 0)
      attributes_.invalid("a dim of its shape is " + std::to_string(*count.number()));
    if (!term || term->times + term->batches > 1 || (term->factor != 1 && term->times + term->batches > 0))
      attributes_.unsupported("its shape is no list of sizes");
    if (term->times == 1)
      result.axes.push_back(Axis{{scope_.time}});
    else if (term->batches == 1)
      result.axes.push_back(Axis{{scope_.batch}});
    else
      result.axes.push_back(Axis::of(term->factor));
  }
  if (fixed(result.axes) > kMostElements) attributes_.too_large("makes a constant that is larger than the whole file");
  result.elements.assign(static_cast<std::size_t>(fixed(result.axes)), Element::of(value));
  return result;
}

}  // namespace rnnc::files
