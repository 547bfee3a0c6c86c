// The layers that join values, move elements, and convolve over the steps.
#include <algorithm>
#include <cmath>
#include <limits>

#include "import/file_error.hpp"
#include "import/keras/graph.hpp"

namespace rnnc::files {
namespace {

std::vector<std::int64_t> numbers_of(const JsonValue& list, std::int64_t least) {
  std::vector<std::int64_t> result;
  if (list.is_array())
    for (const JsonValue& each : list.elements()) result.push_back(each.size(least));
  else
    result.push_back(list.size(least));
  return result;
}

// Returns the one number of a setting that Keras writes as a list.
std::int64_t number_of(const JsonValue& config, const char* key) {
  if (!config.has(key)) return 1;
  const std::vector<std::int64_t> numbers = numbers_of(config.at(key), 1);
  if (numbers.size() != 1) config.at(key).wrong("must be one number");
  return numbers[0];
}

// Returns the operator of a layer that joins its inputs element by element, or of the function of the same name.
const char* joining(const std::string& kind) {
  static const std::map<std::string, const char*> known = {
      {"Add", "Add"},     {"Average", "Mean"}, {"Divide", "Div"},   {"Maximum", "Max"},
      {"Minimum", "Min"}, {"Multiply", "Mul"}, {"Subtract", "Sub"}, {"TrueDivide", "Div"}};
  const auto found = known.find(kind);
  return found == known.end() ? nullptr : found->second;
}

}  // namespace

KerasGraph::Values KerasGraph::merged(const KerasLayer& layer, const Values& inputs) {
  const char* op = joining(layer.kind);
  if (op == nullptr && layer.kind != "Concatenate") return {};
  check_keras_keys(layer, {"axis"});
  if (layer.is_function && layer.kind == "Average")
    layer.config.unsupported("is the function average, which has weights");
  if (inputs.size() < 2) layer.config.unsupported("joins fewer than two values");
  KerasValue result = inputs[0];
  for (const KerasValue& each : inputs) {
    if (each.is_whole) layer.config.unsupported("joins tokens; only features can be joined");
    // Since Keras 3.4 these leave out what a mask leaves out, and older versions do not.
    if (!each.mask.empty() && (layer.kind == "Multiply" || layer.kind == "Maximum" || layer.kind == "Minimum"))
      layer.config.unsupported(
          "joins sequences of which one has a mask, in a way that depends on the version of Keras");
  }
  result.mask = joined_mask(inputs, op == nullptr);
  if (op == nullptr) {
    last_axis(layer, result);
    std::vector<std::string> names;
    result.shape.back() = 0;
    for (const KerasValue& each : inputs) {
      names.push_back(each.name);
      if (each.shape.size() != result.shape.size()) layer.config.wrong("joins values of different ranks");
      result.shape.back() += width(layer, each);
    }
    result.name = node("Concat", names, NodeAttributes().integer("axis", -1));
    return {result};
  }
  must_be_off(layer.config, {"axis"});
  // A layer has the values of lower rank for each step; a function broadcasts as NumPy does, steps to sequences.
  std::vector<std::string> names;
  const auto rank = [](const KerasValue& each) { return each.shape.size(); };
  for (const KerasValue& each : inputs)
    for (const KerasValue& other : inputs)
      if (layer.is_function && !each.shape.empty() && !other.shape.empty() && rank(each) != rank(other))
        layer.config.unsupported("joins " + to_string(each.shape) + " and " + to_string(other.shape) +
                                 " of each sequence; make their ranks equal");
  const std::size_t most = std::ranges::max(inputs, {}, rank).shape.size();
  for (const KerasValue& each : inputs) {
    names.push_back(each.name);
    if (layer.is_function || each.shape.empty()) continue;
    for (std::size_t r = each.shape.size(); r < most; ++r)
      names.back() = node("Unsqueeze", {names.back(), integers({1}, {1})});
  }
  if (op == std::string("Mean")) {
    result.name = node(op, names);
  } else {
    if ((op == std::string("Sub") || op == std::string("Div")) && inputs.size() != 2)
      layer.config.wrong("takes two values, not " + std::to_string(inputs.size()));
    result.name = names[0];
    for (std::size_t k = 1; k < names.size(); ++k) result.name = node(op, {result.name, names[k]});
  }
  // Values of different sizes are broadcast: each dim is the larger one.
  for (const KerasValue& each : inputs) {
    Shape shape = each.shape;
    if (shape.size() > result.shape.size()) std::swap(shape, result.shape);
    for (std::size_t d = 1; d <= shape.size(); ++d) {
      std::int64_t& to = result.shape[result.shape.size() - d];
      const std::int64_t from = shape[shape.size() - d];
      to = to < 0 || from < 0 ? -1 : std::max(to, from);
    }
  }
  return {result};
}

// x[:, -1], x[..., :2] and the like: one key for each dim, and three dots for all between.
KerasGraph::Values KerasGraph::item(const KerasCall& call) {
  const KerasValue& x = value(call.arguments[0]);
  const std::vector<JsonValue> keys = call.key->is_array() ? call.key->elements() : std::vector{*call.key};
  const auto is = [](const JsonValue& key, const char* kind) {
    return key.is_object() && key.has("class_name") && key.at("class_name").text() == kind;
  };
  const auto rank = std::ssize(x.shape) + 1;
  const auto dots = std::ranges::count_if(keys, [&](const JsonValue& key) { return is(key, "__ellipsis__"); });
  if (dots > 1 || std::ssize(keys) - dots > rank) call.key->wrong("has more keys than there are dims");
  std::vector<std::int64_t> starts, ends, axes, steps, single;
  Shape shape;
  std::int64_t axis = 0;
  for (const JsonValue& key : keys) {
    if (is(key, "__ellipsis__")) {
      for (const auto end = axis + rank - (std::ssize(keys) - 1); axis < end; ++axis)
        if (axis > 0) shape.push_back(x.shape[static_cast<std::size_t>(axis - 1)]);
      continue;
    }
    constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
    const auto whole = [&](const JsonValue& number) {
      const double value = number.number();
      if (std::abs(value) > 1 << 24 || value != std::floor(value)) number.unsupported("is no index");
      return static_cast<std::int64_t>(value);
    };
    const std::int64_t dim = axis == 0 ? -1 : x.shape[static_cast<std::size_t>(axis - 1)];
    std::int64_t start = 0, end = kEnd, step = 1;
    const bool is_slice = is(key, "__slice__");
    if (is_slice) {
      const JsonValue of = key.at("config");
      if (!of.at("start").is_null()) start = whole(of.at("start"));
      if (!of.at("stop").is_null()) end = whole(of.at("stop"));
      if (!of.at("step").is_null()) step = whole(of.at("step"));
      if (step < 1) key.unsupported("has steps below 1; take the elements in their order");
    } else {
      if (!key.is_numbers() || key.is_array()) key.unsupported("is no index and no slice");
      start = whole(key), end = start == -1 ? kEnd : start + 1;
      single.push_back(axis);
      if (dim >= 0 && (start < -dim || start >= dim)) key.wrong("is beyond its dim");
    }
    const bool is_all = start == 0 && end == kEnd && step == 1;
    if (axis == 0 && !is_all) key.unsupported("takes a part of the batch");
    if (!is_all) starts.push_back(start), ends.push_back(end), axes.push_back(axis), steps.push_back(step);
    if (is_slice && axis > 0) {
      const auto in = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + dim : at, 0, dim); };
      shape.push_back(dim < 0 ? -1 : (std::max<std::int64_t>(in(end)-in(start), 0) + step - 1) / step);
      if (shape.back() == 0) key.unsupported("takes nothing");
    }
    ++axis;
  }
  shape.insert(shape.end(), x.shape.begin() + std::max<std::int64_t>(axis - 1, 0), x.shape.end());
  std::string y = x.name;
  const auto count = std::ssize(axes);
  if (count > 0)
    y = node("Slice", {y, integers({count}, starts), integers({count}, ends), integers({count}, axes),
                       integers({count}, steps)});
  if (!single.empty()) y = node("Squeeze", {y, integers({std::ssize(single)}, single)});
  return {{y, shape, "", x.is_whole}};
}

KerasGraph::Values KerasGraph::shaped(const KerasLayer& layer, const KerasValue& x) {
  const std::string& kind = layer.kind;
  const JsonValue& config = layer.config;
  if (kind != "Reshape" && kind != "Flatten" && kind != "Permute" && kind != "RepeatVector" && kind != "ZeroPadding1D")
    return {};
  check_keras_keys(layer, {"target_shape", "data_format", "dims", "n", "padding"});
  if (config.has("data_format") && !config.at("data_format").is_null() &&
      config.at("data_format").text() != "channels_last")
    config.at("data_format").unsupported("must be channels_last");
  const auto open = [](const Shape& shape) { return std::ranges::count_if(shape, [](auto dim) { return dim < 0; }); };
  if (kind == "Permute") {
    const std::vector<std::int64_t> dims = numbers_of(config.at("dims"), 1);
    std::vector<std::int64_t> order = {0};
    Shape shape;
    for (const std::int64_t dim : dims) {
      if (dims.size() != x.shape.size() || dim > std::ssize(dims)) config.at("dims").wrong("is no order of its dims");
      order.push_back(dim);
      shape.push_back(x.shape[static_cast<std::size_t>(dim - 1)]);
    }
    return {{node("Transpose", {x.name}, NodeAttributes().integers("perm", order)), shape, "", x.is_whole}};
  }
  if (kind == "RepeatVector") {
    if (x.shape.size() != 1) config.unsupported("repeats a vector, but gets " + to_string(x.shape));
    const std::int64_t n = config.at("n").size();
    if (steps_ != std::set<std::int64_t>{n})
      config.at("n").unsupported("makes " + std::to_string(n) +
                                 " steps, and the sequences that the model reads must have as many; build it with an "
                                 "input of " +
                                 std::to_string(n) + " steps");
    const std::string row = node("Unsqueeze", {x.name, integers({1}, {1})});
    return {{node("Expand", {row, integers({3}, {1, n, 1})}), {n, x.shape[0]}, "", x.is_whole}};
  }
  if (kind == "ZeroPadding1D") {
    a_sequence(layer, x);
    std::vector<std::int64_t> padding = numbers_of(config.at("padding"), 0);
    if (padding.size() == 1) padding.push_back(padding[0]);
    if (padding.size() != 2) config.at("padding").wrong("must be one number or two");
    return {{node("Pad", {x.name, integers({6}, {0, padding[0], 0, 0, padding[1], 0})}), x.shape, "", false}};
  }
  // One dim may be -1, what is left; an open one of the input is the first of both where there are steps.
  std::vector<std::int64_t> dims = {0};
  if (kind == "Flatten") {
    if (open(x.shape) > 0 && x.shape.size() > 1)
      config.unsupported("makes one vector of all steps, whatever their number is; give the last step, or pool");
    std::int64_t size = 1;
    for (const std::int64_t dim : x.shape) size *= dim;
    dims.push_back(size);
  } else {
    for (const JsonValue& dim : config.at("target_shape").elements())
      dims.push_back(dim.is_null() || dim.number() == -1 ? -1 : dim.size());
  }
  Shape shape(dims.begin() + 1, dims.end());
  if (open(shape) == 1 && open(x.shape) == 0) {
    std::int64_t left = 1;
    for (const std::int64_t dim : x.shape) left *= dim;
    for (const std::int64_t dim : shape) left /= std::max<std::int64_t>(dim, 1);
    std::ranges::replace(shape, std::int64_t{-1}, left);
  }
  const std::string y = node("Reshape", {x.name, integers({std::ssize(dims)}, dims)});
  return {{y, shape, "", x.is_whole}};
}

// A convolution over the steps. ONNX has the features before the steps, and a kernel [out, in / groups, taps].
KerasGraph::Values KerasGraph::convolution(const KerasLayer& layer, const KerasValue& x) {
  const std::string& kind = layer.kind;
  const JsonValue& config = layer.config;
  const bool separable = kind == "SeparableConv1D", depthwise = separable || kind == "DepthwiseConv1D";
  if (!depthwise && kind != "Conv1D") return {};
  check_keras_keys(layer, {"filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "groups",
                           "activation", "use_bias", "depth_multiplier"});
  a_sequence(layer, x);
  if (config.has("data_format") && config.at("data_format").text() != "channels_last")
    config.at("data_format").unsupported("must be channels_last");
  const bool has_bias = keras_flag(config, "use_bias", true);
  std::vector<std::string> roles = {depthwise ? "depthwise_kernel" : "kernel"};
  if (separable) roles.push_back("pointwise_kernel");
  if (has_bias) roles.push_back("bias");
  const std::vector<KerasWeight> found = take(roles);
  const std::int64_t in = width(layer, x), taps = number_of(config, "kernel_size");
  const std::int64_t dilation = number_of(config, "dilation_rate"), stride = number_of(config, "strides");
  const std::int64_t groups = depthwise ? in : number_of(config, "groups");
  const std::int64_t each = depthwise ? number_of(config, "depth_multiplier") : config.at("filters").size();
  if (in % groups != 0) config.wrong("its groups do not divide " + std::to_string(in) + " features");
  const std::int64_t of_group = in / groups, out = depthwise ? in * each : each;
  expect(layer, roles[0], found[0], depthwise ? Shape{taps, in, each} : Shape{taps, of_group, out});
  const std::string padding = config.has("padding") ? config.at("padding").text() : "valid";
  const std::int64_t around = (taps - 1) * dilation;
  std::int64_t before = 0, after = 0;
  if (padding == "causal") {
    before = around;
  } else if (padding == "same") {
    if (stride != 1) config.at("strides").unsupported("with padding same depends on the number of steps");
    before = around / 2, after = around - before;
  } else if (padding != "valid") {
    config.at("padding").unsupported(in_quotes(padding) + " is not known; known are valid, same and causal");
  }
  const auto convolve = [&](const std::string& from, const KerasWeight& kernel, std::int64_t rows, std::int64_t columns,
                            const NodeAttributes& attributes, const std::string& bias) {
    // From [taps, columns, rows] to [rows, columns, taps].
    std::vector<float> weights(kernel.values.size());
    const std::int64_t length = static_cast<std::int64_t>(weights.size()) / (rows * columns);
    for (std::int64_t t = 0, at = 0; t < length; ++t)
      for (std::int64_t c = 0; c < columns; ++c)
        for (std::int64_t r = 0; r < rows; ++r, ++at)
          weights[static_cast<std::size_t>((r * columns + c) * length + t)] =
              kernel.values[static_cast<std::size_t>(at)];
    std::vector<std::string> inputs = {from, floats({rows, columns, length}, weights)};
    if (!bias.empty()) inputs.push_back(bias);
    return node("Conv", inputs, attributes);
  };
  if (has_bias) expect(layer, "bias", found.back(), {separable ? config.at("filters").size() : out});
  const std::string bias = has_bias ? constant("bias", found.back()) : "";
  NodeAttributes attributes;
  attributes.integers("pads", {before, after}).integers("strides", {stride}).integers("dilations", {dilation});
  attributes.integer("group", groups);
  std::string y = node("Transpose", {x.name}, NodeAttributes().integers("perm", {0, 2, 1}));
  // The depthwise kernel is [taps, in * multiplier, 1] in that order of its features.
  y = convolve(y, found[0], out, depthwise ? 1 : of_group, attributes, separable ? "" : bias);
  std::int64_t filters = out;
  if (separable) {
    filters = config.at("filters").size();
    expect(layer, "pointwise_kernel", found[1], {1, out, filters});
    y = convolve(y, found[1], filters, out, {}, bias);
  }
  y = node("Transpose", {y}, NodeAttributes().integers("perm", {0, 2, 1}));
  return {{activations_.named(config, "activation").write(*this, y), {-1, filters}, "", false}};
}

}  // namespace rnnc::files
