#include <algorithm>
#include <set>

#include "import/file_error.hpp"
#include "import/onnx/glue.hpp"
#include "ir/print.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kMostRows = 512;  // that are reduced one by one

std::function<std::string(const std::string&)> call(const std::string& name) {
  return [name](const std::string& x) { return name + "(" + x + ")"; };
}

}  // namespace

// Applies a function over the steps, which stand at dim `at`. It refuses sequences with lengths: ONNX has zeros behind
// their ends.
OnnxValue Glue::over_time(const OnnxValue& value, std::size_t at, std::string function, bool keeps) {
  if (scope_.ragged)
    attributes_.unsupported(
        "takes rows behind the ends of sequences, which have lengths here; use the final state (Y_h) for the last "
        "step");
  if (value.turned && (function == "first" || function == "last")) function = function == "first" ? "last" : "first";
  OnnxValue result = value;
  std::map<std::int32_t, std::int32_t> made;
  for (Element& e : result.elements) {
    const bool varies = !e.is_constant() && scope_.text.source(e.source).sequence;
    if (!varies && function == "sum") attributes_.unsupported("sums over time what is the same at each step");
    if (!varies) continue;
    const auto known = made.find(e.source);
    if (known != made.end()) {
      e.source = known->second;
      continue;
    }
    const Source from = scope_.text.source(e.source);
    const std::int32_t over =
        scope_.text.let("v", function + "(" + from.name + ")", {"", from.size, from.scalar, false});
    made[e.source] = over;
    e.source = over;
  }
  result.turned = false;
  result.axes[at] = Axis{};
  if (!keeps) result.axes.erase(result.axes.begin() + static_cast<std::ptrdiff_t>(at));
  return result;
}

// Applies a function to the vector along a dim, for each place of the other dims. Sums and largest elements of a
// network's sequence are functions over time, so that there the function stands in a cell of its own.
OnnxValue Glue::by_rows(const OnnxValue& x, std::size_t axis, const std::string& name, const RowFunction& function,
                        bool to_scalar) {
  OnnxValue result = x;
  const std::int64_t size = x.axes[axis].fixed(), gives = to_scalar ? 1 : size;
  std::int64_t inner = 1;
  for (std::size_t d = axis + 1; d < x.axes.size(); ++d) inner *= x.axes[d].fixed();
  const std::int64_t outer = std::ssize(x.elements) / (size * inner);
  if (outer * inner > kMostRows)
    attributes_.unsupported("is applied to " + std::to_string(outer * inner) + " vectors of one step; at most " +
                            std::to_string(kMostRows) + " can be imported");
  result.axes[axis] = Axis::of(gives);
  result.elements.assign(static_cast<std::size_t>(outer * gives * inner), {});
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < inner; ++i) {
      Elements row;
      for (std::int64_t k = 0; k < size; ++k)
        row.push_back(x.elements[static_cast<std::size_t>((o * size + k) * inner + i)]);
      const Expression of = scope_.text.vector(row);
      std::string text = function(of.text);
      if (of.sequence && !scope_.text.is_step())
        text = scope_.text.cell(name, "<N> {\n  input x : f32[N]\n\n  output " + function("x") + "\n}\n") + "(" +
               of.text + ")";
      const std::int32_t made = scope_.text.let("v", text, {"", gives, to_scalar, of.sequence});
      for (std::int64_t k = 0; k < gives; ++k)
        result.elements[static_cast<std::size_t>((o * gives + k) * inner + i)] = {made, static_cast<std::int32_t>(k)};
    }
  return result;
}

// Applies sum, mean or max over some dims, which stay as dims of 1.
OnnxValue Glue::summed(OnnxValue x, const std::set<std::size_t>& gone, const std::string& function) {
  std::int64_t reduced = 1;
  for (const std::size_t d : gone) {
    if (!x.axes[d].is_number() && !x.axes[d].is('T'))
      attributes_.unsupported("reduces other than the steps of a sequence, or the features: " + to_string(x.axes));
    reduced *= x.axes[d].fixed();
  }
  // The dims that go stand together behind the others, as one.
  if (reduced > 1) {
    std::vector<std::size_t> order;
    for (std::size_t d = 0; d < x.axes.size(); ++d)
      if (!gone.contains(d) || !x.axes[d].is_number()) order.push_back(d);
    for (const std::size_t d : gone)
      if (x.axes[d].is_number()) order.push_back(d);
    OnnxValue moved = x;
    const std::vector<std::int64_t> strides = strides_of(x.axes);
    std::vector<std::int64_t> own;
    moved.axes.clear();
    for (const std::size_t d : order) moved.axes.push_back(x.axes[d]), own.push_back(strides[d]);
    moved = taken(x, moved.axes, [&](std::span<const std::int64_t> index) {
      std::int64_t at = 0;
      for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * own[d];
      return at;
    });
    OnnxValue flat = moved;
    flat.axes = {Axis::of(static_cast<std::int64_t>(moved.elements.size()) / reduced), Axis::of(reduced)};
    flat.turned = x.turned;
    flat = by_rows(flat, 1, function + "_of_features", call(function), true);
    x.elements = flat.elements;
    for (const std::size_t d : gone)
      if (x.axes[d].is_number()) x.axes[d] = Axis{};
  }
  for (const std::size_t d : gone)
    if (x.axes[d].is('T')) x = over_time(x, d, function, true);
  return x;
}

OnnxValue Glue::without(OnnxValue x, const std::set<std::size_t>& gone) {
  for (auto d = gone.rbegin(); d != gone.rend(); ++d) x.axes.erase(x.axes.begin() + static_cast<std::ptrdiff_t>(*d));
  return x;
}

OnnxValue Glue::reduce() {
  OnnxValue x = value(0);
  auto axes = list("axes", 1);
  const bool keeps = attributes_.integer("keepdims").value_or(1) != 0;
  const bool nothing = attributes_.integer("noop_with_empty_axes").value_or(0) != 0;
  if (!axes || axes->empty()) {
    if (nothing && (is("ReduceL2") || is("ReduceSumSquare")))
      attributes_.unsupported("noop_with_empty_axes leaves open whether it squares; write Abs or Mul instead");
    if (nothing) return x;
    axes.emplace();
    for (std::size_t d = 0; d < x.axes.size(); ++d) axes->push_back(static_cast<std::int64_t>(d));
  }
  std::set<std::size_t> gone;
  for (const std::int64_t one : *axes)
    if (!gone.insert(axis(one, x)).second) attributes_.invalid("an axis stands in axes twice");
  if (x.integer && (is("ReduceMean") || is("ReduceL2")))
    attributes_.unsupported("of whole numbers gives a whole number; put a Cast to float before it");
  std::string function = is("ReduceMean") ? "mean" : is("ReduceMax") ? "max" : is("ReduceMin") ? "min" : "sum";
  if (is("ReduceL2") || is("ReduceSumSquare"))
    x = each({x}, [](const std::vector<std::string>& v) { return v[0] + " * " + v[0]; });
  if (function == "min") x = each({x}, [](const std::vector<std::string>& v) { return "-" + v[0]; });
  const std::string applied = function == "min" ? "max" : function;
  x = summed(std::move(x), gone, applied);
  if (function == "min") x = each({x}, [](const std::vector<std::string>& v) { return "-" + v[0]; });
  if (is("ReduceL2")) x = each({x}, [](const std::vector<std::string>& v) { return "sqrt(" + v[0] + ")"; });
  return keeps ? x : without(std::move(x), gone);
}

// The number of the first of the largest: the least number of a place that is not below the largest.
OnnxValue Glue::arg_max() {
  const OnnxValue x = value(0);
  const std::size_t at = axis(attributes_.integer("axis").value_or(0), x);
  const bool keeps = attributes_.integer("keepdims").value_or(1) != 0;
  if (attributes_.integer("select_last_index").value_or(0) != 0)
    attributes_.unsupported("takes the last of several largest; the first can be imported (select_last_index = 0)");
  if (!x.axes[at].is_number())
    attributes_.unsupported("is along " + to_string(x.axes) + " at dimension " + std::to_string(at) +
                            ", which is not the features; give the values as an output instead");
  const std::int64_t size = x.axes[at].fixed();
  if (size < 1) attributes_.invalid("is of no elements");
  OnnxValue places;
  places.axes = Axes(x.axes.size());
  places.axes[at] = x.axes[at];
  for (std::int64_t k = 0; k < size; ++k) places.elements.push_back(Element::of(static_cast<float>(-k)));
  const OnnxValue largest = by_rows(x, at, "max_of_features", call("max"), true);
  const std::string none = std::to_string(-size);
  const OnnxValue found = each({x, largest, places}, [&](const std::vector<std::string>& v) {
    return "select(" + v[0] + " < " + v[1] + ", " + none + ", " + v[2] + ")";
  });
  const OnnxValue least = by_rows(found, at, "max_of_features", call("max"), true);
  OnnxValue result = each({least}, [](const std::vector<std::string>& v) { return "-" + v[0]; });
  result.integer = true;
  return keeps ? result : without(std::move(result), {at});
}

OnnxValue Glue::softmax() {
  const OnnxValue& x = value(0);
  const std::int64_t standard = scope_.opset >= 13 ? -1 : 1;
  const std::size_t at = axis(attributes_.integer("axis").value_or(standard), x);
  // Up to opset 12 all dims from the axis on are one vector.
  for (std::size_t d = at + 1; d < x.axes.size(); ++d)
    if (scope_.opset < 13 && !x.axes[d].is_one())
      attributes_.unsupported(node_.op + " along a dimension that is not the last, the features; name the axis");
  const auto minus = [](const std::vector<std::string>& v) { return v[0] + " - " + v[1]; };
  if (x.axes[at].is('T') && !scope_.text.is_step()) {  // attention over the steps of each sequence
    const OnnxValue less = each({x, over_time(x, at, "max", true)}, minus);
    const OnnxValue power = each({less}, [](const std::vector<std::string>& v) { return "exp(" + v[0] + ")"; });
    const OnnxValue sum = over_time(power, at, "sum", true);
    return each({is("Softmax") ? power : less, sum}, [&](const std::vector<std::string>& v) {
      return is("Softmax") ? v[0] + " / " + v[1] : v[0] + " - log(" + v[1] + ")";
    });
  }
  if (!x.axes[at].is_number())
    attributes_.unsupported(node_.op + " along " + to_string(x.axes) + " at dimension " + std::to_string(at) +
                            ", which is not the features; name the axis");
  if (is("Softmax")) return by_rows(x, at, "softmax_of_features", call("softmax"), false);
  const OnnxValue largest = by_rows(x, at, "max_of_features", call("max"), true);
  const OnnxValue d = each({x, largest}, minus);
  const OnnxValue sum = by_rows(
      d, at, "log_sum_exp", [](const std::string& v) { return "log(sum(exp(" + v + ")))"; }, true);
  return each({d, sum}, minus);
}

// All normalise over the last dims: LayerNormalization from `axis` on, InstanceNormalization behind the channels, and
// GroupNormalization also over the channels of a group.
OnnxValue Glue::layer_norm() {
  const OnnxValue x = value(0);
  const bool grouped = is("GroupNormalization"), instance = is("InstanceNormalization") || grouped;
  const std::size_t at = instance ? 2 : axis(attributes_.integer("axis").value_or(-1), x);
  if (!is("InstanceNormalization") && attributes_.integer("stash_type").value_or(1) != 1)
    attributes_.unsupported("stash_type is not 1, f32");
  const std::string eps = ir::number_text(attributes_.real("epsilon").value_or(1e-5f));
  std::int64_t size = 1;
  for (std::size_t d = at; d < x.axes.size(); ++d) {
    if (!x.axes[d].is_number())
      attributes_.unsupported(node_.op + " along " + to_string(x.axes) + ", which is not the features alone");
    size *= x.axes[d].fixed();
  }
  if (instance && (x.axes.size() < 3 || !x.axes[1].is_number()))
    attributes_.unsupported("has no channels of a fixed size");
  const std::int64_t channels = instance ? x.axes[1].fixed() : 1;
  const std::int64_t groups = grouped ? attributes_.integer("num_groups").value_or(0) : channels;
  if (groups < 1 || channels % groups != 0)
    attributes_.invalid("num_groups " + std::to_string(groups) + " does not divide " + std::to_string(channels) +
                        " channels");
  size *= channels / groups;
  OnnxValue flat = x;
  flat.axes.assign(x.axes.begin(), x.axes.begin() + static_cast<std::ptrdiff_t>(at));
  flat.axes.push_back(Axis::of(size));
  const auto count = static_cast<std::size_t>(size);
  const auto parameter = [&](const std::vector<float>& values) {
    return scope_.text.param("k",
                             "norm " + std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4),
                             [&] { return Tensor::from_f32({static_cast<std::int64_t>(values.size())}, values); });
  };
  const std::vector<float> ones(count, 1), zeros(count, 0);
  const std::vector<float> gamma = instance ? ones : floats(1, size, 1), beta = instance ? zeros : floats(2, size, 0);
  OnnxValue result = flat;
  const std::int64_t rows = static_cast<std::int64_t>(x.elements.size()) / size;
  if (rows > kMostRows) attributes_.unsupported("is applied to " + std::to_string(rows) + " vectors of one step");
  const std::string g = parameter(gamma), b = parameter(beta);
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto begin = static_cast<std::size_t>(r * size);
    const Expression of = scope_.text.vector(std::span(x.elements).subspan(begin, count));
    const std::int32_t made = scope_.text.let("v", "layer_norm(" + of.text + ", " + g + ", " + b + ", " + eps + ")",
                                              {"", size, false, of.sequence});
    const Elements all = scope_.text.all(made);
    std::ranges::copy(all, result.elements.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  result.axes = x.axes;
  if (!instance) return result;
  OnnxValue factor, summand;
  factor.axes = Axes(x.axes.size() - 1);
  factor.axes[0] = x.axes[1];
  summand.axes = factor.axes;
  // Before opset 21 a group has one factor and one summand.
  const std::int64_t each_has = grouped && scope_.opset < 21 ? channels / groups : 1;
  const auto factors = floats(1, channels / each_has, 1), summands = floats(2, channels / each_has, 0);
  for (std::int64_t c = 0; c < channels; ++c) {
    factor.elements.push_back(Element::of(factors[static_cast<std::size_t>(c / each_has)]));
    summand.elements.push_back(Element::of(summands[static_cast<std::size_t>(c / each_has)]));
  }
  return each({result, factor, summand},
              [](const std::vector<std::string>& v) { return v[0] + " * " + v[1] + " + " + v[2]; });
}

}  // namespace rnnc::files
