// This file translates the operators that move, take and join dims. Dims of time, batch and direction have no place in
// a network: moving them changes only our record of a value's axes, not its expression.
#include <algorithm>

#include "import/onnx/glue.hpp"

namespace rnnc::files {

OnnxValue Glue::transpose() {
  OnnxValue result = value(0);
  std::vector<std::int64_t> order;
  for (std::size_t i = result.axes.size(); i-- > 0;) order.push_back(static_cast<std::int64_t>(i));
  order = attributes_.integers("perm").value_or(order);
  const std::string old = result.axes;
  std::set<std::int64_t> seen(order.begin(), order.end());
  if (order.size() != old.size() || seen.size() != order.size() || *seen.begin() < 0 ||
      *seen.rbegin() >= static_cast<std::int64_t>(old.size()))
    attributes_.invalid("perm is no order of the " + std::to_string(old.size()) + " dimensions");
  for (std::size_t i = 0; i < order.size(); ++i) result.axes[i] = old[static_cast<std::size_t>(order[i])];
  return result;
}

OnnxValue Glue::squeeze() {
  OnnxValue result = value(0);
  const auto axes = onnx_axes(attributes_, constants_);
  if (!axes) attributes_.unsupported("has no axes; name them, since which dimensions are 1 depends on the data");
  std::set<std::size_t> gone;
  for (const std::int64_t axis : *axes) gone.insert(onnx_axis(attributes_, axis, result.axes.size()));
  std::string left;
  for (std::size_t i = 0; i < result.axes.size(); ++i) {
    const char axis = result.axes[i];
    if (!gone.contains(i))
      left += axis;
    else if (axis != '1' && !(axis == 'D' && result.parts.size() == 1))
      attributes_.unsupported("squeezes dimension " + std::to_string(i) + ", which need not be 1");
  }
  result.axes = left;
  return result;
}

OnnxValue Glue::unsqueeze() {
  OnnxValue result = value(0);
  const auto axes = onnx_axes(attributes_, constants_);
  if (!axes) attributes_.invalid("axes are missing");
  const std::size_t rank = result.axes.size() + axes->size();
  std::set<std::size_t> added;
  for (const std::int64_t axis : *axes)
    if (!added.insert(onnx_axis(attributes_, axis, rank)).second) attributes_.invalid("an axis stands in axes twice");
  std::string left = result.axes;
  for (const std::size_t axis : added) left.insert(axis, "1");
  result.axes = left;
  return result;
}

// Joins directions and features to features, as in torch's [T, B, 2*H]; no other reshape is supported.
OnnxValue Glue::reshape() {
  OnnxValue result = value(0);
  auto shape = attributes_.integers("shape");
  if (!shape) shape = constants_.integers(node_.input(1));
  if (const OnnxShape* computed = shapes_.find(node_.input(1)); !shape && computed != nullptr) {
    shape.emplace();
    for (const OnnxDim& dim : computed->dims) {
      if (dim.axis != 0 && (shape->size() >= result.axes.size() || result.axes[shape->size()] != dim.axis))
        attributes_.unsupported("moves the batch or the steps to another dimension");
      shape->push_back(dim.axis != 0 ? 0 : dim.size);
    }
  }
  if (attributes_.integer("allowzero").value_or(0) != 0) attributes_.unsupported("allowzero is set");
  if (!shape) attributes_.unsupported("its shape must be a constant");
  const auto features = static_cast<std::int64_t>(result.parts.size()) * result.size;
  const bool joins = result.axes.ends_with("DF") && shape->size() + 1 == result.axes.size() &&
                     (shape->back() == features || shape->back() == -1) && std::ranges::count(*shape, -1) <= 1;
  if (!joins) attributes_.unsupported("only the join of directions and features [..,D,H] to [..,D*H] can be imported");
  return join_directions(std::move(result));
}

// Changes [..,D,H] to [..,D*H].
OnnxValue Glue::join_directions(OnnxValue value) {
  value.size *= static_cast<std::int64_t>(value.parts.size());
  if (value.parts.size() > 1) value.parts = {text_.let("v", value.joined())};
  value.axes.erase(value.axes.size() - 2, 1);
  return value;
}

OnnxValue Glue::flatten() {
  const OnnxValue& x = value(0);
  if (attributes_.integer("axis").value_or(1) != 1 || (x.axes != "BF" && x.axes != "BDF"))
    attributes_.unsupported("only one vector for each sequence can be flattened, with axis 1");
  return x.axes == "BF" ? x : join_directions(x);
}

// Joins features, or directions: PyTorch joins the final states of its layers.
OnnxValue Glue::concat() {
  const auto axis = attributes_.integer("axis");
  OnnxValue result = value(0);
  if (!axis) attributes_.invalid("attribute axis is missing");
  const char along = result.axes[onnx_axis(attributes_, *axis, result.axes.size())];
  if (along != 'D' && (along != 'F' || result.parts.size() != 1))
    attributes_.unsupported("joins along a dimension that is not the features");
  for (std::size_t i = 1; i < node_.inputs.size(); ++i) {
    const OnnxValue& other = value(i);
    if (other.axes != result.axes || (along == 'D' ? other.size != result.size : other.parts.size() != 1))
      attributes_.unsupported("its inputs differ in shape");
    if (along == 'D') {
      result.parts.insert(result.parts.end(), other.parts.begin(), other.parts.end());
    } else {
      result.parts[0] += ", " + other.parts[0];
      result.size += other.size;
    }
  }
  if (along == 'F') result.parts[0] = text_.let("v", "concat(" + result.parts[0] + ")");
  return result;
}

// Applies a function over time. It refuses sequences with lengths: ONNX has zeros behind their ends.
void Glue::over_time(OnnxValue& value, const std::string& function) {
  if (text_.ragged)
    attributes_.unsupported(
        "takes rows behind the ends of sequences, which have lengths here; use the final state (Y_h) for the last "
        "step");
  for (std::string& part : value.parts) part = text_.let("v", function + "(" + part + ")");
}

// Takes a range of features, the first or last step, or directions. An end beyond all sizes means the end of the dim.
OnnxValue Glue::slice() {
  OnnxValue result = value(0);
  const auto list = [&](const char* name, std::size_t input) {
    auto values = attributes_.integers(name);
    return values ? values : constants_.integers(node_.input(input));
  };
  const auto starts = list("starts", 1), ends = list("ends", 2), axes = list("axes", 3), steps = list("steps", 4);
  if (!starts || !ends || starts->size() != ends->size() || (axes && axes->size() != starts->size()) ||
      (steps && std::ranges::any_of(*steps, [](std::int64_t step) { return step != 1; })))
    attributes_.unsupported("starts, ends and axes must be constant lists of one length, and steps 1");
  constexpr std::int64_t kAll = 1 << 24;
  for (std::size_t k = 0; k < starts->size(); ++k) {
    const std::size_t at = onnx_axis(attributes_, axes ? (*axes)[k] : static_cast<std::int64_t>(k), result.axes.size());
    const char axis = result.axes[at];
    const std::int64_t first = (*starts)[k], last = (*ends)[k];
    const std::int64_t size = axis == 'F' ? result.size : static_cast<std::int64_t>(result.parts.size());
    const auto clamped = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
    const std::int64_t begin = clamped(first), end = clamped(last);
    if (first == 0 && last >= kAll) continue;
    if (axis == 'F' && begin < end) {
      result.size = end - begin;
      for (std::string& part : result.parts)
        part = text_.let("v", part + "[" + std::to_string(begin) + ":" + std::to_string(end) + "]");
    } else if (axis == 'D' && begin < end) {
      result.parts = {result.parts.begin() + begin, result.parts.begin() + end};
    } else if (axis == 'T' && ((first == -1 && last >= kAll) || (first == 0 && last == 1))) {
      over_time(result, first == 0 ? "first" : "last");
      result.axes[at] = '1';
    } else {
      attributes_.unsupported("takes " + std::to_string(first) + " to " + std::to_string(last) + " of dimension " +
                              std::to_string(at) + "; features, directions, the first and the last step can be taken");
    }
  }
  return result;
}

// Takes rows of a table by numbers that the model reads: an embedding.
OnnxValue Glue::lookup() {
  OnnxValue result = value(1);
  const TensorView& table = constant(0);
  if (attributes_.integer("axis").value_or(0) != 0 || table.shape.size() != 2 ||
      result.axes.find('F') != std::string::npos)
    attributes_.unsupported("only rows of a matrix can be taken by numbers, one for each step");
  const std::string name = text_.param("E", table.part(table.shape, 0));
  for (std::string& part : result.parts) part = text_.let("v", "lookup(" + name + ", " + part + ")");
  result.axes += 'F';
  result.size = table.shape[1];
  return result;
}

// Takes the last or first step, or one direction.
OnnxValue Glue::gather() {
  if (find(0) == nullptr && find(1) != nullptr) return lookup();
  OnnxValue result = value(0);
  const std::size_t at = onnx_axis(attributes_, attributes_.integer("axis").value_or(0), result.axes.size());
  const TensorView* tensor = constants_.find(node_.input(1));
  const auto index = constants_.integers(node_.input(1));
  if (!index || index->size() != 1) attributes_.unsupported("takes several indices, or such that depend on the data");
  const char axis = result.axes[at];
  const std::int64_t i = index->front();
  const auto parts = static_cast<std::int64_t>(result.parts.size());
  if (axis == 'D' && i >= -parts && i < parts)
    result.parts = {result.parts[static_cast<std::size_t>(i < 0 ? i + parts : i)]};
  else if (axis == 'T' && (i == 0 || i == -1))
    over_time(result, i == 0 ? "first" : "last");
  else
    attributes_.unsupported("takes index " + std::to_string(i) + " of dimension " + std::to_string(at) +
                            "; the first and last step and a direction can be imported");
  if (tensor->shape.empty())
    result.axes.erase(at, 1);
  else
    result.axes[at] = '1';
  return result;
}

}  // namespace rnnc::files
