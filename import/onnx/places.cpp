#include <algorithm>

#include "import/onnx/glue.hpp"

namespace rnnc::files {
namespace {

std::string not_there(std::int64_t place, std::size_t dim, std::int64_t size) {
  return "takes index " + std::to_string(place) + " of dimension " + std::to_string(dim) + ", which has " +
         std::to_string(size);
}

}  // namespace

// Returns places that the file fixes, with their shape. ONNX counts negative ones from the end.
std::pair<Shape, std::vector<std::int64_t>> Glue::fixed_places(std::size_t input) {
  const TensorView* tensor = scope_.constants.find(node_.input(input));
  auto numbers = scope_.constants.integers(node_.input(input));
  if (!numbers || tensor == nullptr) attributes_.unsupported("takes places that depend on the data");
  if (numbers->empty()) attributes_.unsupported("takes nothing");
  return {tensor->shape, std::move(*numbers)};
}

std::int64_t Glue::from_begin(std::int64_t place, std::size_t dim, std::int64_t size) {
  if (place < -size || place >= size) attributes_.invalid(not_there(place, dim, size));
  return place < 0 ? place + size : place;
}

// Takes rows of a table by numbers that the model reads: an embedding. ONNX counts negative numbers from the end.
OnnxValue Glue::lookup() {
  OnnxValue result = value(1);
  const TensorView& table = constant(0);
  if (attributes_.integer("axis").value_or(0) != 0 || table.shape.size() != 2 || result.elements.size() > 64)
    attributes_.unsupported("only rows of a matrix can be taken by numbers, one for each step");
  const std::string name =
      scope_.text.param("E", "table " + node_.input(0), [&] { return table.part(table.shape, 0); });
  const std::string rows = std::to_string(table.shape[0]);
  Elements elements;
  for (const Element& number : result.elements) {
    const Expression index = scope_.text.scalar(number);
    const std::int32_t row = scope_.text.let(
        "v",
        "lookup(" + name + ", select(" + index.text + " < 0, " + index.text + " + " + rows + ", " + index.text + "))",
        {"", table.shape[1], false, index.sequence});
    const Elements all = scope_.text.all(row);
    elements.insert(elements.end(), all.begin(), all.end());
  }
  result.elements = std::move(elements);
  result.axes.push_back(Axis::of(table.shape[1]));
  result.integer = false;
  return result;
}

OnnxValue Glue::gather() {
  if (!depends(0) && depends(1)) return lookup();
  const OnnxValue& x = value(0);
  const std::size_t at = axis(attributes_.integer("axis").value_or(0), x);
  auto [shape, indices] = fixed_places(1);
  OnnxValue result = x;
  if (x.axes[at].is('T')) {
    const std::int64_t i = indices.size() == 1 ? indices[0] : 1;
    if (i != 0 && i != -1)
      attributes_.unsupported("takes index " + std::to_string(i) + " of dimension " + std::to_string(at) +
                              ", the time; its first and its last step can be taken");
    result = over_time(x, at, i == 0 ? "first" : "last", true);
  } else if (x.axes[at].is_number()) {
    const std::int64_t size = x.axes[at].fixed();
    for (std::int64_t& i : indices) i = from_begin(i, at, size);
    Axes axes = x.axes;
    axes[at] = Axis::of(static_cast<std::int64_t>(indices.size()));
    const std::vector<std::int64_t> strides = strides_of(x.axes);
    result = taken(x, std::move(axes), [&](std::span<const std::int64_t> index) {
      std::int64_t sum = 0;
      for (std::size_t d = 0; d < index.size(); ++d)
        sum += (d == at ? indices[static_cast<std::size_t>(index[d])] : index[d]) * strides[d];
      return sum;
    });
  } else {
    attributes_.unsupported("takes places of dimension " + std::to_string(at) + " of " + to_string(x.axes));
  }
  // The dims of the list stand where the dim stood.
  const auto place = result.axes.begin() + static_cast<std::ptrdiff_t>(at);
  Axes own;
  for (const std::int64_t dim : shape) own.push_back(Axis::of(dim));
  result.axes.insert(result.axes.erase(place), own.begin(), own.end());
  return result;
}

// Takes along one dim, for each element of the result, the place that the list of places has there.
OnnxValue Glue::gather_elements() {
  const OnnxValue& x = value(0);
  const std::size_t at = axis(attributes_.integer("axis").value_or(0), x);
  const auto [shape, places] = fixed_places(1);
  if (shape.size() != x.axes.size()) attributes_.invalid("its places have another rank than its input");
  Axes axes;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    // A batch of one, as the file declares it, is a batch of any size here.
    if (!x.axes[d].is_number() && !(d != at && shape[d] == 1 && x.axes[d].is_one()))
      attributes_.unsupported("takes places of " + to_string(x.axes) + " for each step or sequence by themselves");
    if (d != at && x.axes[d].is_number() && shape[d] > x.axes[d].fixed())
      attributes_.invalid("shape mismatch: places " + to_string(shape) + " of " + to_string(x.axes));
    axes.push_back(x.axes[d].is_number() ? Axis::of(shape[d]) : x.axes[d]);
  }
  const std::vector<std::int64_t> strides = strides_of(x.axes);
  std::size_t next = 0;
  return taken(x, std::move(axes), [&](std::span<const std::int64_t> index) {
    std::int64_t sum = 0;
    for (std::size_t d = 0; d < index.size(); ++d)
      sum += (d == at ? from_begin(places[next], d, x.axes[d].fixed()) : index[d]) * strides[d];
    ++next;
    return sum;
  });
}

// Takes slices at places of several dims: the last dim of the list has the place in each of them.
OnnxValue Glue::gather_nd() {
  const OnnxValue& x = value(0);
  if (attributes_.integer("batch_dims").value_or(0) != 0) attributes_.unsupported("batch_dims is not 0");
  const auto [shape, places] = fixed_places(1);
  const auto depth = shape.empty() ? 0 : static_cast<std::size_t>(shape.back());
  if (depth < 1 || depth > x.axes.size()) attributes_.invalid("its places have more dims than its input");
  Axes axes;
  for (std::size_t d = 0; d + 1 < shape.size(); ++d) axes.push_back(Axis::of(shape[d]));
  const std::size_t outer = axes.size();
  for (std::size_t d = 0; d < x.axes.size(); ++d) {
    if (d < depth && !x.axes[d].is_number()) attributes_.unsupported("takes places of " + to_string(x.axes));
    if (d >= depth) axes.push_back(x.axes[d]);
  }
  const std::vector<std::int64_t> strides = strides_of(x.axes);
  return taken(x, std::move(axes), [&](std::span<const std::int64_t> index) {
    std::size_t row = 0;
    for (std::size_t d = 0; d < outer; ++d)
      row = row * static_cast<std::size_t>(shape[d]) + static_cast<std::size_t>(index[d]);
    std::int64_t sum = 0;
    for (std::size_t d = 0; d < depth; ++d)
      sum += from_begin(places[row * depth + d], d, x.axes[d].fixed()) * strides[d];
    for (std::size_t d = depth; d < x.axes.size(); ++d) sum += index[outer + d - depth] * strides[d];
    return sum;
  });
}

// Puts slices at places that are constants.
OnnxValue Glue::scatter() {
  OnnxValue result = value(0);
  const OnnxValue updates = operand(2);
  const TensorView* tensor = scope_.constants.find(node_.input(1));
  const auto numbers = scope_.constants.integers(node_.input(1));
  if (!numbers || tensor == nullptr || tensor->shape.empty())
    attributes_.unsupported("puts at places that depend on the data");
  if (attributes_.text("reduction").value_or("none") != "none") attributes_.unsupported("reduction is not none");
  const auto depth = static_cast<std::size_t>(tensor->shape.back());
  if (depth < 1 || depth > result.axes.size()) attributes_.invalid("its places have more dims than its input");
  std::int64_t inner = 1;
  for (std::size_t d = 0; d < result.axes.size(); ++d) {
    if (d < depth && !result.axes[d].is_number())
      attributes_.unsupported("puts at places of " + to_string(result.axes));
    if (d >= depth) inner *= result.axes[d].fixed();
  }
  const std::size_t count = numbers->size() / depth;
  if (updates.elements.size() != count * static_cast<std::size_t>(inner))
    attributes_.invalid("shape mismatch: puts " + to_string(updates.axes) + " at " + std::to_string(count) + " places");
  for (std::size_t k = 0; k < count; ++k) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < depth; ++d) {
      const std::int64_t size = result.axes[d].fixed(), i = (*numbers)[k * depth + d];
      if (i < -size || i >= size)
        attributes_.invalid("puts at place " + std::to_string(i) + " of " + std::to_string(size));
      at = at * size + (i < 0 ? i + size : i);
    }
    for (std::int64_t i = 0; i < inner; ++i)
      result.elements[static_cast<std::size_t>(at * inner + i)] =
          updates.elements[k * static_cast<std::size_t>(inner) + static_cast<std::size_t>(i)];
  }
  return result;
}

// Moves blocks of channels into places of both spatial dims, or back.
OnnxValue Glue::depth_and_space() {
  const OnnxValue& x = value(0);
  const std::int64_t block = attributes_.integer("blocksize").value_or(0);
  const std::string mode = attributes_.text("mode").value_or("DCR");
  if (x.axes.size() != 4 || block < 1 || block > 1024) attributes_.invalid("takes [N,C,H,W] and a blocksize above 0");
  for (std::size_t d = 1; d < 4; ++d)
    if (!x.axes[d].is_number()) attributes_.unsupported("moves places of " + to_string(x.axes));
  const bool to_space = is("DepthToSpace"), depth_first = mode == "DCR" || !to_space;
  if (to_space && mode != "DCR" && mode != "CRD") attributes_.invalid("mode is neither DCR nor CRD");
  const std::int64_t C = x.axes[1].fixed(), H = x.axes[2].fixed(), W = x.axes[3].fixed(), blocks = block * block;
  if (to_space ? C % blocks != 0 : H % block != 0 || W % block != 0)
    attributes_.invalid("shape mismatch: blocks of " + std::to_string(block) + " in " + to_string(x.axes));
  Axes axes = x.axes;
  axes[1] = Axis::of(to_space ? C / blocks : C * blocks);
  axes[2] = Axis::of(to_space ? H * block : H / block);
  axes[3] = Axis::of(to_space ? W * block : W / block);
  return taken(x, std::move(axes), [&, channels = to_space ? C / blocks : C](std::span<const std::int64_t> index) {
    std::int64_t c = index[1], h = index[2], w = index[3];
    if (to_space) {
      const std::int64_t inside = h % block * block + w % block;
      c = depth_first ? inside * channels + c : c * blocks + inside;
      h /= block, w /= block;
    } else {
      h = h * block + c / channels / block, w = w * block + c / channels % block;
      c %= channels;
    }
    return ((index[0] * C + c) * H + h) * W + w;
  });
}

}  // namespace rnnc::files
