// The operator Scan is a recurrence whose step is a graph: the step becomes a cell, and the operator a scan of it.
#include <algorithm>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/onnx/reader.hpp"

namespace rnnc::files {
namespace {

std::size_t time_of(const OnnxAttributes& attributes, const OnnxValue& value, std::int64_t axis) {
  const std::size_t at = onnx_axis(attributes, axis, value.axes.size());
  if (!value.axes[at].is('T'))
    attributes.unsupported("goes over dimension " + std::to_string(at) + " of " + to_string(value.axes) +
                           ", which is not the time");
  return at;
}

Axes without(Axes axes, std::size_t at) {
  axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(at));
  return axes;
}

}  // namespace

void GraphReader::read_scan(const OnnxNode& node) {
  OnnxAttributes attributes(node, file_);
  const auto body = node.attributes.find("body");
  if (body == node.attributes.end() || !body->second.graph) invalid(node, "has no body");
  if (model_.opset < 9) unsupported(node, "is of an opset before 9; export for a newer one");
  if (text_.is_step()) unsupported(node, "runs over steps within one step");
  const auto sequences =
      static_cast<std::size_t>(std::max<std::int64_t>(0, attributes.integer("num_scan_inputs").value_or(0)));
  if (sequences < 1 || sequences > node.inputs.size()) invalid(node, "num_scan_inputs is not from 1 to its inputs");
  const std::size_t states = node.inputs.size() - sequences;
  OnnxModel inner{*body->second.graph, model_.opset};
  if (inner.graph.inputs.size() != node.inputs.size() || inner.graph.outputs.size() < states ||
      node.outputs.size() > inner.graph.outputs.size())
    invalid(node, "its body has other inputs or outputs than itself");
  const std::size_t outputs = inner.graph.outputs.size() - states;
  const auto list = [&](const char* name, std::size_t size) {
    auto values = attributes.integers(name).value_or(std::vector<std::int64_t>(size, 0));
    if (values.size() != size) invalid(node, std::string(name) + " must have " + std::to_string(size) + " numbers");
    return values;
  };
  const auto input_axes = list("scan_input_axes", sequences),
             input_directions = list("scan_input_directions", sequences);
  const auto output_axes = list("scan_output_axes", outputs),
             output_directions = list("scan_output_directions", outputs);
  // The step reads the states, and a step of each sequence.
  OnnxLabels labels;
  labels.is_step = true;
  labels.time = scope_.time;
  labels.batch = scope_.batch;
  Scan scan;
  std::vector<Elements> initials;
  for (std::size_t s = 0; s < states; ++s) {
    OnnxValue value;
    if (const OnnxValue* found = find(node.inputs[s])) {
      value = *found;
    } else if (const TensorView* tensor = constants_.find(node.inputs[s])) {
      // A constant with a row for each sequence of the file's example has equal rows.
      const std::vector<float> numbers = tensor->to_f32();
      std::size_t rows = 1;
      for (const std::int64_t dim : tensor->shape) value.axes.push_back(Axis::of(dim));
      if (!value.axes.empty() && scope_.batch.size > 1 && tensor->shape[0] == scope_.batch.size) {
        rows = static_cast<std::size_t>(scope_.batch.size);
        value.axes[0] = Axis{{scope_.batch}};
      }
      const std::size_t size = numbers.size() / rows;
      for (std::size_t k = 0; k < numbers.size(); ++k)
        if (numbers[k] != numbers[k % size]) unsupported(node, in_quotes(node.inputs[s]) + " differs within the batch");
      for (std::size_t k = 0; k < size; ++k) value.elements.push_back(Element::of(numbers[k]));
    } else {
      unsupported(node, "its initial state " + in_quotes(node.inputs[s]) + " is not known; make it a graph input");
    }
    if (has(value.axes, 'T')) unsupported(node, "its initial state " + in_quotes(node.inputs[s]) + " is a sequence");
    labels.axes[inner.graph.inputs[s]] = value.axes;
    initials.push_back(value.elements);
  }
  std::vector<std::string> arguments;
  bool turned = false, has_turned = false;
  Axis batch;
  for (std::size_t k = 0; k < sequences; ++k) {
    const OnnxValue* value = find(node.inputs[states + k]);
    if (value == nullptr || value->zeros_before != 0 || value->zeros_after != 0)
      unsupported(node, "its input " + in_quotes(node.inputs[states + k]) + " cannot be traced to a graph input");
    const std::size_t at = time_of(attributes, *value, input_axes[k]);
    labels.axes[inner.graph.inputs[states + k]] = without(value->axes, at);
    const bool own = value->turned != (input_directions[k] != 0);
    if (has_turned && own != turned) unsupported(node, "goes over sequences in both directions");
    turned = own, has_turned = true;
    const Expression argument = text_.vector(value->elements);
    if (!argument.sequence) unsupported(node, "its input is the same at each step");
    const bool scalar = std::ranges::none_of(labels.axes[inner.graph.inputs[states + k]], &Axis::is_number);
    arguments.push_back(scalar ? text_.scalar(value->elements[0]).text : argument.text);
  }
  for (const std::string& name : inner.graph.inputs) inner.graph.details[name];
  OnnxFiles none;
  const ImportOptions plain{.limits = options_.limits};
  const FileContent nothing{std::span<const std::byte>()};
  GraphReader step(inner, nothing, file_, plain, none, labels);
  std::set<std::string> captured;
  for (const OnnxNode& one : inner.graph.nodes) captured.insert(one.inputs.begin(), one.inputs.end());
  for (const std::string& name : captured)
    if (!labels.axes.contains(name))
      if (const TensorView* tensor = constants_.find(name)) step.constants_.put(name, *tensor);
  step.output_ = inner.graph.outputs.back();
  step.add_inputs();
  step.read_nodes(inner.graph);
  // The text of the step.
  scan.name = text_.fresh(node.name.empty() ? "scan" : node.name);
  std::string inputs, own_states, next;
  for (std::size_t i = 0; i < step.inputs_.size(); ++i) {
    const Source& source = step.text_.source(step.inputs_[i].source);
    const std::string type = std::string("f32") + (source.scalar ? "" : "[" + std::to_string(source.size) + "]");
    (i < states ? own_states : inputs) +=
        std::string("  ") + (i < states ? "state " : "input ") + source.name + " : " + type + "\n";
    if (i >= states) continue;
    const OnnxValue& value = step.output(inner.graph.outputs[i]);
    if (static_cast<std::int64_t>(value.elements.size()) != source.size)
      invalid(node, "its body changes the size of state " + in_quotes(inner.graph.inputs[i]));
    const Expression expression =
        source.scalar ? step.text_.scalar(value.elements[0]) : step.text_.vector(value.elements);
    next += "  " + source.name + "' = " + expression.text + "\n";
    const std::int32_t last = text_.add({scan.name + "." + source.name, source.size, source.scalar, false});
    scan.states.push_back(source.name);
    scan.links.push_back({initials[i], text_.all(last)});
    if (!node.output(i).empty()) scope_.values[node.output(i)] = {labels.axes[inner.graph.inputs[i]], text_.all(last)};
  }
  Elements all;
  for (std::size_t k = 0; k < outputs; ++k) {
    const OnnxValue& value = step.output(inner.graph.outputs[states + k]);
    all.insert(all.end(), value.elements.begin(), value.elements.end());
  }
  if (all.empty() && states > 0) all = step.output(inner.graph.outputs[0]).elements;
  const std::string output = step.text_.vector(all).text;
  const std::int32_t y = text_.add({scan.name, static_cast<std::int64_t>(all.size()), false, true});
  std::int32_t at = 0;
  for (std::size_t k = 0; k < outputs; ++k) {
    const OnnxValue& value = step.output(inner.graph.outputs[states + k]);
    OnnxValue result{value.axes, {}};
    const std::size_t place = onnx_axis(attributes, output_axes[k], value.axes.size() + 1);
    result.axes.insert(result.axes.begin() + static_cast<std::ptrdiff_t>(place), Axis{{scope_.time}});
    result.turned = turned != (output_directions[k] != 0);
    for (std::size_t i = 0; i < value.elements.size(); ++i) result.elements.push_back({y, at++});
    if (!node.output(states + k).empty()) scope_.values[node.output(states + k)] = std::move(result);
  }
  std::string statements;
  for (const std::string& statement : step.text_.statements) statements += statement;
  text_.cells += "\ncell " + scan.name + "_cell {\n" + inputs + own_states + step.text_.params + "\n" + statements +
                 next + "  output " + output + "\n}\n" + step.text_.cells;
  for (auto& [name, tensor] : step.text_.weights) text_.weights[scan.name + "." + name] = std::move(tensor);
  scan.text = scan.name + " = " + (turned ? "reverse " : "") + scan.name + "_cell(" + join(arguments) + ")";
  scan.statement = text_.statements.size();
  text_.state("");
  scans_.push_back(std::move(scan));
}

}  // namespace rnnc::files
