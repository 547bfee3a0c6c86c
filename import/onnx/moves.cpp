#include <algorithm>
#include <limits>
#include <set>

#include "import/file_error.hpp"
#include "import/onnx/glue.hpp"

namespace rnnc::files {
// Returns the value with these axes whose element at an index is the element `at` of `from`, or a zero for -1.
OnnxValue Glue::taken(const OnnxValue& from, Axes axes,
                      const std::function<std::int64_t(std::span<const std::int64_t>)>& at) {
  OnnxValue result = from;
  result.axes = std::move(axes);
  const std::int64_t count = fixed(result.axes);
  if (count > kMostElements) attributes_.too_large("makes a value of more than a million elements");
  const std::vector<std::int64_t> shape = fixed_shape(result.axes);
  std::vector<std::int64_t> index(shape.size(), 0);
  result.elements.resize(static_cast<std::size_t>(count));
  for (Element& element : result.elements) {
    const std::int64_t place = at(index);
    element = place < 0 ? Element::of(0) : from.elements[static_cast<std::size_t>(place)];
    for (std::size_t d = index.size(); d-- > 0 && ++index[d] == shape[d];) index[d] = 0;
  }
  return result;
}

namespace {

std::int64_t place(std::span<const std::int64_t> index, const std::vector<std::int64_t>& strides) {
  std::int64_t at = 0;
  for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * strides[d];
  return at;
}

}  // namespace

OnnxValue Glue::identity() {
  if (is("Dropout")) {
    static_cast<void>(attributes_.real("ratio"));
    static_cast<void>(attributes_.integer("seed"));
    check_is_test();
    if (const TensorView* training = node_.input(2).empty() ? nullptr : scope_.constants.find(node_.input(2));
        !node_.input(2).empty() &&
        (training == nullptr || training->bytes.empty() || training->bytes[0] != std::byte{0}))
      attributes_.unsupported("training_mode is set");
  }
  return raw(0);
}

OnnxValue Glue::transpose() {
  const OnnxValue& x = raw(0);
  const std::size_t rank = x.axes.size();
  std::vector<std::int64_t> order(rank);
  for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<std::int64_t>(rank - 1 - i);
  order = attributes_.integers("perm").value_or(order);
  std::vector<std::int64_t> sorted = order;
  std::ranges::sort(sorted);
  bool right = order.size() == rank;
  for (std::size_t i = 0; right && i < rank; ++i) right = sorted[i] == static_cast<std::int64_t>(i);
  if (!right) attributes_.invalid("perm is no order of the " + std::to_string(rank) + " dimensions");
  Axes axes;
  std::vector<std::int64_t> strides;
  const std::vector<std::int64_t> old = strides_of(x.axes);
  for (const std::int64_t from : order) {
    axes.push_back(x.axes[static_cast<std::size_t>(from)]);
    strides.push_back(old[static_cast<std::size_t>(from)]);
  }
  return taken(x, std::move(axes), [&](std::span<const std::int64_t> index) { return place(index, strides); });
}

OnnxValue Glue::squeeze() {
  OnnxValue result = raw(0);
  const auto axes = list("axes", 1);
  std::set<std::size_t> gone;
  if (axes)
    for (const std::int64_t one : *axes) gone.insert(axis(one, result));
  for (std::size_t d = result.axes.size(); d-- > 0;) {
    const Axis& one = result.axes[d];
    if (!axes && !one.is_number()) attributes_.unsupported("names no axes; which dimensions are 1 depends on the data");
    // A batch of one, as the file declares it, is a batch of any size here.
    if (axes && gone.contains(d) && !one.is_one())
      attributes_.unsupported("squeezes dimension " + std::to_string(d) + ", which need not be 1");
    if (axes ? gone.contains(d) : one.is_one()) result.axes.erase(result.axes.begin() + static_cast<std::ptrdiff_t>(d));
  }
  return result;
}

OnnxValue Glue::unsqueeze() {
  OnnxValue result = raw(0);
  const auto axes = list("axes", 1);
  if (!axes) attributes_.invalid("axes are missing");
  const std::size_t rank = result.axes.size() + axes->size();
  std::set<std::size_t> added;
  for (const std::int64_t one : *axes)
    if (!added.insert(onnx_axis(attributes_, one, rank)).second) attributes_.invalid("an axis stands in axes twice");
  Axes wide;
  auto next = result.axes.begin();
  for (std::size_t d = 0; d < rank; ++d) wide.push_back(added.contains(d) ? Axis{} : *next++);
  result.axes = std::move(wide);
  return result;
}

// Reads a shape; nullopt in it stands for -1. Where `zero_copies`, a 0 means the dim of `from` at that place.
std::vector<std::optional<Count>> Glue::wanted_shape(std::size_t input, const Axes& from, bool zero_copies) {
  std::optional<Counts> counts;
  if (const auto given = attributes_.integers("shape")) {  // opset 1
    counts = Counts{{static_cast<std::int64_t>(given->size())}, {given->begin(), given->end()}};
  } else {
    counts = scope_.counts.find(node_.input(input));
  }
  if (!counts) attributes_.unsupported("its shape must be a constant, or computed of shapes");
  std::vector<std::optional<Count>> result;
  for (std::size_t i = 0; i < counts->numbers.size(); ++i) {
    const auto number = counts->numbers[i].number();
    if (number == 0 && zero_copies) {
      if (i >= from.size()) attributes_.invalid("a 0 in its shape stands where its input has no dimension");
      result.emplace_back(Count::of(from[i]));
    } else if (number == -1) {
      result.emplace_back(std::nullopt);
    } else {
      if (number && *number < 0) attributes_.invalid("a dim of its shape is " + std::to_string(*number));
      result.emplace_back(counts->numbers[i]);
    }
  }
  return result;
}

OnnxValue Glue::reshape() {
  OnnxValue result = value(0);
  const bool zero_copies = attributes_.integer("allowzero").value_or(0) == 0;
  const auto shape = wanted_shape(1, result.axes, zero_copies);
  if (std::ranges::count_if(shape, [](const auto& count) { return !count; }) > 1)
    attributes_.invalid("has -1 twice in its shape");
  const auto axes = regroup(result.axes, shape);
  if (!axes) {
    std::string text;
    for (const auto& count : shape) {
      const auto number = count ? count->number() : std::nullopt;
      text += (text.empty() ? "" : ",") + (!count ? "-1" : number ? std::to_string(*number) : std::string("..."));
    }
    attributes_.unsupported("reshapes " + to_string(result.axes) + " to [" + text +
                            "], which mixes steps or sequences with features");
  }
  result.axes = *axes;
  return result;
}

OnnxValue Glue::flatten() {
  OnnxValue result = value(0);
  const std::int64_t at = attributes_.integer("axis").value_or(1), rank = static_cast<std::int64_t>(result.axes.size());
  if (at < -rank || at > rank)
    attributes_.invalid("axis " + std::to_string(at) + " is not one of " + std::to_string(rank) + " dimensions");
  const auto begin = static_cast<std::size_t>(at < 0 ? at + rank : at);
  Count first(1);
  for (std::size_t d = 0; d < begin; ++d) first = first * Count::of(result.axes[d]);
  const auto axes = regroup(result.axes, {first, std::nullopt});
  if (!axes) attributes_.unsupported("flattens " + to_string(result.axes) + " at " + std::to_string(at));
  result.axes = *axes;
  return result;
}

OnnxValue Glue::concat() {
  const auto along = attributes_.integer("axis");
  if (!along) attributes_.invalid("attribute axis is missing");
  std::vector<OnnxValue> parts;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    if (!depends(i))
      if (const TensorView* empty = scope_.constants.find(node_.input(i)); empty != nullptr && empty->elements() == 0)
        continue;
    parts.push_back(operand(i));
  }
  if (parts.empty()) attributes_.invalid("takes at least one input");
  for (OnnxValue& part : parts)
    for (const OnnxValue& other : std::vector<OnnxValue>(parts)) part = with_symbols(std::move(part), other.axes);
  const auto is_sequence = [&](bool turned) {
    return std::ranges::any_of(parts,
                               [&](const OnnxValue& part) { return part.turned == turned && has(part.axes, 'T'); });
  };
  // Where both orders of the steps meet, those that are turned round are turned again.
  if (is_sequence(true) && is_sequence(false))
    for (OnnxValue& part : parts) part = scope_.text.in_order(std::move(part));
  OnnxValue result = parts[0];
  result.turned = is_sequence(true);
  const std::size_t at = axis(*along, result);
  std::int64_t total = 0;
  for (const OnnxValue& part : parts) {
    if (part.axes.size() != result.axes.size()) attributes_.invalid("joins values of several ranks");
    if (!part.axes[at].is_number())
      attributes_.unsupported("joins along a dimension that is not the features: " + to_string(part.axes));
    for (std::size_t d = 0; d < part.axes.size(); ++d) {
      Axis& one = result.axes[d];
      // The batch of a state may be fixed to 1 in the file where the batch of the input is not.
      if (d != at && one.is_one() && part.axes[d].is('B')) one = part.axes[d];
      if (d != at && part.axes[d] != one && !(part.axes[d].is_one() && one.is('B')))
        attributes_.unsupported("its inputs differ in shape: " + to_string(result.axes) + " and " +
                                to_string(part.axes));
    }
    result.integer &= part.integer;
    total += part.axes[at].fixed();
  }
  std::int64_t inner = 1;
  for (std::size_t d = at + 1; d < result.axes.size(); ++d) inner *= result.axes[d].fixed();
  result.axes[at] = Axis::of(total);
  const std::int64_t count = fixed(result.axes), outer = count / (total * inner);
  if (count > kMostElements) attributes_.too_large("makes a value of more than a million elements");
  result.elements.clear();
  for (std::int64_t o = 0; o < outer; ++o)
    for (const OnnxValue& part : parts) {
      const std::int64_t size = part.axes[at].fixed() * inner;
      const auto begin = part.elements.begin() + o * size;
      result.elements.insert(result.elements.end(), begin, begin + size);
    }
  return result;
}

// Takes every step-th place of a dim from `begin` to before `end`, which are ONNX's: counted from the end where
// negative, and clamped.
OnnxValue Glue::sliced(OnnxValue value, std::size_t at, std::int64_t begin, std::int64_t end, std::int64_t step) {
  const Axis& axis = value.axes[at];
  constexpr std::int64_t kAll = 1 << 24;
  if (step == 0) attributes_.invalid("slices with a step of 0");
  if (!axis.is_number()) {
    const bool whole = step == 1 && begin == 0 && end >= kAll;
    if (whole) return value;
    if (!axis.is('T'))
      attributes_.unsupported("takes " + std::to_string(begin) + " to " + std::to_string(end) + " of dimension " +
                              std::to_string(at) + " of " + to_string(value.axes));
    const bool turns = step == -1 && (begin == -1 || begin >= kAll) && end < -kAll;
    if (turns) return scope_.turned_whole = true, value.turned = !value.turned, value;
    if (step == 1 && ((begin == -1 && end >= kAll) || (begin == 0 && end == 1)))
      return over_time(value, at, begin == 0 ? "first" : "last", true);
    attributes_.unsupported("takes " + std::to_string(begin) + " to " + std::to_string(end) + " of dimension " +
                            std::to_string(at) + ", the time; all of it, its first and its last step can be taken");
  }
  const std::int64_t size = axis.fixed(), low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  const auto clamped = [&](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? std::max(i, -size - 1) + size : std::min(i, size), low, high);
  };
  const std::int64_t first = clamped(begin), last = end < -size ? low : clamped(end);
  const std::int64_t stride = std::clamp<std::int64_t>(step, -size - 1, size + 1);
  const std::int64_t count = step > 0 ? (last - first + stride - 1) / stride : (first - last - stride - 1) / -stride;
  if (count < 1)
    attributes_.unsupported("takes nothing of dimension " + std::to_string(at) + " of " + to_string(value.axes));
  Axes axes = value.axes;
  axes[at] = Axis::of(count);
  const std::vector<std::int64_t> strides = strides_of(value.axes);
  return taken(value, std::move(axes), [&](std::span<const std::int64_t> index) {
    std::int64_t result = 0;
    for (std::size_t d = 0; d < index.size(); ++d)
      result += (d == at ? first + index[d] * stride : index[d]) * strides[d];
    return result;
  });
}

OnnxValue Glue::slice() {
  OnnxValue result = value(0);
  const auto starts = list("starts", 1), ends = list("ends", 2), axes = list("axes", 3), steps = list("steps", 4);
  if (!starts || !ends || starts->size() != ends->size() || (axes && axes->size() != starts->size()) ||
      (steps && steps->size() != starts->size()))
    attributes_.unsupported("starts, ends and axes must be constant lists of one length");
  std::set<std::size_t> taken_axes;
  // Functions over time take the dim away from the text, so that the time is the last to be sliced.
  for (const bool time : {false, true})
    for (std::size_t k = 0; k < starts->size(); ++k) {
      const std::size_t at = axis(axes ? (*axes)[k] : static_cast<std::int64_t>(k), result);
      if (result.axes[at].is('T') != time || taken_axes.contains(at)) {
        if (!time || !result.axes[at].is('T')) continue;
        attributes_.invalid("an axis stands in axes twice");
      }
      taken_axes.insert(at);
      result = sliced(std::move(result), at, (*starts)[k], (*ends)[k], steps ? (*steps)[k] : 1);
    }
  if (taken_axes.size() != starts->size()) attributes_.invalid("an axis stands in axes twice");
  return result;
}

std::vector<OnnxValue> Glue::split() {
  const OnnxValue& x = value(0);
  const std::size_t at = axis(attributes_.integer("axis").value_or(0), x);
  auto sizes = list("split", 1);
  const auto outputs = static_cast<std::int64_t>(node_.outputs.size());
  if (const auto count = attributes_.integer("num_outputs"); count && *count != outputs)
    attributes_.invalid("num_outputs is not the number of its outputs");
  if (!x.axes[at].is_number())
    attributes_.unsupported("splits " + to_string(x.axes) + " along dimension " + std::to_string(at));
  const std::int64_t size = x.axes[at].fixed();
  if (!sizes) {
    const std::int64_t part = (size + outputs - 1) / outputs;
    sizes.emplace();
    for (std::int64_t begin = 0; begin < size; begin += part) sizes->push_back(std::min(part, size - begin));
  }
  std::int64_t sum = 0;
  for (const std::int64_t part : *sizes) sum += part < 0 || part > size ? size + 1 : part;
  if (static_cast<std::int64_t>(sizes->size()) != outputs || sum != size)
    attributes_.invalid("shape mismatch: splits " + std::to_string(size) + " into " + to_string(*sizes));
  std::vector<OnnxValue> results;
  std::int64_t begin = 0;
  for (const std::int64_t part : *sizes) {
    results.push_back(sliced(x, at, begin, begin + part, 1));
    begin += part;
  }
  return results;
}

}  // namespace rnnc::files
