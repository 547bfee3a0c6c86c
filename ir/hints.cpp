#include "ir/hints.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace rnnc::ir {

namespace {

struct Hint {
  std::string_view name, hint;
};

// The names are those of NumPy, PyTorch, Keras and C.
constexpr std::array kFunctionHints = {
    Hint{"where", "; write select(a > b, x, y)"},
    Hint{"if", "; write select(a > b, x, y)"},
    Hint{"pow", kPowerHint},
    Hint{"power", kPowerHint},
    Hint{"square", "; write x * x"},
    Hint{"dot", "; write W @ x for a matrix and a vector, sum(a * b) for two vectors"},
    Hint{"matmul", "; write W @ x"},
    Hint{"mm", "; write W @ x"},
    Hint{"linear", "; write W @ x + b"},
    Hint{"dense", "; write W @ x + b"},
    Hint{"transpose", kTransposeHint},
    Hint{"swish", "; it is silu(x)"},
    Hint{"logistic", "; it is sigmoid(x)"},
    Hint{"expit", "; it is sigmoid(x)"},
    Hint{"mish", "; write x * tanh(softplus(x))"},
    Hint{"relu6", "; write clip(x, 0, 6)"},
    Hint{"hardtanh", "; write clip(x, -1, 1)"},
    Hint{"clamp", "; it is clip(x, low, high)"},
    Hint{"maximum", "; it is max(a, b)"},
    Hint{"minimum", "; it is min(a, b)"},
    Hint{"cat", "; it is concat(a, b)"},
    Hint{"concatenate", "; it is concat(a, b)"},
    Hint{"stack", "; concat(a, b) joins vectors, and rows(v, p) makes p rows of a vector"},
    Hint{"reshape", "; rows(v, p) makes p rows of a vector, and flatten(X) a vector of rows"},
    Hint{"zeros", "; write fill(0, n)"},
    Hint{"ones", "; write fill(1, n)"},
    Hint{"dropout", "; it does nothing where a model is run, so leave it out"},
    Hint{"sin", "; there are no sine and cosine: give such a value as an input or a parameter"},
    Hint{"cos", "; there are no sine and cosine: give such a value as an input or a parameter"},
};

}  // namespace

std::string hint_for_character(char c) {
  if (c == '#') return "; a comment begins with //";
  if (c == ';') return "; nothing stands between statements: leave it out";
  return c == '^' ? std::string(kPowerHint) : "";
}

std::string hint_for_function(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* found = std::ranges::find(kFunctionHints, lower, &Hint::name);
  return found == kFunctionHints.end() ? "" : std::string(found->hint);
}

}  // namespace rnnc::ir
