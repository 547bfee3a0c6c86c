#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "import/onnx/glue.hpp"

namespace rnnc::files {

// How a kernel goes over the spatial dims, one number for each of them.
struct Glue::Window {
  std::vector<std::int64_t> kernel, strides, dilations, before, after;
  std::int64_t size() const {  // more than a value may have where it would be larger
    std::int64_t product = 1;
    for (const std::int64_t k : kernel) product = std::min(product * k, kMostElements + 1);
    return product;
  }
};

namespace {

constexpr std::int64_t kMostTaps = 1024;  // steps that a convolution over time looks back or ahead

// Counts the columns of the matrices that rows would have if each left out those of its zeros.
std::int64_t columns_apart(const std::vector<Elements>& rows) {
  std::set<std::vector<bool>> kept;
  for (const Elements& row : rows) {
    std::vector<bool> own;
    for (const Element& e : row) own.push_back(!e.is_constant());
    kept.insert(std::move(own));
  }
  std::int64_t count = 0;
  for (const std::vector<bool>& own : kept) count += std::ranges::count(own, true);
  return count;
}

}  // namespace

Glue::Window Glue::window(std::size_t spatial, const std::vector<std::int64_t>& kernel) {
  const auto given = [&](const char* name, std::size_t size, std::int64_t standard) {
    auto values = attributes_.integers(name).value_or(std::vector<std::int64_t>(size, standard));
    if (values.size() != size || std::ranges::any_of(values, [](std::int64_t v) { return v < 0 || v > (1 << 16); }))
      attributes_.invalid(std::string(name) + " must be " + std::to_string(size) + " numbers, not negative");
    return values;
  };
  Window result;
  result.kernel = given("kernel_shape", spatial, 0);
  if (!kernel.empty() && !attributes_.integers("kernel_shape")) result.kernel = kernel;
  if (!kernel.empty() && result.kernel != kernel) attributes_.invalid("kernel_shape is not the shape of its weights");
  result.strides = given("strides", spatial, 1);
  result.dilations = given("dilations", spatial, 1);
  const auto pads = given("pads", 2 * spatial, 0);
  result.before = {pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(spatial)};
  result.after = {pads.begin() + static_cast<std::ptrdiff_t>(spatial), pads.end()};
  for (std::size_t d = 0; d < spatial; ++d)
    if (result.kernel[d] < 1 || result.strides[d] < 1 || result.dilations[d] < 1)
      attributes_.invalid("kernel_shape, strides and dilations must be at least 1");
  const std::string automatic = attributes_.text("auto_pad").value_or("NOTSET");
  if (automatic != "NOTSET" && std::ranges::any_of(pads, [](std::int64_t v) { return v != 0; }))
    attributes_.unsupported("has both pads and auto_pad " + automatic + ", which may not stand together; remove one");
  if (automatic == "NOTSET" || automatic == "VALID") return result;
  if (automatic != "SAME_UPPER" && automatic != "SAME_LOWER") attributes_.invalid("auto_pad is none of ONNX's four");
  const Axes& axes = raw(0).axes;
  for (std::size_t d = 0; d < spatial; ++d) {
    const std::int64_t extent = (result.kernel[d] - 1) * result.dilations[d] + 1;
    std::int64_t total = extent - 1;
    if (axes[2 + d].is_number()) {
      const std::int64_t size = axes[2 + d].fixed(), outputs = (size + result.strides[d] - 1) / result.strides[d];
      total = std::max<std::int64_t>(0, (outputs - 1) * result.strides[d] + extent - size);
    }
    const std::int64_t half = total / 2;
    result.before[d] = automatic == "SAME_UPPER" ? half : total - half;
    result.after[d] = total - result.before[d];
  }
  return result;
}

// Returns a vector of the value at each of the last `steps` steps, the oldest first, or at the next ones, the latest
// first, with zeros around the sequence. A scan that keeps these steps as its state gives them.
std::int32_t Glue::taps(const Elements& elements, std::int64_t steps, bool ahead) {
  if (steps > kMostTaps)
    attributes_.unsupported("looks over more than " + std::to_string(kMostTaps) + " steps of time");
  const Expression now = scope_.text.vector(elements);
  if (!now.sequence) attributes_.unsupported("goes over the steps of what is the same at each step");
  const auto n = static_cast<std::int64_t>(elements.size());
  const std::string size = std::to_string(n), all = std::to_string(n * steps);
  const std::string next = steps == 1 ? "x" : "concat(s[" + size + ":" + all + "], x)";
  const std::string cell = scope_.text.cell("history", " {\n  input x : f32[" + size + "]\n  state s : f32[" + all +
                                                           "]\n\n  s' = " + next + "\n  output s\n}\n");
  return scope_.text.let(ahead ? "ahead" : "before", (ahead ? "reverse " : "") + cell + "(" + now.text + ")",
                         {"", n * steps, false, true});
}

// Returns [.., C, K, outputs...]: for each output place the places under the kernel, `outside` where there is none.
OnnxValue Glue::windows(const OnnxValue& x, const Window& window, Element outside) {
  const std::size_t spatial = window.kernel.size();
  OnnxValue result;
  result.turned = x.turned;
  result.axes = {x.axes[0], x.axes[1], Axis::of(window.size())};
  std::optional<std::size_t> time;
  for (std::size_t d = 0; d < spatial; ++d) {
    const Axis& axis = x.axes[2 + d];
    const std::int64_t extent = (window.kernel[d] - 1) * window.dilations[d] + 1;
    if (axis.is_number()) {
      const std::int64_t size = axis.fixed() + window.before[d] + window.after[d] - extent;
      if (size < 0) attributes_.invalid("shape mismatch: its kernel is larger than " + to_string(x.axes));
      result.axes.push_back(Axis::of(size / window.strides[d] + 1));
      continue;
    }
    if (!axis.is('T') || scope_.text.is_step())
      attributes_.unsupported("goes over dimension " + std::to_string(2 + d) + " of " + to_string(x.axes));
    const std::int64_t around = window.before[d] + window.after[d] + x.zeros_before + x.zeros_after;
    if (window.strides[d] != 1 || around != extent - 1)
      attributes_.unsupported("goes over the time with " + std::to_string(around) +
                              " steps of zeros around it and stride " + std::to_string(window.strides[d]) +
                              "; as many steps must come out as go in, which takes " + std::to_string(extent - 1) +
                              " steps of zeros and stride 1");
    if (outside != Element::of(0) && extent > 1) attributes_.unsupported("takes the largest over steps of time");
    result.axes.push_back(axis);
    time = d;
  }
  if (!time && (x.zeros_before != 0 || x.zeros_after != 0))
    attributes_.unsupported("takes a sequence with steps put around it, but does not go over the time");
  if (fixed(result.axes) > kMostElements) attributes_.too_large("makes windows of more than a million elements");
  // The steps that a convolution over time needs before and behind each one.
  Elements moving;
  std::vector<std::int64_t> numbers;  // of the elements among those that move
  for (const Element& e : x.elements) {
    numbers.push_back(static_cast<std::int64_t>(moving.size()));
    if (!e.is_zero()) moving.push_back(e);
  }
  const std::int64_t back = time ? window.before[*time] + x.zeros_before : 0;
  const std::int64_t ahead = time ? window.after[*time] + x.zeros_after : 0;
  if (scope_.ragged && ahead > 0)
    attributes_.unsupported("reads steps ahead, which are behind the ends of sequences that have lengths");
  std::optional<std::int32_t> past, future;
  if (!moving.empty() && back > 0) past = taps(moving, back, x.turned);
  if (!moving.empty() && ahead > 0) future = taps(moving, ahead, !x.turned);
  const auto at_offset = [&](std::size_t place, std::int64_t offset) -> Element {
    if (offset == 0 || x.elements[place].is_zero()) return x.elements[place];
    const std::int64_t block = offset < 0 ? back + offset : ahead - offset;
    return {offset < 0 ? *past : *future,
            static_cast<std::int32_t>(block * static_cast<std::int64_t>(moving.size()) + numbers[place])};
  };
  const std::vector<std::int64_t> shape = fixed_shape(result.axes);
  std::vector<std::int64_t> index(shape.size(), 0);
  result.elements.resize(static_cast<std::size_t>(fixed(result.axes)));
  for (Element& element : result.elements) {
    std::int64_t k = index[2], place = index[0] * x.axes[1].fixed() + index[1], offset = 0;
    std::vector<std::int64_t> tap(spatial);
    for (std::size_t d = spatial; d-- > 0; k /= window.kernel[d]) tap[d] = k % window.kernel[d];
    bool inside = true;
    for (std::size_t d = 0; d < spatial; ++d) {
      if (time == d) {
        offset = tap[d] * window.dilations[d] - back;
        continue;
      }
      const std::int64_t size = x.axes[2 + d].fixed();
      const std::int64_t at = index[3 + d] * window.strides[d] + tap[d] * window.dilations[d] - window.before[d];
      inside &= at >= 0 && at < size;
      place = place * size + at;
    }
    element = !inside ? outside : at_offset(static_cast<std::size_t>(inside ? place : 0), offset);
    for (std::size_t d = index.size(); d-- > 0 && ++index[d] == shape[d];) index[d] = 0;
  }
  return result;
}

// Returns the value of a convolution's outputs, [.., M, outputs...], with elements that are to be computed.
OnnxValue Glue::outputs_of(const OnnxValue& windows, std::int64_t channels) {
  OnnxValue result = windows;
  result.axes = {windows.axes[0], Axis::of(channels)};
  result.axes.insert(result.axes.end(), windows.axes.begin() + 3, windows.axes.end());
  if (fixed(result.axes) > kMostElements) attributes_.too_large("makes a value of more than a million elements");
  result.elements.assign(static_cast<std::size_t>(fixed(result.axes)), {});
  return result;
}

// Multiplies the windows of each group's channels with its matrix; `values` returns that of a group, [Q, C / G * K].
OnnxValue Glue::grouped(const OnnxValue& windows, std::int64_t C, std::int64_t G, std::int64_t Q,
                        const std::vector<float>& bias, const std::function<std::vector<float>(std::int64_t)>& values) {
  const std::int64_t P = C / G, K = windows.axes[2].fixed(), M = Q * G;
  OnnxValue result = outputs_of(windows, M);
  const std::int64_t outer = windows.axes[0].fixed(), places = std::ssize(result.elements) / (outer * M);
  for (std::int64_t g = 0; g < G; ++g) {
    const std::string key = node_.op + " " + node_.input(1) + " " + std::to_string(g) + " of " + std::to_string(G);
    Kernel kernel{key, Q, P * K, [&values, g] { return values(g); }, {}};
    if (!bias.empty()) kernel.bias = {bias.begin() + g * Q, bias.begin() + (g + 1) * Q};
    std::vector<Elements> rows;
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t p = 0; p < places; ++p) {
        Elements& row = rows.emplace_back();
        for (std::int64_t k = 0; k < P * K; ++k)
          row.push_back(windows.elements[static_cast<std::size_t>(((o * C + g * P) * K + k) * places + p)]);
      }
    // Tap by tap, the zeros around the places are at the ends of a row.
    if (columns_apart(rows) > P * K)
      for (std::int64_t k = 0; k < P * K; ++k) kernel.places.push_back(static_cast<std::size_t>(k % K * P + k / K));
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t p = 0; p < places; ++p) {
        const Elements made = product(rows[static_cast<std::size_t>(o * places + p)], kernel);
        for (std::int64_t q = 0; q < Q; ++q)
          result.elements[static_cast<std::size_t>((o * M + g * Q + q) * places + p)] =
              made[static_cast<std::size_t>(q)];
      }
  }
  return result;
}

// Convolves each channel alone, element by element, tap after tap; Q outputs read one channel.
OnnxValue Glue::depthwise(const OnnxValue& windows, std::int64_t C, std::int64_t Q, const std::vector<float>& bias,
                          const std::vector<float>& weights) {
  const std::int64_t M = C * Q, K = windows.axes[2].fixed();
  OnnxValue result = outputs_of(windows, M);
  const std::int64_t outer = windows.axes[0].fixed(), places = std::ssize(result.elements) / (outer * M);
  const auto channel = [&](std::size_t at) { return static_cast<std::int64_t>(at) / places % M; };
  for (std::size_t at = 0; at < result.elements.size(); ++at)
    result.elements[at] = Element::of(bias.empty() ? 0 : bias[static_cast<std::size_t>(channel(at))]);
  for (std::int64_t k = 0; k < K; ++k) {
    std::vector<Elements> terms(3);
    std::vector<std::size_t> where;
    for (std::size_t at = 0; at < result.elements.size(); ++at) {
      const std::int64_t m = channel(at), p = static_cast<std::int64_t>(at) % places;
      const std::int64_t o = static_cast<std::int64_t>(at) / (places * M);
      const Element e = windows.elements[static_cast<std::size_t>(((o * C + m / Q) * K + k) * places + p)];
      if (e.is_zero()) continue;
      where.push_back(at);
      terms[0].push_back(result.elements[at]);
      terms[1].push_back(e);
      terms[2].push_back(Element::of(weights[static_cast<std::size_t>(m * K + k)]));
    }
    if (where.empty()) continue;
    const Elements sums =
        scope_.text.each(terms, [](const std::vector<std::string>& v) { return v[0] + " + " + v[1] + " * " + v[2]; });
    for (std::size_t i = 0; i < where.size(); ++i) result.elements[where[i]] = sums[i];
  }
  return result;
}

OnnxValue Glue::conv() {
  const OnnxValue& x = raw(0);
  const TensorView& W = constant(1);
  if (x.axes.size() < 3 || W.shape.size() != x.axes.size() || !x.axes[1].is_number())
    attributes_.unsupported("goes over " + to_string(x.axes) + " with weights of shape " + to_string(W.shape));
  const std::size_t spatial = x.axes.size() - 2;
  const Window over = window(spatial, {W.shape.begin() + 2, W.shape.end()});
  const std::int64_t C = x.axes[1].fixed(), M = W.shape[0], G = attributes_.integer("group").value_or(1);
  if (G < 1 || M % G != 0 || C % G != 0 || W.shape[1] != C / G)
    attributes_.invalid("shape mismatch: " + std::to_string(C) + " channels in " + std::to_string(G) +
                        " groups, and weights of shape " + to_string(W.shape));
  const std::vector<float> bias = node_.input(2).empty() ? std::vector<float>() : floats(2, M, 0);
  const std::int64_t K = over.size(), P = C / G, Q = M / G;
  const OnnxValue all = windows(x, over, Element::of(0));
  if (P == 1 && G > 1) return depthwise(all, C, Q, bias, W.to_f32());
  const auto values = [&W, P, Q, K](std::int64_t g) { return W.part({Q * P * K}, g * Q * P * K).to_f32(); };
  return grouped(all, C, G, Q, bias, values);
}

// The places of the input, apart by the stride with zeros between, under a convolution with the kernel turned round.
OnnxValue Glue::conv_transpose() {
  const OnnxValue& x = value(0);
  const TensorView& W = constant(1);
  if (x.axes.size() < 3 || W.shape.size() != x.axes.size() || !x.axes[1].is_number())
    attributes_.unsupported("goes over " + to_string(x.axes) + " with weights of shape " + to_string(W.shape));
  const std::size_t spatial = x.axes.size() - 2;
  if (attributes_.integers("output_shape") || attributes_.text("auto_pad").value_or("NOTSET") != "NOTSET")
    attributes_.unsupported("output_shape and auto_pad are set; give pads instead");
  const Window over = window(spatial, {W.shape.begin() + 2, W.shape.end()});
  const auto more = attributes_.integers("output_padding").value_or(std::vector<std::int64_t>(spatial, 0));
  const std::int64_t C = x.axes[1].fixed(), G = attributes_.integer("group").value_or(1), Q = W.shape[1], M = Q * G;
  const bool small = std::ranges::all_of(more, [](std::int64_t v) { return v >= 0 && v <= (1 << 16); });
  if (G < 1 || C % G != 0 || W.shape[0] != C || more.size() != spatial || !small)
    attributes_.invalid("shape mismatch: " + std::to_string(C) + " channels and weights of shape " +
                        to_string(W.shape));
  Axes apart = x.axes;
  Window plain = over;
  plain.strides.assign(spatial, 1);
  std::vector<std::int64_t> sizes(x.axes.size(), 1);
  for (std::size_t d = 0; d < spatial; ++d) {
    const bool time = x.axes[2 + d].is('T');
    if (!x.axes[2 + d].is_number() && !(time && over.strides[d] == 1))
      attributes_.unsupported("makes several steps of each step");
    if (!time) apart[2 + d] = Axis::of((x.axes[2 + d].fixed() - 1) * over.strides[d] + 1);
    const std::int64_t reach = (over.kernel[d] - 1) * over.dilations[d];
    plain.before[d] = reach - over.before[d];
    plain.after[d] = reach - over.after[d] + more[d];
    if (plain.before[d] < 0 || plain.after[d] < 0) attributes_.unsupported("its pads are larger than its kernel");
    sizes[2 + d] = over.strides[d];
  }
  const std::vector<std::int64_t> shape = fixed_shape(x.axes);
  const OnnxValue stuffed = taken(x, apart, [&](std::span<const std::int64_t> index) -> std::int64_t {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < index.size(); ++d) {
      if (index[d] % sizes[d] != 0) return -1;
      at = at * shape[d] + index[d] / sizes[d];
    }
    return at;
  });
  const OnnxValue all = windows(stuffed, plain, Element::of(0));
  const std::vector<float> bias = node_.input(2).empty() ? std::vector<float>() : floats(2, M, 0);
  const std::int64_t K = over.size(), P = C / G;
  const auto values = [&W, P, Q, K](std::int64_t g) {
    const std::vector<float> own = W.part({P * Q * K}, g * P * Q * K).to_f32();
    std::vector<float> turned(own.size());
    for (std::int64_t c = 0; c < P; ++c)
      for (std::int64_t q = 0; q < Q; ++q)
        for (std::int64_t k = 0; k < K; ++k)
          turned[static_cast<std::size_t>((q * P + c) * K + K - 1 - k)] =
              own[static_cast<std::size_t>((c * Q + q) * K + k)];
    return turned;
  };
  if (P > 1 || G == 1) return grouped(all, C, G, Q, bias, values);
  std::vector<float> weights;
  for (std::int64_t g = 0; g < G; ++g)
    for (const float w : values(g)) weights.push_back(w);
  return depthwise(all, C, Q, bias, weights);
}

OnnxValue Glue::pool() {
  const OnnxValue& x = value(0);
  const bool largest = is("MaxPool") || is("GlobalMaxPool"), global = is("GlobalAveragePool") || is("GlobalMaxPool");
  if (x.axes.size() < 3 || !x.axes[1].is_number()) attributes_.unsupported("goes over " + to_string(x.axes));
  const std::size_t spatial = x.axes.size() - 2;
  if (global && has(x.axes, 'T')) {
    for (std::size_t d = 2; d < x.axes.size(); ++d)
      if (x.axes[d].is('T') && spatial == 1) return over_time(x, d, largest ? "max" : "mean", true);
    attributes_.unsupported("goes over the time and other dimensions");
  }
  Window over;
  if (global) {
    for (std::size_t d = 0; d < spatial; ++d) over.kernel.push_back(x.axes[2 + d].fixed());
    over.strides = over.dilations = std::vector<std::int64_t>(spatial, 1);
    over.before = over.after = std::vector<std::int64_t>(spatial, 0);
  } else {
    over = window(spatial, {});
    if (attributes_.integer("ceil_mode").value_or(0) != 0) attributes_.unsupported("ceil_mode is set");
    static_cast<void>(attributes_.integer("storage_order"));  // of indices, which are a second output
  }
  const bool counts_zeros = !global && !largest && attributes_.integer("count_include_pad").value_or(0) != 0;
  const Element outside = Element::of(largest || !counts_zeros ? -std::numeric_limits<float>::infinity() : 0);
  const OnnxValue all = windows(x, over, outside);
  const std::int64_t K = over.size();
  OnnxValue result = all;
  result.axes.erase(result.axes.begin() + 2);
  const std::int64_t outer = x.axes[0].fixed() * x.axes[1].fixed(), places = fixed(result.axes) / outer;
  result.elements.assign(static_cast<std::size_t>(outer * places), outside);
  std::vector<std::int64_t> counts(result.elements.size(), 0);
  for (std::int64_t k = 0; k < K; ++k) {
    std::vector<Elements> terms(2);
    std::vector<std::size_t> where;
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t p = 0; p < places; ++p) {
        const auto at = static_cast<std::size_t>(o * places + p);
        const Element e = all.elements[static_cast<std::size_t>((o * K + k) * places + p)];
        if (e == outside && !counts_zeros) continue;
        if (counts[at]++ == 0) {
          result.elements[at] = e;
          continue;
        }
        where.push_back(at);
        terms[0].push_back(result.elements[at]);
        terms[1].push_back(e);
      }
    if (where.empty()) continue;
    const Elements made = scope_.text.each(terms, [&](const std::vector<std::string>& v) {
      return largest ? "max(" + v[0] + ", " + v[1] + ")" : v[0] + " + " + v[1];
    });
    for (std::size_t i = 0; i < where.size(); ++i) result.elements[where[i]] = made[i];
  }
  if (largest) return result;
  OnnxValue divisor = result;
  for (std::size_t i = 0; i < counts.size(); ++i)
    divisor.elements[i] = Element::of(static_cast<float>(std::max<std::int64_t>(counts[i], 1)));
  return each({result, divisor}, [](const std::vector<std::string>& v) { return v[0] + " / " + v[1]; });
}

}  // namespace rnnc::files
