// Truth values: 1 or 0.
#include <algorithm>

#include "import/onnx/glue.hpp"

namespace rnnc::files {

// The language compares by > and < alone. Where neither holds, two numbers are equal, or one of them is a NaN, and then
// so is their sum, which neither bound below finds.
OnnxValue Glue::compare() {
  if (node_.inputs.size() != 2) attributes_.invalid("takes two inputs, not " + std::to_string(node_.inputs.size()));
  const OnnxValue a = operand(0), b = operand(1);
  const bool or_equal = is("GreaterOrEqual") || is("LessOrEqual"), whole = a.integer && b.integer;
  OnnxValue result = each({a, b}, [&](const std::vector<std::string>& v) {
    const std::string less = v[0] + " < " + v[1], greater = v[0] + " > " + v[1],
                      sum = "abs(" + v[0] + " + " + v[1] + ")";
    if (is("Greater") || is("Less")) return "select(" + (is("Greater") ? greater : less) + ", 1, 0)";
    const std::string same = whole ? "1" : "select(" + sum + " < 2, 1, select(" + sum + " > 1, 1, 0))";
    const std::string if_less = or_equal && is("LessOrEqual") ? "1" : "0";
    const std::string if_greater = or_equal && is("GreaterOrEqual") ? "1" : "0";
    return "select(" + less + ", " + if_less + ", select(" + greater + ", " + if_greater + ", " + same + "))";
  });
  result.integer = true;
  return result;
}

OnnxValue Glue::logic() {
  if (is("Not")) return each({value(0)}, [](const std::vector<std::string>& v) { return "1 - " + v[0]; });
  return each({operand(0), operand(1)}, [&](const std::vector<std::string>& v) {
    if (is("Xor")) return "abs(" + v[0] + " - " + v[1] + ")";
    return is("And") ? v[0] + " * " + v[1] : "max(" + v[0] + ", " + v[1] + ")";
  });
}

OnnxValue Glue::where() {
  if (node_.inputs.size() != 3) attributes_.invalid("takes three inputs, not " + std::to_string(node_.inputs.size()));
  const OnnxValue condition = operand(0), x = operand(1), y = operand(2);
  if (std::ranges::all_of(condition.elements, &Element::is_constant)) {
    auto axes = broadcast(condition.axes, x.axes);
    if (axes) axes = broadcast(*axes, y.axes);
    if (!axes) attributes_.unsupported("its inputs differ in shape");
    if (fixed(*axes) > kMostElements) attributes_.too_large("makes a value of more than a million elements");
    if (x.turned != y.turned) attributes_.unsupported("joins a sequence with one whose steps are turned round");
    OnnxValue result{*axes, {}, x.integer && y.integer, x.turned};
    const auto c = spread(condition.axes, *axes), a = spread(x.axes, *axes), b = spread(y.axes, *axes);
    for (std::size_t i = 0; i < c.size(); ++i) {
      const bool first = condition.elements[static_cast<std::size_t>(c[i])].constant() != 0;
      result.elements.push_back(first ? x.elements[static_cast<std::size_t>(a[i])]
                                      : y.elements[static_cast<std::size_t>(b[i])]);
    }
    return result;
  }
  return each({condition, x, y}, [](const std::vector<std::string>& v) {
    return "select(" + v[0] + " > 0.5, " + v[1] + ", " + v[2] + ")";
  });
}

}  // namespace rnnc::files
