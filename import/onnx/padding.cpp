#include <algorithm>
#include <set>

#include "import/onnx/glue.hpp"

namespace rnnc::files {

// Puts elements around dims. Zeros around the time wait for a convolution, which reads over the ends of sequences.
OnnxValue Glue::pad() {
  const OnnxValue& x = raw(0);
  const std::string mode = attributes_.text("mode").value_or("constant");
  auto pads = attributes_.integers("paddings");
  if (!pads) pads = list("pads", 1);
  auto axes = node_.input(3).empty() ? std::nullopt : list("axes", 3);
  if (!axes) {
    axes.emplace();
    for (std::size_t d = 0; d < x.axes.size(); ++d) axes->push_back(static_cast<std::int64_t>(d));
  }
  if (!pads || pads->size() != 2 * axes->size()) attributes_.invalid("pads must be two numbers for each dimension");
  if (mode != "constant" && mode != "reflect" && mode != "edge")
    attributes_.unsupported("mode " + mode + " is not constant, reflect or edge");
  float filling = attributes_.real("value").value_or(0);
  if (const TensorView* value = optional_constant(2)) filling = value->to_f32().at(0);
  OnnxValue result = x;
  std::vector<std::int64_t> before(x.axes.size(), 0), sizes = [&] {
    std::vector<std::int64_t> fixed_sizes;
    for (const Axis& one : x.axes) fixed_sizes.push_back(one.fixed());
    return fixed_sizes;
  }();
  Axes wide = x.axes;
  for (std::size_t k = 0; k < axes->size(); ++k) {
    const std::size_t d = axis((*axes)[k], x);
    const std::int64_t first = (*pads)[k], last = (*pads)[k + axes->size()];
    if (first == 0 && last == 0) continue;
    if (std::max(std::abs(first), std::abs(last)) > (1 << 20)) attributes_.too_large("pads by more than a million");
    if (x.axes[d].is('T')) {
      if (mode != "constant" || filling != 0 || first < 0 || last < 0)
        attributes_.unsupported("puts other than zeros around the time");
      if (scope_.ragged && last > 0) attributes_.unsupported("puts zeros behind sequences that have lengths");
      result.zeros_before += first;
      result.zeros_after += last;
      continue;
    }
    if (!x.axes[d].is_number()) attributes_.unsupported("puts elements around " + to_string(x.axes));
    const std::int64_t size = sizes[d] + first + last;
    if (size < 1 || (mode == "reflect" && std::max(first, last) >= sizes[d]))
      attributes_.invalid("pads dimension " + std::to_string(d) + " by more than it has");
    before[d] = first;
    wide[d] = Axis::of(size);
  }
  if (wide == x.axes) return result;
  OnnxValue from = result;
  from.elements.push_back(Element::of(filling));
  const auto outside = static_cast<std::int64_t>(x.elements.size());
  return taken(from, std::move(wide), [&](std::span<const std::int64_t> index) {
    std::int64_t place = 0;
    for (std::size_t d = 0; d < index.size(); ++d) {
      std::int64_t at = index[d] - before[d];
      if (at < 0 || at >= sizes[d]) {
        if (mode == "constant") return outside;
        if (mode == "edge") at = std::clamp<std::int64_t>(at, 0, sizes[d] - 1);
        if (mode == "reflect") at = at < 0 ? -at : 2 * (sizes[d] - 1) - at;
      }
      place = place * sizes[d] + at;
    }
    return place;
  });
}

// Turns each sequence round within its own length.
OnnxValue Glue::reverse_sequence() {
  OnnxValue x = value(0);
  const std::size_t time = axis(attributes_.integer("time_axis").value_or(0), x);
  const std::size_t batch = axis(attributes_.integer("batch_axis").value_or(1), x);
  if (!x.axes[time].is('T') || (!x.axes[batch].is('B') && !x.axes[batch].is_one()))
    attributes_.unsupported("turns round other than the steps of each sequence: " + to_string(x.axes));
  const auto counts = scope_.counts.find(node_.input(1));
  const Count steps = Count::of(x.axes[time]);
  const bool whole = counts && std::ranges::all_of(counts->numbers, [&](const Count& count) {
                       return count == steps || (scope_.time.size > 0 && count.number() == scope_.time.size);
                     });
  const bool own = scope_.lengths && scope_.is_lengths(node_.input(1));
  if (!whole && !own)
    attributes_.unsupported("its sequence_lens are neither the number of steps nor the graph's lengths");
  x.turned = !x.turned;
  (own ? scope_.turned_within : scope_.turned_whole) = true;
  return x;
}

}  // namespace rnnc::files
