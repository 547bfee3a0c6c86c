#include "compiler/gradient/print_gradient.hpp"

#include "ir/print.hpp"

namespace rnnc::compiler {
namespace {

std::string bounds(std::int64_t begin, std::int64_t end) { return std::to_string(begin) + ":" + std::to_string(end); }

std::string text_of(const Factor& factor) {
  const std::string name = factor.of == Factor::Of::Cotangent ? "the cotangent of " + factor.name : factor.name;
  return name + "[" + bounds(factor.begin, factor.begin + factor.width) + "]";
}

std::string text_of(const WeightTerm& term) {
  const Window& window = term.window;
  std::string text = "d_" + term.weight + "[" + bounds(window.row, window.row + window.rows);
  if (window.columns > 1 || term.kind != Term::Kind::Sum)
    text += ", " + bounds(window.column, window.column + window.columns);
  text += "] is a sum of " + text_of(term.left);
  switch (term.kind) {
    case Term::Kind::Sum: return text;
    case Term::Kind::Product:
      return text + " times " + text_of(term.right) + " transposed" +
             (term.count > 1 ? ", of " + std::to_string(term.count) + " rows a step" : "");
    case Term::Kind::LookedUp: return text + " in the row that " + text_of(term.right) + " names";
  }
  return text;
}

std::string facts_of(const NetworkGradient& gradient) {
  std::int64_t floats = 0;
  for (const ir::NamedValue& output : gradient.forward.outputs())
    if (output.name.starts_with("saved_")) floats += ir::elements(gradient.forward[output.value].type);
  std::string text = "// The forward pass saves " + std::to_string(floats) + " floats a step and sequence.\n";
  for (const auto& [name, of] : gradient.transposed) text += "// " + name + " is " + of + " transposed.\n";
  for (const auto& [state, d_state] : gradient.states)
    text += "// " + d_state + " is the gradient of state " + gradient.names.at(state) + ".\n";
  for (const WeightTerm& term : gradient.terms) text += "// " + text_of(term) + ".\n";
  return text;
}

}  // namespace

std::string print(const NetworkGradient& gradient) {
  return "// the forward pass\n\n" + ir::print(module_of(gradient.forward)) + "\n// the backward pass\n\n" +
         ir::print(module_of(gradient.backward)) + "\n" + facts_of(gradient);
}

}  // namespace rnnc::compiler
