#include "import/onnx/recurrent.hpp"

#include <cmath>

#include "import/file_error.hpp"
#include "ir/print.hpp"

namespace rnnc::files {
namespace {

struct Kind {
  const char* op;
  const char* gates;                     // in the order of the rows, letters of the standard cells
  std::vector<const char*> activations;  // default
};

const Kind kKinds[] = {
    {"RNN", "", {"Tanh"}}, {"GRU", "zrn", {"Sigmoid", "Tanh"}}, {"LSTM", "iofg", {"Sigmoid", "Tanh", "Tanh"}}};

const Kind* kind_of(const std::string& op) {
  for (const Kind& kind : kKinds)
    if (op == kind.op) return &kind;
  return nullptr;
}

struct Activation {
  const char* onnx;
  const char* name;
  std::optional<float> alpha, beta;  // default
  bool takes_alpha, takes_beta, runtime_zero = false;
  bool own = false;  // of kOwnDomain
};

// The defaults are those of the ONNX operators of the same names; ScaledTanh has none. ONNX Runtime has 0 where
// `runtime_zero` is set.
const Activation kActivations[] = {
    {"Relu", "relu", {}, {}, false, false},
    {"Tanh", "tanh", {}, {}, false, false},
    {"Sigmoid", "sigmoid", {}, {}, false, false},
    {"Affine", "affine", 1.0f, 0.0f, true, true, true},
    {"LeakyRelu", "leaky_relu", 0.01f, {}, true, false},
    {"ThresholdedRelu", "thresholded_relu", 1.0f, {}, true, false, true},
    {"ScaledTanh", "scaled_tanh", {}, {}, true, true, true},
    {"HardSigmoid", "hard_sigmoid", 0.2f, 0.5f, true, true},
    {"Elu", "elu", 1.0f, {}, true, false},
    {"Softsign", "softsign", {}, {}, false, false},
    {"Softplus", "softplus", {}, {}, false, false},
    {"Exp", "exp", {}, {}, false, false, false, true},
    {"Gelu", "gelu", {}, {}, false, false, false, true},
    {"Identity", "", {}, {}, false, false, false, true},
    {"Softmax", "softmax", {}, {}, false, false, false, true},
    {"Swish", "silu", {}, {}, false, false, false, true},
};

// The name of a function, and the text behind its operand.
struct Applied {
  std::string name, more;
  std::string operator()(const std::string& operand) const { return name + "(" + operand + more + ")"; }
};

// Reads the activations. Alphas and betas are used up in the order of the activations that take one. ONNX Runtime knows
// no other order, and ignores the numbers that are left.
std::vector<Applied> activations_of(OnnxAttributes& attributes, const Kind& kind, std::size_t directions, bool runtime,
                                    bool own) {
  std::vector<std::string> names;
  for (std::size_t d = 0; d < directions; ++d)
    names.insert(names.end(), kind.activations.begin(), kind.activations.end());
  if (const auto given = attributes.texts("activations")) {
    if (given->size() != names.size())
      attributes.invalid("has " + std::to_string(given->size()) + " activations, not " + std::to_string(names.size()));
    names = *given;
  }
  const auto alphas = attributes.reals("activation_alpha").value_or(std::vector<float>());
  const auto betas = attributes.reals("activation_beta").value_or(std::vector<float>());
  // Some writers give a number for each activation, also for those that take none.
  const auto takers = [&](bool Activation::*takes) {
    return std::ranges::count_if(names, [&](const std::string& name) {
      return std::ranges::any_of(kActivations, [&](const Activation& a) { return name == a.onnx && a.*takes; });
    });
  };
  const auto all = static_cast<std::ptrdiff_t>(names.size());
  const bool each_alpha = !runtime && std::ssize(alphas) == all && takers(&Activation::takes_alpha) < all;
  const bool each_beta = !runtime && std::ssize(betas) == all && takers(&Activation::takes_beta) < all;
  std::size_t next_alpha = 0, next_beta = 0;
  std::vector<Applied> result;
  const auto take = [&](const std::vector<float>& values, std::size_t& next, std::optional<float> standard,
                        const std::string& what) {
    const std::optional<float> value = next < values.size() ? values[next++] : standard;
    if (!value || !std::isfinite(*value)) attributes.invalid("activation " + what + " is missing, or no finite number");
    return ", " + ir::number_text(*value);
  };
  for (const std::string& name : names) {
    const Activation* found = nullptr;
    for (const Activation& activation : kActivations)
      if (name == activation.onnx && (own || !activation.own)) found = &activation;
    if (found == nullptr) attributes.unsupported("activation " + in_quotes(name) + " is not one of ONNX's eleven");
    Applied applied{found->name, ""};
    if (each_alpha) next_alpha = result.size();
    if (each_beta) next_beta = result.size();
    const bool zero = runtime && found->runtime_zero;
    const auto standard = [&](std::optional<float> by_text) { return zero ? std::optional(0.0f) : by_text; };
    if (found->takes_alpha) applied.more += take(alphas, next_alpha, standard(found->alpha), name + "'s alpha");
    if (found->takes_beta) applied.more += take(betas, next_beta, standard(found->beta), name + "'s beta");
    result.push_back(std::move(applied));
  }
  if (runtime) return result;
  if (!each_alpha && next_alpha < alphas.size())
    attributes.invalid("activation_alpha has more values than activations take");
  if (!each_beta && next_beta < betas.size())
    attributes.invalid("activation_beta has more values than activations take");
  return result;
}

Tensor sum_of(const Tensor& a, const Tensor& b) {
  std::vector<float> sum = a.to_f32();
  const std::vector<float> other = b.to_f32();
  for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += other[k];
  return Tensor::from_f32(a.shape, sum);
}

std::string clipped(const std::string& operand, std::optional<float> bound) {
  if (!bound) return operand;
  return "clip(" + operand + ", -" + ir::number_text(*bound) + ", " + ir::number_text(*bound) + ")";
}

class RecurrentReader {
 public:
  RecurrentReader(const OnnxNode& node, OnnxConstants& constants, std::int64_t opset, std::string_view file,
                  OnnxLike like)
      : attributes_(node, file),
        constants_(constants),
        opset_(opset),
        runtime_(like == OnnxLike::OnnxRuntime),
        kind_(*kind_of(node.op)) {}

  OnnxRecurrent read();

 private:
  std::vector<bool> read_directions();
  void read_sizes(std::size_t directions);
  std::optional<float> bound(const std::string& name);
  const TensorView* weights(std::size_t input, const std::string& name, const Shape& shape);
  OnnxDirection direction(std::size_t d);
  std::string act(std::size_t which, const std::string& operand) const;
  std::string sum(const OnnxDirection& of, const std::string& gate, const std::string& more = "") const;
  std::string equations(const OnnxDirection& of) const;
  std::string standard(TensorMap& weights) const;
  std::string next(const std::string& state) const { return result_.masked ? state + "_new" : state + "'"; }
  std::string advance(const std::string& state, const std::string& value) const;
  std::int64_t gates() const {
    return kind_.gates[0] == 0 ? 1 : static_cast<std::int64_t>(std::string(kind_.gates).size());
  }
  bool is(const char* op) const { return attributes_.node().op == op; }
  bool is_own() const { return attributes_.node().domain == kOwnDomain; }

  OnnxAttributes attributes_;
  OnnxConstants& constants_;
  std::int64_t opset_;
  bool runtime_;  // like ONNX Runtime
  const Kind& kind_;
  OnnxRecurrent result_;
  std::vector<Applied> activations_;  // of all directions
  std::size_t now_ = 0;               // the direction that is written
  std::optional<float> clip_, cell_clip_, output_clip_;
  std::string coupled_;  // the gate that is 1 less the other one
  bool reset_after_ = false, zero_output_ = false;
  const TensorView *W_ = nullptr, *R_ = nullptr, *B_ = nullptr, *P_ = nullptr;
  const TensorView *projection_ = nullptr, *projection_bias_ = nullptr, *norms_ = nullptr;  // of kOwnDomain
};

std::vector<bool> RecurrentReader::read_directions() {
  const std::string direction = attributes_.text("direction").value_or("forward");
  if (direction == "forward") return {false};
  if (direction == "reverse") return {true};
  if (direction == "bidirectional") return {false, true};
  attributes_.unsupported("direction " + in_quotes(direction) + " is not forward, reverse or bidirectional");
}

// Returns a bound; nothing where there is none, or an infinite one.
std::optional<float> RecurrentReader::bound(const std::string& name) {
  const std::optional<float> value = attributes_.real(name);
  if (value && !(*value > 0)) attributes_.invalid(name + " must be above 0");
  return value && std::isfinite(*value) ? value : std::nullopt;
}

const TensorView* RecurrentReader::weights(std::size_t input, const std::string& name, const Shape& shape) {
  const std::string from = attributes_.node().input(input);
  if (from.empty()) return nullptr;
  const TensorView* tensor = constants_.find(from);
  if (tensor == nullptr)
    attributes_.unsupported(name + " comes from " + in_quotes(from) +
                            ", which is not known before the model runs; give a graph input as --state NAME=file");
  if (!is_real(tensor->type))
    attributes_.invalid(name + " must be of floats but is " + std::string(rnnc::name(tensor->type)));
  if (!shape.empty() && tensor->shape != shape)
    attributes_.invalid("shape mismatch: " + name + " must be " + to_string(shape) + " but is " +
                        to_string(tensor->shape));
  return tensor;
}

void RecurrentReader::read_sizes(std::size_t directions) {
  const auto D = static_cast<std::int64_t>(directions);
  R_ = weights(2, "R", {});
  if (R_ == nullptr) attributes_.invalid("R is missing");
  if (R_->shape.size() != 3) attributes_.invalid("shape mismatch: R must be [D,G*H,H] but is " + to_string(R_->shape));
  const std::int64_t H = attributes_.integer("hidden_size").value_or(R_->shape[2]);
  if (H < 1) attributes_.invalid("hidden_size must be at least 1, not " + std::to_string(H));
  result_.output_size = H;
  if (is_own() && is("LSTM")) {
    projection_ = weights(8, "the projection", {});
    if (projection_) {
      const Shape& shape = projection_->shape;
      if (shape.size() != 3 || shape[0] != D || shape[1] < 1 || shape[2] != H)
        attributes_.invalid("shape mismatch: the projection must be [" + std::to_string(D) + ",outputs," +
                            std::to_string(H) + "] but is " + to_string(shape));
      result_.output_size = shape[1];
    }
    projection_bias_ = weights(9, "the bias of the projection", {D, result_.output_size});
    norms_ = weights(10, "the factors of its gates", {D, gates() * H});
    if (norms_ && attributes_.node().input(3).empty()) attributes_.invalid("normalises its gates and has no B");
  }
  if (result_.output_size != R_->shape[2] || R_->shape[0] != D || R_->shape[1] != gates() * H)
    attributes_.invalid("shape mismatch: with hidden_size " + std::to_string(H) + ", R must be " +
                        to_string({D, gates() * R_->shape[2], R_->shape[2]}) + " with " + std::to_string(H) +
                        " columns but is " + to_string(R_->shape));
  W_ = weights(1, "W", {});
  if (W_ == nullptr) attributes_.invalid("W is missing");
  if (W_->shape.size() != 3 || W_->shape[2] < 1 || W_->shape[0] != D || W_->shape[1] != gates() * H)
    attributes_.invalid("shape mismatch: W must be [" + std::to_string(D) + "," + std::to_string(gates() * H) +
                        ",I] but is " + to_string(W_->shape));
  B_ = weights(3, "B", {D, 2 * gates() * H});
  if (is("LSTM")) P_ = weights(7, "P", {D, 3 * H});
  result_.input_size = W_->shape[2];
  result_.hidden_size = H;
}

std::string RecurrentReader::act(std::size_t which, const std::string& operand) const {
  // ONNX Runtime clips the inputs of an LSTM's gates, but not that of the activation of the cell state.
  const bool clips = clip_ && !(runtime_ && is("LSTM") && which == 2);
  return activations_[now_ * kind_.activations.size() + which](clips ? clipped(operand, clip_) : operand);
}

std::string RecurrentReader::sum(const OnnxDirection& of, const std::string& gate, const std::string& more) const {
  const std::string products = "W" + gate + " @ x + U" + gate + " @ h";
  if (norms_) return "layer_norm(" + products + more + ", N" + gate + ", b" + gate + ", 1e-8)";
  return products + (of.weights.contains("b" + gate) ? " + b" + gate : "") + more;
}

// Writes the statements that give a state its next value, which a masked step does not take.
std::string RecurrentReader::advance(const std::string& state, const std::string& value) const {
  const std::string text = "  " + next(state) + " = " + value + "\n";
  if (!result_.masked) return text;
  return text + "  " + state + "' = select(mask > 0, " + next(state) + ", " + state + ")\n";
}

std::string RecurrentReader::equations(const OnnxDirection& of) const {
  const bool biased = B_ != nullptr, peeps = P_ != nullptr;
  if (is("RNN")) return advance("h", act(0, sum(of, "")));
  if (is("GRU")) {
    const std::string inner = std::string("Un @ h") + (biased ? " + bun" : "");
    const bool has_inner = of.weights.contains("bun");
    const std::string rest =
        reset_after_ ? "r * (" + inner + ")" : "Un @ (r * h)" + std::string(has_inner ? " + bun" : "");
    return "  z = " + act(0, sum(of, "z")) + "\n  r = " + act(0, sum(of, "r")) +
           "\n  n = " + act(1, "Wn @ x + " + rest + (biased ? " + bn" : "")) + "\n" +
           advance("h", "(1 - z) * n + z * h");
  }
  const auto peep = [&](const char* term) { return peeps ? std::string(" + ") + term : std::string(); };
  const std::string i = "  i = " + (coupled_ == "i" ? "1 - f" : act(0, sum(of, "i", peep("Pi * c")))) + "\n";
  const std::string f = "  f = " + (coupled_ == "f" ? "1 - i" : act(0, sum(of, "f", peep("Pf * c")))) + "\n";
  std::string text = coupled_ == "i" ? f + i : i + f;
  const std::string c = next("c");
  text += "  g = " + act(1, sum(of, "g")) + "\n" + advance("c", clipped("f * c + i * g", cell_clip_));
  text += "  o = " + act(0, sum(of, "o", peeps ? " + Po * " + c : "")) + "\n";
  const std::string h = "o * " + act(2, c);
  if (!projection_) return text + advance("h", h);
  return text + advance("h", clipped("R @ (" + h + ")" + (projection_bias_ ? " + r" : ""), output_clip_));
}

// Returns the standard cell that the direction is, "" if it is none; removes a weight of zeros that it does not have.
std::string RecurrentReader::standard(TensorMap& weights) const {
  if (!B_ || P_ || projection_ || norms_ || result_.masked || clip_ || cell_clip_ || !coupled_.empty()) return "";
  const auto own = activations_.begin() + static_cast<std::ptrdiff_t>(now_ * kind_.activations.size());
  std::string names;
  for (auto each = own; each != own + std::ssize(kind_.activations); ++each)
    names += (names.empty() ? "" : " ") + each->name + each->more;
  if (is("LSTM")) return names == "sigmoid tanh tanh" ? "lstm" : "";
  if (is("RNN")) return names == "tanh" ? "rnn" : names == "relu" || names == "sigmoid" ? "rnn_" + names : "";
  if (names != "sigmoid tanh") return "";
  if (reset_after_) return "gru";
  const std::vector<float> bias = weights.at("bun").to_f32();
  if (std::ranges::any_of(bias, [](float b) { return b != 0; })) return "";
  weights.erase("bun");
  return "gru_cho";
}

OnnxDirection RecurrentReader::direction(std::size_t d) {
  now_ = d;
  OnnxDirection result;
  const std::int64_t H = result_.hidden_size, P = result_.output_size;
  const std::int64_t G = gates(), at = static_cast<std::int64_t>(d);
  const std::int64_t I = result_.input_size;
  TensorMap& weights = result.weights;
  for (std::int64_t g = 0; g < G; ++g) {
    const std::string gate = kind_.gates[0] == 0 ? "" : std::string(1, kind_.gates[g]);
    if (!gate.empty() && gate == coupled_) continue;  // nothing reads its rows then
    weights["W" + gate] = W_->part({H, I}, (at * G + g) * H * I);
    weights["U" + gate] = R_->part({H, P}, (at * G + g) * H * P);
    if (norms_) weights["N" + gate] = norms_->part({H}, (at * G + g) * H);
    if (!B_) continue;
    const Tensor b = B_->part({H}, (2 * at * G + g) * H), bu = B_->part({H}, ((2 * at + 1) * G + g) * H);
    weights["b" + gate] = gate == "n" ? b : sum_of(b, bu);
    if (gate == "n") weights["bun"] = bu;
  }
  if (P_) {
    if (coupled_ != "i") weights["Pi"] = P_->part({H}, 3 * at * H);
    weights["Po"] = P_->part({H}, (3 * at + 1) * H);
    if (coupled_ != "f") weights["Pf"] = P_->part({H}, (3 * at + 2) * H);
  }
  if (projection_) weights["R"] = projection_->part({P, H}, at * P * H);
  if (projection_bias_) weights["r"] = projection_bias_->part({P}, at * P);
  result.standard = standard(weights);
  std::string& text = result.cell_body;
  text = " {\n  input x : f32[" + std::to_string(result_.input_size) + "]\n";
  if (result_.masked) text += "  input mask : f32\n";
  for (std::size_t s = 0; s < result_.states.size(); ++s)
    text += "  state " + result_.states[s] + " : f32[" + std::to_string(result_.size(s)) + "]\n";
  for (const auto& [name, tensor] : result.weights) {
    text += "  param " + name + " : f32[" + std::to_string(tensor.shape[0]);
    text += (tensor.shape.size() == 2 ? ", " + std::to_string(tensor.shape[1]) : "") + "]\n";
  }
  result.equations = equations(result);
  const bool gives_zeros = result_.masked && zero_output_;
  text += "\n" + result.equations + "  output " + (gives_zeros ? "select(mask > 0, h_new, 0)" : "h'") + "\n}\n";
  return result;
}

OnnxRecurrent RecurrentReader::read() {
  const std::size_t most_inputs = is_own() ? kMask + 1 : is("LSTM") ? 8 : 6, most_outputs = is("LSTM") ? 3 : 2;
  if (attributes_.node().inputs.size() > most_inputs || attributes_.node().outputs.size() > most_outputs)
    attributes_.invalid("has more inputs or outputs than the operator takes");
  for (std::size_t i = 6; i < std::min(kMask, attributes_.node().inputs.size()); ++i)
    if (!is("LSTM") && !attributes_.node().input(i).empty())
      attributes_.invalid("has an input that an LSTM alone takes");
  const std::vector<bool> reverse = read_directions();
  const std::int64_t layout = attributes_.integer("layout").value_or(0);
  if (layout != 0 && layout != 1) attributes_.invalid("layout must be 0 or 1, not " + std::to_string(layout));
  result_.batch_first = layout == 1;
  result_.states = is("LSTM") ? std::vector<std::string>{"h", "c"} : std::vector<std::string>{"h"};
  clip_ = bound("clip");
  if (is("LSTM") && attributes_.integer("input_forget").value_or(0) != 0) coupled_ = "f";
  if (is_own()) {
    result_.masked = !attributes_.node().input(kMask).empty();
    zero_output_ = attributes_.integer("zero_output").value_or(0) != 0;
  }
  if (is_own() && is("LSTM")) {
    if (attributes_.integer("forget_input").value_or(0) != 0) coupled_ = "i";
    cell_clip_ = bound("cell_clip");
    output_clip_ = bound("output_clip");
  }
  if (is("GRU")) reset_after_ = attributes_.integer("linear_before_reset").value_or(0) != 0;
  // The names of the outputs tell which ones there are; the attribute of opset 1 repeats it.
  if (opset_ < 7) static_cast<void>(attributes_.integer("output_sequence"));
  activations_ = activations_of(attributes_, kind_, reverse.size(), runtime_, is_own());
  read_sizes(reverse.size());
  attributes_.finish();
  for (std::size_t d = 0; d < reverse.size(); ++d) {
    result_.directions.push_back(direction(d));
    result_.directions.back().reverse = reverse[d];
  }
  return std::move(result_);
}

}  // namespace

bool is_quantized_lstm(const OnnxNode& node) {
  return node.domain == "com.microsoft" && node.op == "DynamicQuantizeLSTM";
}

bool is_recurrent(const OnnxNode& node) {
  const bool is_known = node.domain.empty() || node.domain == kOwnDomain;
  return is_quantized_lstm(node) || (is_known && kind_of(node.op) != nullptr);
}

OnnxRecurrent read_recurrent(const OnnxNode& node, OnnxConstants& constants, std::int64_t opset, std::string_view file,
                             OnnxLike like) {
  return RecurrentReader(node, constants, opset, file, like).read();
}

}  // namespace rnnc::files
