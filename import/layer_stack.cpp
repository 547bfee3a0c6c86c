#include "import/layer_stack.hpp"

#include <rnnc/join.hpp>

#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kMostPastNumbers = 1 << 16;  // numbers that a state holds for one convolution

}  // namespace

LayerStack::LayerStack(std::string name, std::string comment, std::int64_t input_size, std::size_t recurrent,
                       std::string_view file)
    : name_(std::move(name)),
      comment_(std::move(comment)),
      file_(file),
      input_size_(input_size),
      size_(input_size),
      recurrent_(recurrent) {}

std::string LayerStack::param(const std::string& name, Tensor tensor) {
  declarations_ += "  param " + name + " : f32" + (tensor.shape.empty() ? "" : "[" + join(tensor.shape) + "]") + "\n";
  weights_[name] = std::move(tensor);
  return name;
}

std::string LayerStack::state(const std::string& name, std::int64_t size) {
  states_.push_back(suffixed(name));
  declarations_ += "  state " + states_.back() + " : f32[" + std::to_string(size) + "]\n";
  return states_.back();
}

std::string LayerStack::let(const std::string& name, const std::string& expression) {
  body_ += "  " + name + " = " + expression + "\n";
  return name;
}

// Splits the stacked weights into gates, and checks every size against the layer below.
void LayerStack::add_gates(const GateWeights& weights, const std::string& what, bool keep_recurrent_bias) {
  const std::int64_t hidden = weights.hidden();
  const auto gates = static_cast<std::int64_t>(weights.gates.empty() ? 1 : weights.gates.size());
  const auto check = [&](const std::string& part, std::int64_t found, std::int64_t wanted) {
    if (found != wanted)
      invalid(file_, what,
              part + " is " + std::to_string(found) + " but must be " + std::to_string(wanted) + " for " +
                  std::to_string(hidden) + " units; correct the sizes or save the model again");
  };
  check("the number of rows of the recurrent weights", weights.U.rows, gates * hidden);
  check("the number of rows of the input weights", weights.W.rows, gates * hidden);
  if (weights.W.columns != size_)
    invalid(file_, what,
            "takes " + std::to_string(weights.W.columns) + " features but the layer below gives " +
                std::to_string(size_) + "; correct the sizes or save the model again");
  if (!weights.b.empty()) check("the length of the bias", static_cast<std::int64_t>(weights.b.size()), gates * hidden);
  if (!weights.bu.empty())
    check("the length of the recurrent bias", static_cast<std::int64_t>(weights.bu.size()), gates * hidden);
  suffix_ = recurrent_ > 1 ? std::to_string(++layer_) : "";
  for (std::int64_t g = 0; g < gates; ++g) {
    const std::string gate = weights.gates.empty() ? "" : std::string(1, weights.gates[static_cast<std::size_t>(g)]);
    param(suffixed("W" + gate), weights.W.row_range(g * hidden, (g + 1) * hidden).tensor());
    param(suffixed("U" + gate), weights.U.row_range(g * hidden, (g + 1) * hidden).tensor());
    std::vector<float> b, bu;
    if (!weights.b.empty()) b.assign(weights.b.begin() + g * hidden, weights.b.begin() + (g + 1) * hidden);
    if (!weights.bu.empty()) bu.assign(weights.bu.begin() + g * hidden, weights.bu.begin() + (g + 1) * hidden);
    if (!bu.empty() && !(keep_recurrent_bias && gate == "n")) {
      b.resize(bu.size());
      for (std::size_t k = 0; k < bu.size(); ++k) b[k] += bu[k];
      bu.clear();
    }
    if (!b.empty()) param(suffixed("b" + gate), Tensor::from_f32({hidden}, b));
    if (!bu.empty()) param(suffixed("bu" + gate), Tensor::from_f32({hidden}, bu));
  }
}

std::string LayerStack::product(const std::string& gate) const {
  const std::string b = suffixed("b" + gate);
  return suffixed("W" + gate) + " @ " + top_ + " + " + suffixed("U" + gate) + " @ " + suffixed("h") +
         (weights_.contains(b) ? " + " + b : "");
}

void LayerStack::finish_recurrent(std::int64_t hidden) {
  top_ = suffixed("h") + "'";
  size_ = hidden;
}

void LayerStack::lstm(const GateWeights& weights, const std::string& what) {
  add_gates(weights, what, false);
  const std::string h = state("h", weights.hidden()), c = state("c", weights.hidden());
  const std::string i = let(suffixed("i"), "sigmoid(" + product("i") + ")");
  const std::string f = let(suffixed("f"), "sigmoid(" + product("f") + ")");
  const std::string g = let(suffixed("g"), "tanh(" + product("g") + ")");
  const std::string o = let(suffixed("o"), "sigmoid(" + product("o") + ")");
  let(c + "'", f + " * " + c + " + " + i + " * " + g);
  let(h + "'", o + " * tanh(" + c + "')");
  finish_recurrent(weights.hidden());
}

void LayerStack::gru(const GateWeights& weights, bool reset_after, const std::string& what) {
  add_gates(weights, what, reset_after);
  const std::string h = state("h", weights.hidden());
  const std::string r = let(suffixed("r"), "sigmoid(" + product("r") + ")");
  const std::string z = let(suffixed("z"), "sigmoid(" + product("z") + ")");
  const std::string U = suffixed("Un"), b = suffixed("bn"), bu = suffixed("bun");
  std::string inside = suffixed("Wn") + " @ " + top_ + (weights_.contains(b) ? " + " + b : "");
  if (reset_after)
    inside += " + " + r + " * (" + U + " @ " + h + (weights_.contains(bu) ? " + " + bu : "") + ")";
  else
    inside += " + " + U + " @ (" + r + " * " + h + ")";
  const std::string n = let(suffixed("n"), "tanh(" + inside + ")");
  let(h + "'", "(1 - " + z + ") * " + n + " + " + z + " * " + h);
  finish_recurrent(weights.hidden());
}

void LayerStack::rnn(const GateWeights& weights, const std::string& what) {
  add_gates(weights, what, false);
  const std::string h = state("h", weights.hidden());
  let(h + "'", "tanh(" + product("") + ")");
  finish_recurrent(weights.hidden());
}

void LayerStack::dense(const Matrix& W, const std::vector<float>& b, const std::string& what) {
  if (W.columns != size_)
    invalid(file_, what,
            "takes " + std::to_string(W.columns) + " features but the layer below gives " + std::to_string(size_) +
                "; correct the sizes or save the model again");
  if (!b.empty() && static_cast<std::int64_t>(b.size()) != W.rows)
    invalid(file_, what,
            "has " + std::to_string(W.rows) + " outputs but a bias of " + std::to_string(b.size()) +
                "; correct the sizes or save the model again");
  const std::string number = std::to_string(++denses_);
  std::string sum = param("dense" + number + "_W", W.tensor()) + " @ " + top_;
  if (!b.empty()) sum += " + " + param("dense" + number + "_b", Tensor::from_f32({W.rows}, b));
  top_ = let("dense" + number, sum);
  size_ = W.rows;
}

void LayerStack::prelu(const std::vector<float>& alpha, const std::string& what) {
  if (static_cast<std::int64_t>(alpha.size()) != size_ && alpha.size() != 1)
    invalid(file_, what,
            "has " + std::to_string(alpha.size()) + " slopes for " + std::to_string(size_) +
                " features; give one for each or one for all");
  const std::vector<float> slopes =
      alpha.size() == 1 ? std::vector<float>(static_cast<std::size_t>(size_), alpha[0]) : alpha;
  const std::string number = std::to_string(++lets_);
  const std::string slope = param("slope" + number, Tensor::from_f32({size_}, slopes));
  top_ = let("v" + number, "max(" + top_ + ", 0) + " + slope + " * min(" + top_ + ", 0)");
}

void LayerStack::apply(const std::string& function, const std::string& more) {
  top_ = let("v" + std::to_string(++lets_), function + "(" + top_ + more + ")");
}

void LayerStack::add_input(const std::string& what) {
  if (size_ > input_size_)
    unsupported(file_, what,
                "adds the " + std::to_string(input_size_) + " features of the input to " + std::to_string(size_) +
                    " outputs; only as many inputs as outputs can be added");
  const std::string x = size_ == input_size_ ? input_ : input_ + "[0:" + std::to_string(size_) + "]";
  top_ = let("y", top_ + " + " + x);
}

void LayerStack::conv1d(const std::vector<Matrix>& taps, bool depthwise, const std::vector<float>& b,
                        std::int64_t dilation, const std::string& what) {
  const auto count = static_cast<std::int64_t>(taps.size());
  const std::int64_t outputs = depthwise ? size_ : taps.front().rows;
  if (taps.front().columns != size_)
    invalid(file_, what,
            "takes " + std::to_string(taps.front().columns) + " features but the layer below gives " +
                std::to_string(size_) + "; correct the sizes or save the model again");
  if (!b.empty() && static_cast<std::int64_t>(b.size()) != outputs)
    invalid(file_, what,
            "has " + std::to_string(outputs) + " outputs but a bias of " + std::to_string(b.size()) +
                "; correct the sizes or save the model again");
  const std::string name = "conv" + std::to_string(++convs_);
  const std::int64_t steps = (count - 1) * dilation;
  if (steps > kMostPastNumbers / size_)
    unsupported(file_, what,
                "looks back " + std::to_string(steps) + " steps of " + std::to_string(size_) +
                    " features; a cell keeps at most " + std::to_string(kMostPastNumbers) + " numbers of the past");
  std::string sum;
  for (std::int64_t tap = 0; tap < count; ++tap) {
    const std::int64_t first = tap * dilation * size_;
    const std::string row = tap + 1 == count ? top_
                            : steps == 1
                                ? name + "_past"
                                : name + "_past[" + std::to_string(first) + ":" + std::to_string(first + size_) + "]";
    const Matrix& matrix = taps[static_cast<std::size_t>(tap)];
    const std::string W = param(name + "_W" + std::to_string(tap),
                                depthwise ? Tensor::from_f32({size_}, matrix.values) : matrix.tensor());
    sum += (sum.empty() ? "" : " + ") + W + (depthwise ? " * " : " @ ") + row;
  }
  if (!b.empty()) sum += " + " + param(name + "_b", Tensor::from_f32({outputs}, b));
  const std::string y = let(name, sum);
  if (steps > 0) {  // the rows of the steps before lie in one state, the oldest first
    const std::string past = name + "_past", all = std::to_string(steps * size_);
    declarations_ += "  state " + past + " : f32[" + all + "]\n";
    let(past + "'",
        steps == 1 ? top_ : "concat(" + past + "[" + std::to_string(size_) + ":" + all + "], " + top_ + ")");
  }
  top_ = y;
  size_ = outputs;
}

void LayerStack::scale(const std::vector<float>& factor, const std::vector<float>& shift, const std::string& what) {
  for (const auto* values : {&factor, &shift})
    if (static_cast<std::int64_t>(values->size()) != size_)
      invalid(file_, what,
              "is for " + std::to_string(values->size()) + " features but the layer below gives " +
                  std::to_string(size_) + "; correct the sizes or save the model again");
  const std::string number = std::to_string(++lets_);
  const std::string by = param("scale" + number, Tensor::from_f32({size_}, factor));
  const std::string plus = param("shift" + number, Tensor::from_f32({size_}, shift));
  top_ = let("v" + number, by + " * " + top_ + " + " + plus);
}

void LayerStack::input_gain(float factor) {
  const std::string by = param("input_gain", Tensor::from_f32({}, {factor}));
  const std::string rest = input_size_ > 1 ? "x[1:" + std::to_string(input_size_) + "]" : "";
  input_ = top_ = let("gained", rest.empty() ? by + " * x" : "concat(" + by + " * x[0:1], " + rest + ")");
}

void LayerStack::output_gain(float factor) {
  top_ = let("amplified", param("output_gain", Tensor::from_f32({}, {factor})) + " * " + top_);
}

Imported LayerStack::build(const std::vector<std::vector<float>>& initial) const {
  const std::string input = "f32[" + std::to_string(input_size_) + "]\n";
  const std::string cell = initial.empty() ? name_ : "step";
  std::string text = "// " + comment_ + "\ncell " + cell + " {\n  input x : " + input + declarations_ + "\n" + body_ +
                     "  output " + top_ + "\n}\n";
  TensorMap weights;
  if (initial.empty()) {
    weights = weights_;
  } else {
    std::string params;
    std::vector<std::string> from;
    for (std::size_t i = 0; i < initial.size(); ++i) {
      const auto size = static_cast<std::int64_t>(initial[i].size());
      const std::string start = states_[i] + "_start";
      params += "  param " + start + " : f32[" + std::to_string(size) + "]\n";
      from.push_back(states_[i] + " = " + start);
      weights[start] = Tensor::from_f32({size}, initial[i]);
    }
    text += "\nnetwork " + name_ + " {\n  input x : seq " + input + params + "  y = step(x) from (" + join(from) +
            ")\n  output y\n}\n";
    for (const auto& [name, tensor] : weights_) weights["y." + name] = tensor;
  }
  Result<Model> model = parse(text, file_);
  if (!model) throw Refusal{model.error()};
  return {std::move(*model), std::move(weights)};
}

}  // namespace rnnc::files
