#include <algorithm>
#include <numeric>
#include <optional>

#include "import/matrix.hpp"
#include "import/onnx/glue.hpp"
#include "ir/print.hpp"

namespace rnnc::files {
namespace {

// Returns how many parts of values stand one behind the other in a list.
std::size_t runs(const Elements& elements) {
  std::size_t count = elements.empty() ? 0 : 1;
  for (std::size_t i = 1; i < elements.size(); ++i) {
    const Element &one = elements[i - 1], &next = elements[i];
    count += one.source != next.source || (!one.is_constant() && next.index != one.index + 1) ? 1 : 0;
  }
  return count;
}

// Features in the order in which a product takes them: that of their sources, if this makes fewer parts of values.
struct Order {
  Elements features;
  std::vector<std::size_t> places;  // in `features`, of each that was given; empty where the order is as given
};

Order order_of(const Elements& given) {
  Elements ordered = given;
  std::ranges::sort(ordered);
  ordered.erase(std::unique(ordered.begin(), ordered.end()), ordered.end());
  if (runs(ordered) >= runs(given) || ordered == given) return {given, {}};
  Order result{std::move(ordered), {}};
  for (const Element& e : given)
    result.places.push_back(
        static_cast<std::size_t>(std::ranges::lower_bound(result.features, e) - result.features.begin()));
  return result;
}

// Columns of a matrix that stand side by side, and the features that they multiply.
struct Columns {
  std::size_t begin = 0, end = 0;
  Elements features;
};

// Returns the columns that a row takes of the matrix in which column k stands at places[k]. None where they do not
// stand side by side there, or where the features would be of more parts of values than in an order of their own.
std::optional<Columns> columns_of(std::span<const Element> x, const std::vector<std::size_t>& places,
                                  const Order& own) {
  const auto is_taken = [](Element e) { return !e.is_constant(); };
  if (places.size() != x.size() || !std::ranges::all_of(x, [&](Element e) { return is_taken(e) || e.is_zero(); }))
    return std::nullopt;
  Elements moved(x.size());
  for (std::size_t k = 0; k < x.size(); ++k) moved[places[k]] = x[k];
  const auto begin = std::ranges::find_if(moved, is_taken);
  const auto end = std::find_if_not(begin, moved.end(), is_taken);
  if (std::any_of(end, moved.end(), is_taken)) return std::nullopt;
  Columns result{
      static_cast<std::size_t>(begin - moved.begin()), static_cast<std::size_t>(end - moved.begin()), {begin, end}};
  if (result.features.size() != own.features.size() || runs(result.features) > runs(own.features)) return std::nullopt;
  return result;
}

std::string key_bytes(const auto& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0])};
}

}  // namespace

// Multiplies a matrix of constants with one row of features. Columns of zeros among the features are left out, and
// those of other constants go into the bias. Where the features are scattered over their sources, they are taken in the
// order of the sources, each once, and the columns are moved and added up.
Elements Glue::product(std::span<const Element> x, const Kernel& kernel) {
  std::vector<std::size_t> kept;
  Elements features;
  std::vector<std::pair<std::size_t, float>> constants;
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (!x[k].is_constant()) {
      kept.push_back(k);
      features.push_back(x[k]);
    } else if (!x[k].is_zero()) {
      constants.emplace_back(k, x[k].constant());
    }
  }
  const auto rows = static_cast<std::size_t>(kernel.rows), columns = static_cast<std::size_t>(kernel.columns);
  std::vector<float> bias = kernel.bias;
  if (!constants.empty()) {
    const std::vector<float> values = kernel.values();
    bias.resize(rows, 0);
    for (std::size_t m = 0; m < rows; ++m) {
      double sum = bias[m];
      for (const auto& [k, value] : constants) sum += static_cast<double>(values[m * columns + k]) * value;
      bias[m] = static_cast<float>(sum);
    }
  }
  if (features.empty()) {
    Elements result;
    bias.resize(rows, 0);
    for (const float value : bias) result.push_back(Element::of(value));
    return result;
  }
  Order order = order_of(features);
  std::string columns_taken;
  if (const auto taken = columns_of(x, kernel.places, order)) {
    order = {taken->features, kernel.places};
    kept.resize(x.size());
    std::iota(kept.begin(), kept.end(), std::size_t{0});
    if (taken->features.size() != x.size())
      columns_taken = "[:, " + std::to_string(taken->begin) + ":" + std::to_string(taken->end) + "]";
  }
  std::string key = "kernel " + kernel.key;
  if (!order.places.empty()) key += " as " + key_bytes(order.places);
  if (kept.size() != x.size()) key += " of " + key_bytes(kept);
  const std::string W = scope_.text.param("W", key, [&] {
    const std::vector<float> values = kernel.values();
    const std::size_t width = columns_taken.empty() ? order.features.size() : columns;
    std::vector<double> moved(rows * width, 0);
    for (std::size_t m = 0; m < rows; ++m)
      for (std::size_t k = 0; k < kept.size(); ++k)
        moved[m * width + (order.places.empty() ? k : order.places[k])] +=
            static_cast<double>(values[m * columns + kept[k]]);
    return Tensor::from_f32({kernel.rows, static_cast<std::int64_t>(width)}, {moved.begin(), moved.end()});
  });
  const Expression operand = scope_.text.vector(order.features);
  std::string text = W + columns_taken + " @ " + operand.text;
  if (!bias.empty())
    text += " + " +
            scope_.text.param("b", "bias " + key_bytes(bias), [&] { return Tensor::from_f32({kernel.rows}, bias); });
  return scope_.text.all(scope_.text.let("v", text, {"", kernel.rows, false, operand.sequence}));
}

// One operand is a constant, a matrix or one for each of some leading dims.
OnnxValue Glue::matmul() {
  if (node_.inputs.size() != 2) attributes_.invalid("takes two inputs, not " + std::to_string(node_.inputs.size()));
  const bool left = !depends(0);
  if (!left && depends(1)) {
    scope_.met_unknown_operator = true;
    attributes_.unsupported(
        "multiplies two values that both depend on the model's input, as attention does; one must be a constant");
  }
  const OnnxValue& x = value(left ? 1 : 0);
  const TensorView& W = constant(left ? 0 : 1);
  const Axes& axes = x.axes;
  if (axes.size() < 2 || W.shape.size() < 2) attributes_.unsupported("multiplies a vector; give it dims of 1");
  const std::size_t inner = axes.size() - (left ? 2 : 1), outer = axes.size() - (left ? 1 : 2);
  const std::size_t last = W.shape.size() - 1;
  const std::int64_t K = W.shape[left ? last : last - 1], N = W.shape[left ? last - 1 : last];
  if (!axes[inner].is_number())
    attributes_.unsupported("multiplies along a dimension that is not the features: " + to_string(axes));
  if (axes[inner].fixed() != K || N < 1)
    attributes_.unsupported("shape mismatch: " + std::to_string(axes[inner].fixed()) +
                            " features times a constant of shape " + to_string(W.shape));
  Axes many(W.shape.size() - 2);
  for (std::size_t d = 0; d < many.size(); ++d) many[d] = Axis::of(W.shape[d]);
  const Axes own(axes.begin(), axes.end() - 2);
  const auto leading = broadcast(own, many);
  if (!leading) attributes_.unsupported("shape mismatch: " + to_string(axes) + " times " + to_string(W.shape));
  if (fixed(*leading) > kMostElements) attributes_.too_large("makes a value of more than a million elements");
  const auto from = spread(own, *leading), which = spread(many, *leading);
  OnnxValue result = x;
  result.axes = *leading;
  result.integer = false;
  const std::int64_t M = axes[outer].fixed();
  for (const std::size_t d : {axes.size() - 2, axes.size() - 1})
    result.axes.push_back(d == inner ? Axis::of(N) : axes[outer]);
  if (fixed(result.axes) > kMostElements) attributes_.too_large("makes a value of more than a million elements");
  result.elements.assign(static_cast<std::size_t>(fixed(result.axes)), {});
  for (std::size_t l = 0; l < from.size(); ++l)
    for (std::int64_t m = 0; m < M; ++m) {
      const auto place = [&](std::int64_t k, std::int64_t size) { return left ? k * M + m : m * size + k; };
      Elements row;
      for (std::int64_t k = 0; k < K; ++k)
        row.push_back(x.elements[static_cast<std::size_t>(from[l] * M * K + place(k, K))]);
      const std::int64_t at = which[l];
      const Kernel kernel{node_.input(left ? 0 : 1) + (left ? " " : "' ") + std::to_string(at),
                          N,
                          K,
                          [&W, K, N, at, left] {
                            const std::vector<float> values = W.part({N * K}, at * N * K).to_f32();
                            return left ? values : Matrix{K, N, values}.transposed().values;
                          },
                          {}};
      const Elements made = product(row, kernel);
      for (std::int64_t n = 0; n < N; ++n)
        result.elements[l * static_cast<std::size_t>(M * N) + static_cast<std::size_t>(place(n, N))] =
            made[static_cast<std::size_t>(n)];
    }
  return result;
}

OnnxValue Glue::gemm() {
  const float alpha = attributes_.real("alpha").value_or(1), beta = attributes_.real("beta").value_or(1);
  if (attributes_.integer("transA").value_or(0) != 0)
    attributes_.unsupported("transA is set; transpose the weights instead");
  const bool turned = attributes_.integer("transB").value_or(0) != 0;
  static_cast<void>(attributes_.integer("broadcast"));  // opset 1 to 6; C is broadcast in any case
  const OnnxValue& x = value(0);
  const TensorView& W = constant(1);
  if (x.axes.size() != 2 || W.shape.size() != 2) attributes_.unsupported("its inputs must have two dimensions");
  const std::int64_t K = W.shape[turned ? 1 : 0], N = W.shape[turned ? 0 : 1];
  if (!x.axes[1].is_number())
    attributes_.unsupported("multiplies along a dimension that is not the features: " + to_string(x.axes));
  if (x.axes[1].fixed() != K || N < 1)
    attributes_.unsupported("shape mismatch: " + std::to_string(x.axes[1].fixed()) + " features times a " +
                            (turned ? "transposed " : "") + "constant of shape " + to_string(W.shape));
  Kernel kernel{node_.input(1) + (turned ? " " : "' ") + "* " + ir::number_text(alpha),
                N,
                K,
                [&W, turned, alpha, K, N] {
                  std::vector<float> values = W.to_f32();
                  if (!turned) values = Matrix{K, N, std::move(values)}.transposed().values;
                  for (float& w : values) w *= alpha;
                  return values;
                },
                {}};
  std::optional<OnnxValue> added;
  if (!node_.input(2).empty()) {
    if (depends(2)) {
      added = value(2);
    } else {
      const TensorView& C = constant(2);
      if (C.elements() != 1 && (C.elements() != N || C.shape.empty() || C.shape.back() != N))
        attributes_.unsupported("C of shape " + to_string(C.shape) + " is not one number for each output");
      kernel.bias = C.to_f32();
      kernel.bias.resize(static_cast<std::size_t>(N), kernel.bias[0]);
      for (float& v : kernel.bias) v *= beta;
    }
  }
  OnnxValue result = x;
  result.axes[1] = Axis::of(N);
  result.integer = false;
  result.elements.clear();
  for (std::size_t row = 0; row < x.elements.size(); row += static_cast<std::size_t>(K)) {
    const Elements made = product(std::span(x.elements).subspan(row, static_cast<std::size_t>(K)), kernel);
    result.elements.insert(result.elements.end(), made.begin(), made.end());
  }
  if (!added) return result;
  if (beta != 1) attributes_.unsupported("beta is not 1 and C depends on the model's input");
  return each({result, *added}, [](const std::vector<std::string>& v) { return v[0] + " + " + v[1]; });
}

}  // namespace rnnc::files
