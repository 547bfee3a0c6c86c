#include "import/onnx/counts.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace rnnc::files {
namespace {

constexpr std::size_t kMostNumbers = 4096;  // numbers in a tensor that is followed
constexpr const char* kTooMany = "makes a list of more than 4096 sizes";

Counts list(std::vector<Count> numbers) {
  const auto size = static_cast<std::int64_t>(numbers.size());
  return {{size}, std::move(numbers)};
}

std::int64_t number(const OnnxAttributes& attributes, const Count& count, const char* what) {
  const auto value = count.number();
  if (!value) attributes.unsupported(std::string(what) + " depends on the length of the sequences or the batch");
  return *value;
}

// Returns whether two numbers are equal; nullopt if that depends on T and B. A size is no negative number.
std::optional<bool> equal(const Count& a, const Count& b) {
  if (a == b) return true;
  const auto x = a.number(), y = b.number();
  if (x && y) return *x == *y;
  const auto term = (x ? b : a).term();
  const std::int64_t other = x ? *x : y ? *y : 0;
  if ((x || y) && term && term->factor > 0 && other < 0) return false;
  return std::nullopt;
}

Counts pairwise(OnnxAttributes& attributes, const std::vector<Counts>& inputs) {
  const std::string& op = attributes.node().op;
  if (inputs.size() != 2) attributes.invalid("takes two inputs, not " + std::to_string(inputs.size()));
  const Counts &a = inputs[0], &b = inputs[1];
  if (a.shape != b.shape && a.numbers.size() != 1 && b.numbers.size() != 1)
    attributes.unsupported("its inputs are lists of sizes of different lengths");
  Counts result{a.numbers.size() >= b.numbers.size() && a.shape.size() >= b.shape.size() ? a.shape : b.shape, {}};
  for (std::size_t i = 0; i < std::max(a.numbers.size(), b.numbers.size()); ++i) {
    const Count &x = a.numbers[a.numbers.size() == 1 ? 0 : i], &y = b.numbers[b.numbers.size() == 1 ? 0 : i];
    if (op == "Add") {
      result.numbers.push_back(x + y);
    } else if (op == "Sub") {
      result.numbers.push_back(x - y);
    } else if (op == "Mul") {
      result.numbers.push_back(x * y);
    } else if (op == "Div") {
      const auto quotient = x.divided_by(y);
      if (!quotient) attributes.unsupported("divides sizes that are no multiples of each other");
      result.numbers.push_back(*quotient);
    } else {
      const auto same = equal(x, y);
      if (!same)
        attributes.unsupported("compares a size that is known when the model runs; fix the size in the file (--shape)");
      result.numbers.push_back(Count(*same ? 1 : 0));
    }
  }
  return result;
}

Counts where(OnnxAttributes& attributes, const std::vector<Counts>& inputs) {
  if (inputs.size() != 3) attributes.invalid("takes three inputs, not " + std::to_string(inputs.size()));
  std::size_t size = 0;
  Counts result;
  for (const Counts& input : inputs)
    if (input.numbers.size() >= size) size = input.numbers.size(), result.shape = input.shape;
  for (const Counts& input : inputs)
    if (input.numbers.size() != 1 && input.numbers.size() != size)
      attributes.unsupported("its inputs are lists of sizes of different lengths");
  const auto at = [](const Counts& input, std::size_t i) { return input.numbers[input.numbers.size() == 1 ? 0 : i]; };
  for (std::size_t i = 0; i < size; ++i) {
    const bool first = number(attributes, at(inputs[0], i), "its condition") != 0;
    result.numbers.push_back(at(inputs[first ? 1 : 2], i));
  }
  return result;
}

Counts gather(OnnxAttributes& attributes, const std::vector<Counts>& inputs) {
  if (inputs.size() != 2 || inputs[0].shape.size() != 1) attributes.unsupported("takes sizes of other than a list");
  if (attributes.integer("axis").value_or(0) != 0 && attributes.integer("axis") != -1)
    attributes.invalid("axis of a list must be 0");
  Counts result{inputs[1].shape, {}};
  for (const Count& index : inputs[1].numbers)
    result.numbers.push_back(
        inputs[0].numbers[onnx_axis(attributes, number(attributes, index, "its index"), inputs[0].numbers.size())]);
  return result;
}

Counts slice(OnnxAttributes& attributes, const std::vector<Counts>& inputs) {
  const auto one = [&](const char* name, std::size_t input) -> std::optional<std::int64_t> {
    if (const auto values = attributes.integers(name))
      return values->empty() ? std::nullopt : std::optional(values->front());
    if (input >= inputs.size() || inputs[input].numbers.size() != 1) return std::nullopt;
    return inputs[input].numbers[0].number();
  };
  const auto begin = one("starts", 1), end = one("ends", 2);
  const std::int64_t axis = one("axes", 3).value_or(0), step = one("steps", 4).value_or(1);
  if (inputs[0].shape.size() != 1 || !begin || !end || (axis != 0 && axis != -1) || step == 0)
    attributes.unsupported("slices a shape by other than one constant range");
  const auto size = static_cast<std::int64_t>(inputs[0].numbers.size());
  const auto place = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, low, high);
  };
  std::vector<Count> numbers;
  if (step > 0)
    for (std::int64_t i = place(*begin, 0, size); i < place(*end, 0, size); i += std::min(step, size + 1))
      numbers.push_back(inputs[0].numbers[static_cast<std::size_t>(i)]);
  else
    for (std::int64_t i = place(*begin, -1, size - 1); i > (*end < -size ? -1 : place(*end, -1, size - 1));
         i += std::max(step, -size - 1))
      numbers.push_back(inputs[0].numbers[static_cast<std::size_t>(i)]);
  return list(std::move(numbers));
}

Counts concat(OnnxAttributes& attributes, const std::vector<Counts>& inputs) {
  const auto axis = attributes.integer("axis").value_or(0);
  if (axis != 0 && axis != -1) attributes.invalid("axis of a list must be 0");
  std::vector<Count> numbers;
  for (const Counts& input : inputs) {
    if (input.shape.size() != 1) attributes.invalid("joins a scalar");
    numbers.insert(numbers.end(), input.numbers.begin(), input.numbers.end());
  }
  return list(std::move(numbers));
}

// Lists the numbers from the first input, in steps of the third, to before the second.
Counts range(OnnxAttributes& attributes, const std::vector<Counts>& inputs) {
  if (inputs.size() != 3) attributes.invalid("takes three inputs, not " + std::to_string(inputs.size()));
  for (const Counts& input : inputs)
    if (input.numbers.size() != 1) attributes.invalid("its inputs must be single numbers");
  const std::int64_t start = number(attributes, inputs[0].numbers[0], "its start");
  const std::int64_t limit = number(attributes, inputs[1].numbers[0], "its limit");
  const std::int64_t delta = number(attributes, inputs[2].numbers[0], "its delta");
  if (delta == 0) attributes.invalid("its delta is 0");
  std::vector<Count> numbers;
  for (std::int64_t next = start; delta > 0 ? next < limit : next > limit;) {
    if (numbers.size() == kMostNumbers) attributes.too_large(kTooMany);
    numbers.emplace_back(next);
    if (__builtin_add_overflow(next, delta, &next)) break;
  }
  return list(std::move(numbers));
}

// Keeps the numbers and changes their shape; a list or a scalar is all that shapes are made of.
Counts reshaped(OnnxAttributes& attributes, const std::vector<Counts>& inputs) {
  static_cast<void>(attributes.integers("axes"));
  static_cast<void>(attributes.integers("shape"));
  static_cast<void>(attributes.integer("allowzero"));
  Counts result = inputs[0];
  const std::string& op = attributes.node().op;
  const bool to_scalar = op == "Squeeze" || (op == "Reshape" && inputs.size() > 1 && inputs[1].numbers.empty());
  if (to_scalar && result.numbers.size() != 1) attributes.unsupported("makes something of a shape that is no list");
  result.shape = to_scalar ? Shape{} : Shape{static_cast<std::int64_t>(result.numbers.size())};
  return result;
}

}  // namespace

std::optional<Counts> OnnxCounts::find(const std::string& name) const {
  if (const auto known = known_.find(name); known != known_.end()) return known->second;
  const TensorView* tensor = constants_.find(name);
  if (tensor == nullptr || tensor->shape.size() > 1 || tensor->elements() > static_cast<std::int64_t>(kMostNumbers))
    return std::nullopt;
  const auto numbers = constants_.integers(name);
  if (!numbers) return std::nullopt;
  Counts result{tensor->shape, {}};
  for (const std::int64_t value : *numbers) result.numbers.emplace_back(value);
  return result;
}

void OnnxCounts::alias(const std::string& from, const std::string& to) {
  if (const auto known = known_.find(from); known != known_.end()) known_[to] = known->second;
}

std::optional<Counts> OnnxCounts::compute(OnnxAttributes& attributes, const std::vector<Counts>& inputs) const {
  static const std::set<std::string> pairs = {"Add", "Sub", "Mul", "Div", "Equal"};
  const std::string& op = attributes.node().op;
  if (pairs.contains(op)) return pairwise(attributes, inputs);
  if (op == "Where") return where(attributes, inputs);
  if (op == "Gather") return gather(attributes, inputs);
  if (op == "Slice") return slice(attributes, inputs);
  if (op == "Concat") return concat(attributes, inputs);
  if (op == "Range") return range(attributes, inputs);
  if (op == "Squeeze" || op == "Unsqueeze" || op == "Reshape") return reshaped(attributes, inputs);
  if (op == "Identity") return inputs[0];
  if (op == "Cast") {
    const auto to = attributes.integer("to").value_or(7);
    if (to != 6 && to != 7 && to != 9) attributes.unsupported("makes a shape of other numbers than int32 and int64");
    return inputs[0];
  }
  if (op == "ReduceProd") {
    static_cast<void>(attributes.integers("axes"));
    Count product(1);
    for (const Count& count : inputs[0].numbers) product = product * count;
    return attributes.integer("keepdims").value_or(1) != 0 ? list({product}) : Counts{{}, {product}};
  }
  return std::nullopt;
}

bool OnnxCounts::evaluate(const OnnxNode& node, const std::map<std::string, OnnxValue>& values) {
  if (!node.domain.empty() || node.outputs.size() != 1 || node.inputs.empty()) return false;
  OnnxAttributes attributes(node, file_);
  std::optional<Counts> result;
  if (node.op == "Shape" || node.op == "Size") {
    std::vector<Count> dims;
    if (const auto value = values.find(node.input(0));
        value != values.end() && (value->second.zeros_before != 0 || value->second.zeros_after != 0))
      attributes.unsupported("takes the shape of a sequence with steps put around it");
    if (const auto value = values.find(node.input(0)); value != values.end())
      for (const Axis& axis : value->second.axes) dims.push_back(Count::of(axis));
    else if (const TensorView* tensor = constants_.find(node.input(0)))
      dims.assign(tensor->shape.begin(), tensor->shape.end());
    else if (const auto counts = find(node.input(0)))
      dims.assign(counts->shape.begin(), counts->shape.end());
    else
      attributes.unsupported("its input is not the model's input, nor depends on it");
    if (node.op == "Size") {
      Count product(1);
      for (const Count& dim : dims) product = product * dim;
      result = Counts{{}, {product}};
    } else {
      const auto size = static_cast<std::int64_t>(dims.size());
      const auto place = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
      const std::int64_t begin = place(attributes.integer("start").value_or(0));
      const std::int64_t end = std::max(begin, place(attributes.integer("end").value_or(size)));
      result = list({dims.begin() + begin, dims.begin() + end});
    }
  } else {
    std::vector<Counts> inputs;
    bool all_constant = true;
    for (const std::string& name : node.inputs) {
      if (name.empty()) continue;
      all_constant &= !known_.contains(name);
      auto counts = find(name);
      if (!counts) return false;
      inputs.push_back(std::move(*counts));
    }
    static const std::set<std::string> arithmetic = {"Add",   "Sub",        "Mul",  "Div",  "Equal",
                                                     "Where", "ReduceProd", "Cast", "Range"};
    if (inputs.empty() || (all_constant && !arithmetic.contains(node.op))) return false;
    result = compute(attributes, inputs);
    if (!result) return false;
  }
  attributes.finish();
  if (result->numbers.size() > kMostNumbers) attributes.too_large(kTooMany);
  std::vector<std::int64_t> numbers;
  for (const Count& count : result->numbers)
    if (const auto known = count.number()) numbers.push_back(*known);
  if (numbers.size() == result->numbers.size()) {
    const auto bytes = std::as_bytes(std::span(numbers));
    constants_.put(node.outputs[0], TensorView::own(ElementType::I64, result->shape, {bytes.begin(), bytes.end()}));
  } else {
    known_[node.outputs[0]] = std::move(*result);
  }
  return true;
}

}  // namespace rnnc::files
