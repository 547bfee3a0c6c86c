// The operator Einsum becomes sums, a product with a constant matrix, or a product element by element whose result is
// summed. A diagonal (a letter twice in one operand) and an ellipsis are refused.
#include <algorithm>
#include <map>

#include "import/file_error.hpp"
#include "import/onnx/glue.hpp"

namespace rnnc::files {
namespace {

bool has(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

struct Equation {
  std::vector<std::string> inputs = {""};
  std::string output;
  std::string shown;  // for messages
};

// Without an arrow the output has the letters that stand once, in the order of their codes.
std::string implied_output(std::string letters) {
  std::ranges::sort(letters);
  std::string once;
  for (const char letter : letters)
    if (letter != ',' && std::ranges::count(letters, letter) == 1) once += letter;
  return once;
}

Equation parse_equation(const OnnxAttributes& attributes, const std::string& given) {
  Equation result;
  result.shown = "equation " + in_quotes(given);
  std::string text = given;
  std::erase(text, ' ');
  if (text.find("...") != std::string::npos)
    attributes.unsupported(result.shown + " has an ellipsis; write a letter for each dimension instead");
  const std::size_t arrow = text.find("->");
  const std::string operands = text.substr(0, arrow);
  for (const char c : operands) {
    if (c == ',')
      result.inputs.emplace_back();
    else
      result.inputs.back() += c;
  }
  result.output = arrow == std::string::npos ? implied_output(operands) : text.substr(arrow + 2);
  for (const char c : operands + result.output)
    if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != ',')
      attributes.invalid(result.shown + " has " + in_quotes(std::string(1, c)) + " where a letter must stand");
  for (const std::string& letters : result.inputs)
    for (const char letter : letters)
      if (std::ranges::count(letters, letter) > 1)
        attributes.unsupported(result.shown + " takes a diagonal: " + in_quotes(std::string(1, letter)) +
                               " stands twice in one operand; take the diagonal before, by Gather or a constant mask");
  for (const char letter : result.output)
    if (std::ranges::count(result.output, letter) > 1 || !has(operands, letter) || letter == ',')
      attributes.invalid(result.shown + " has " + in_quotes(std::string(1, letter)) +
                         " in its output, which must be a letter of an operand and stand there once");
  return result;
}

std::int64_t size_of(const std::string& letters, const std::map<char, Axis>& dims) {
  std::int64_t size = 1;
  for (const char letter : letters) size *= dims.at(letter).fixed();
  return size;
}

// Returns how far apart the elements of a tensor stand along each of `letters`, of which it lacks some: 0.
std::vector<std::int64_t> strides_along(const std::string& letters, const std::string& own,
                                        const std::map<char, Axis>& dims) {
  std::vector<std::int64_t> strides;
  for (const char letter : letters) {
    const std::size_t at = own.find(letter);
    strides.push_back(at == std::string::npos ? 0 : size_of(own.substr(at + 1), dims));
  }
  return strides;
}

// Returns the place of each combination of `letters`, in row-major order, in a tensor of the letters `own`.
std::vector<std::int64_t> places_along(const std::string& letters, const std::string& own,
                                       const std::map<char, Axis>& dims) {
  const std::vector<std::int64_t> strides = strides_along(letters, own, dims);
  std::vector<std::int64_t> places = {0};
  for (std::size_t d = 0; d < letters.size(); ++d) {
    std::vector<std::int64_t> next;
    for (const std::int64_t place : places)
      for (std::int64_t k = 0; k < dims.at(letters[d]).fixed(); ++k) next.push_back(place + k * strides[d]);
    places = std::move(next);
  }
  return places;
}

}  // namespace

// Brings a value's dims in the order of `to`, with dims of 1 for letters that the value lacks.
OnnxValue Glue::arranged(const OnnxValue& value, const std::string& own, const std::string& to) {
  std::map<char, Axis> dims;
  Axes axes;
  for (std::size_t d = 0; d < own.size(); ++d) dims[own[d]] = value.axes[d];
  for (const char letter : to) axes.push_back(has(own, letter) ? dims.at(letter) : Axis{});
  const std::vector<std::int64_t> strides = strides_along(to, own, dims);
  return taken(value, std::move(axes), [&](std::span<const std::int64_t> index) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * strides[d];
    return at;
  });
}

// Multiplies a value with a constant: for each place of the value's other letters a row of features with a matrix,
// which is another one for each place of the letters that both have and the output keeps.
OnnxValue Glue::contracted(const OnnxValue& value, const std::string& own, const TensorView& W,
                           const std::string& letters, const std::string& output, const std::string& key) {
  std::map<char, Axis> dims;
  for (std::size_t d = 0; d < own.size(); ++d) dims[own[d]] = value.axes[d];
  for (std::size_t d = 0; d < letters.size(); ++d) dims[letters[d]] = Axis::of(W.shape[d]);
  std::string outer, inner, made, summed;
  for (const char letter : own) (has(output, letter) ? outer : inner) += letter;
  for (const char letter : letters)
    if (!has(own, letter)) (has(output, letter) ? made : summed) += letter;
  const std::int64_t K = size_of(inner, dims), N = size_of(made, dims);
  const OnnxValue x = arranged(value, own, outer + inner);
  OnnxValue result = x;
  result.axes.resize(outer.size());
  for (const char letter : made) result.axes.push_back(dims.at(letter));
  if (fixed(result.axes) > kMostElements) attributes_.too_large("makes a value of more than a million elements");
  result.elements.clear();
  std::vector<float> all;
  for (const std::int64_t at : places_along(outer, letters, dims)) {
    const auto values = [&, at] {
      if (all.empty()) all = W.to_f32();
      std::vector<float> matrix;
      for (const std::int64_t n : places_along(made, letters, dims))
        for (const std::int64_t k : places_along(inner, letters, dims)) {
          double sum = 0;
          for (const std::int64_t s : places_along(summed, letters, dims))
            sum += static_cast<double>(all[static_cast<std::size_t>(at + n + k + s)]);
          matrix.push_back(static_cast<float>(sum));
        }
      return matrix;
    };
    const std::size_t begin = result.elements.size() / static_cast<std::size_t>(N) * static_cast<std::size_t>(K);
    const Elements row = product(std::span(x.elements).subspan(begin, static_cast<std::size_t>(K)),
                                 Kernel{key + " " + std::to_string(at), N, K, values, {}});
    result.elements.insert(result.elements.end(), row.begin(), row.end());
  }
  return arranged(result, outer + made, output);
}

// Returns the size of each letter; operands must agree on it.
std::map<char, Axis> Glue::dims_of(const std::vector<std::string>& inputs, const std::string& shown) {
  std::map<char, Axis> dims;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& letters = inputs[i];
    Axes axes;
    if (depends(i)) {
      if (value(i).integer) attributes_.unsupported("multiplies whole numbers; put a Cast to float before it");
      axes = value(i).axes;
    } else {
      for (const std::int64_t dim : constant(i).shape) axes.push_back(Axis::of(dim));
    }
    if (axes.size() != letters.size())
      attributes_.invalid("shape mismatch: " + shown + " has " + in_quotes(letters) + " for an operand of " +
                          to_string(axes));
    for (std::size_t d = 0; d < letters.size(); ++d)
      if (const auto [at, added] = dims.emplace(letters[d], axes[d]); !added && at->second != axes[d])
        attributes_.unsupported("shape mismatch: " + shown + " has " + in_quotes(letters.substr(d, 1)) +
                                " for dimensions " + to_string(Axes{at->second}) + " and " + to_string(Axes{axes[d]}));
  }
  return dims;
}

// Multiplies two operands element by element, with the output's letters first, and sums over the `shared` ones.
OnnxValue Glue::multiplied(std::span<const OnnxValue> operands, std::span<const std::string> own,
                           const std::string& output, const std::string& shared) {
  const std::string all = output + shared;
  const OnnxValue product = each({arranged(operands[0], own[0], all), arranged(operands[1], own[1], all)},
                                 [](const std::vector<std::string>& v) { return v[0] + " * " + v[1]; });
  std::set<std::size_t> gone;
  for (std::size_t d = output.size(); d < all.size(); ++d) gone.insert(d);
  return without(summed(product, gone, "sum"), gone);
}

OnnxValue Glue::einsum() {
  const auto given = attributes_.text("equation");
  if (!given) attributes_.invalid("attribute equation is missing");
  const Equation equation = parse_equation(attributes_, *given);
  const std::size_t count = node_.inputs.size();
  if (equation.inputs.size() != count)
    attributes_.invalid(equation.shown + " is of " + std::to_string(equation.inputs.size()) + " operands, but there " +
                        (count == 1 ? "is 1" : "are " + std::to_string(count)));
  if (count > 2) attributes_.unsupported("multiplies more than two operands; write several Einsum of two");
  if (!depends(0) && (count == 1 || !depends(1)))
    attributes_.unsupported("none of its operands depends on the model's input; make its output a constant");
  const std::map<char, Axis> dims = dims_of(equation.inputs, equation.shown);
  // Letters of one operand alone that the output lacks are summed before anything is multiplied; contracted() sums
  // those of a constant.
  std::vector<OnnxValue> operands(count);
  std::vector<std::string> own = equation.inputs;
  std::string shared;
  bool sums_constant = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string other = count == 2 ? equation.inputs[1 - i] : "";
    std::set<std::size_t> gone;
    for (std::size_t d = 0; d < own[i].size(); ++d) {
      if (has(equation.output, own[i][d])) continue;
      if (!has(other, own[i][d]))
        gone.insert(d);
      else if (i == 0)
        shared += own[i][d];
    }
    sums_constant |= !depends(i) && !gone.empty();
    if (!depends(i)) continue;
    operands[i] = without(summed(value(i), gone, "sum"), gone);
    for (auto d = gone.rbegin(); d != gone.rend(); ++d) own[i].erase(*d, 1);
  }
  if (count == 1) return arranged(operands[0], own[0], equation.output);
  const std::size_t fixed_one = depends(0) ? 1 : 0;
  if (!depends(fixed_one)) {
    if (sums_constant || !shared.empty())
      return contracted(operands[1 - fixed_one], own[1 - fixed_one], constant(fixed_one), own[fixed_one],
                        equation.output, node_.input(fixed_one) + " by " + equation.shown + " at");
    operands[fixed_one] = operand(fixed_one);
  }
  const std::string all = equation.output + shared;
  for (const char symbol : {'T', 'B'})
    if (std::ranges::count_if(all, [&](char letter) { return dims.at(letter).has(symbol); }) > 1)
      attributes_.unsupported(equation.shown + " relates each step or sequence with every other");
  return multiplied(operands, own, equation.output, shared);
}

}  // namespace rnnc::files
