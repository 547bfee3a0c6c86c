// The operator Scan is a recurrence whose step is a graph: the step becomes a cell, and the operator a scan of it.
#include <algorithm>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/onnx/reader.hpp"

namespace rnnc::files {

/// Reads one node.
class GraphReader::ScanOperator {
 public:
  ScanOperator(GraphReader& outer, const OnnxNode& node) : outer_(outer), node_(node), attributes_(node, outer.file_) {}

  void read();

 private:
  std::vector<std::int64_t> numbers(const char* attribute, std::size_t size);
  void read_attributes();
  OnnxValue initial(const std::string& name) const;
  void read_states();
  void read_sequences();
  void read_body();
  void add_states();
  void add_outputs();

  GraphReader& outer_;
  const OnnxNode& node_;
  OnnxAttributes attributes_;
  OnnxModel body_;
  std::size_t states_ = 0, sequences_ = 0, outputs_ = 0;  // the states come first among inputs and outputs
  std::vector<std::int64_t> input_axes_, input_directions_, output_axes_, output_directions_;
  OnnxLabels labels_;  // of the body's inputs
  std::vector<Elements> initials_;
  std::vector<std::string> arguments_;
  bool turned_ = false, has_sequence_ = false;
  const FileContent nothing_{std::span<const std::byte>()};
  const ImportOptions options_{.limits = outer_.options_.limits, .like = outer_.options_.like};
  OnnxFiles no_files_;
  std::optional<GraphReader> step_;
  Scan scan_;
  std::string next_;  // the statements of the new states
};

std::vector<std::int64_t> GraphReader::ScanOperator::numbers(const char* attribute, std::size_t size) {
  auto values = attributes_.integers(attribute).value_or(std::vector<std::int64_t>(size, 0));
  if (values.size() != size)
    attributes_.invalid(std::string(attribute) + " must have " + std::to_string(size) + " numbers");
  return values;
}

void GraphReader::ScanOperator::read_attributes() {
  const auto body = node_.attributes.find("body");
  if (body == node_.attributes.end() || !body->second.graph) attributes_.invalid("has no body");
  if (outer_.model_.opset < 9) attributes_.unsupported("is of an opset before 9; export for a newer one");
  if (outer_.text_.is_step()) attributes_.unsupported("runs over steps within one step");
  if (outer_.scope_.ragged) attributes_.unsupported("runs over all steps of sequences that have lengths");
  static const std::set<std::string> known = {"body",
                                              "num_scan_inputs",
                                              "scan_input_axes",
                                              "scan_input_directions",
                                              "scan_output_axes",
                                              "scan_output_directions"};
  for (const auto& [name, attribute] : node_.attributes)
    if (!known.contains(name)) attributes_.invalid("attribute " + in_quotes(name) + " is not known");
  const std::int64_t count = attributes_.integer("num_scan_inputs").value_or(0);
  if (count < 1 || count > std::ssize(node_.inputs)) attributes_.invalid("num_scan_inputs is not from 1 to its inputs");
  sequences_ = static_cast<std::size_t>(count);
  states_ = node_.inputs.size() - sequences_;
  body_ = {*body->second.graph, outer_.model_.opset};
  if (body_.graph.inputs.size() != node_.inputs.size() || body_.graph.outputs.size() < states_ ||
      body_.graph.outputs.empty() || node_.outputs.size() > body_.graph.outputs.size())
    attributes_.invalid("its body has other inputs or outputs than itself");
  outputs_ = body_.graph.outputs.size() - states_;
  input_axes_ = numbers("scan_input_axes", sequences_);
  input_directions_ = numbers("scan_input_directions", sequences_);
  output_axes_ = numbers("scan_output_axes", outputs_);
  output_directions_ = numbers("scan_output_directions", outputs_);
}

// Returns the initial value of a state. A constant with a row for each sequence of the file's example has equal rows.
OnnxValue GraphReader::ScanOperator::initial(const std::string& name) const {
  OnnxValue value;
  if (const OnnxValue* found = outer_.find(name)) {
    value = *found;
  } else if (const TensorView* tensor = outer_.constants_.find(name); tensor != nullptr && tensor->elements() > 0) {
    for (const std::int64_t dim : tensor->shape) value.axes.push_back(Axis::of(dim));
    for (const float number : tensor->to_f32()) value.elements.push_back(Element::of(number));
    const Atom& batch = outer_.scope_.batch;
    if (!value.axes.empty() && batch.size > 1 && tensor->shape[0] == batch.size) {
      auto one = first_of_equal(value, 0);
      if (!one) attributes_.unsupported(in_quotes(name) + " differs within the batch; make it a graph input");
      value = std::move(*one);
      value.axes[0] = Axis{{batch}};
    }
  } else {
    attributes_.unsupported("its initial state " + in_quotes(name) + " is not known; make it a graph input");
  }
  if (has(value.axes, 'T')) attributes_.unsupported("its initial state " + in_quotes(name) + " is a sequence");
  return value;
}

void GraphReader::ScanOperator::read_states() {
  for (std::size_t s = 0; s < states_; ++s) {
    OnnxValue value = initial(node_.inputs[s]);
    labels_.axes[body_.graph.inputs[s]] = value.axes;
    initials_.push_back(std::move(value.elements));
  }
}

// The body reads one step of each sequence: its dims without the time.
void GraphReader::ScanOperator::read_sequences() {
  for (std::size_t k = 0; k < sequences_; ++k) {
    const std::string& name = node_.inputs[states_ + k];
    const OnnxValue* found = outer_.find(name);
    if (found == nullptr || found->zeros_before != 0 || found->zeros_after != 0)
      attributes_.unsupported("its input " + in_quotes(name) + " cannot be traced to a graph input");
    const std::size_t at = onnx_axis(attributes_, input_axes_[k], found->axes.size());
    Axes wanted = found->axes;
    wanted[at] = Axis{{outer_.scope_.time}};
    const OnnxValue value = with_symbols(*found, wanted);
    if (!value.axes[at].is('T'))
      attributes_.unsupported("goes over dimension " + std::to_string(at) + " of " + to_string(value.axes) +
                              ", which is not the time");
    Axes axes = value.axes;
    axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(at));
    const bool scalar = std::ranges::none_of(axes, &Axis::is_number);
    const Expression argument = scalar ? outer_.text_.scalar(value.elements[0]) : outer_.text_.vector(value.elements);
    const bool turned = value.turned != (input_directions_[k] != 0);
    if (argument.sequence && has_sequence_ && turned != turned_)
      attributes_.unsupported("goes over sequences in both directions");
    if (argument.sequence || !has_sequence_) turned_ = turned;
    has_sequence_ = has_sequence_ || argument.sequence;
    arguments_.push_back(argument.text);
    labels_.axes[body_.graph.inputs[states_ + k]] = std::move(axes);
  }
}

// Reads the body as a graph that is one step; the constants around it are its own too.
void GraphReader::ScanOperator::read_body() {
  labels_.is_step = true;
  labels_.time = outer_.scope_.time;
  labels_.batch = outer_.scope_.batch;
  for (const std::string& name : body_.graph.inputs) body_.graph.details[name];
  step_.emplace(body_, nothing_, outer_.file_, options_, no_files_, labels_);
  std::set<std::string> read;
  for (const OnnxNode& one : body_.graph.nodes) read.insert(one.inputs.begin(), one.inputs.end());
  for (const std::string& name : read)
    if (!labels_.axes.contains(name))
      if (const TensorView* tensor = outer_.constants_.find(name)) step_->constants_.put(name, *tensor);
  step_->output_ = body_.graph.outputs.back();
  step_->add_inputs();
  step_->read_nodes(body_.graph);
}

void GraphReader::ScanOperator::add_states() {
  for (std::size_t s = 0; s < states_; ++s) {
    const Source& source = step_->text_.source(step_->inputs_.at(s).source);
    const OnnxValue& value = step_->output(body_.graph.outputs[s]);
    if (std::ssize(value.elements) != source.size)
      attributes_.invalid("its body changes the size of state " + in_quotes(body_.graph.inputs[s]));
    const Expression next =
        source.scalar ? step_->text_.scalar(value.elements[0]) : step_->text_.vector(value.elements);
    next_ += "  " + source.name + "' = " + next.text + "\n";
    const std::int32_t last = outer_.text_.add({scan_.name + "." + source.name, source.size, source.scalar, false});
    scan_.states.push_back(source.name);
    scan_.links.push_back({initials_[s], outer_.text_.all(last)});
    step_->inputs_[s].state = body_.graph.outputs[s];
    if (!node_.output(s).empty())
      outer_.scope_.values[node_.output(s)] = {labels_.axes[body_.graph.inputs[s]], outer_.text_.all(last)};
  }
}

// The outputs of a step stand one behind the other in the cell's output; without any, it is the first state.
void GraphReader::ScanOperator::add_outputs() {
  Elements all;
  for (std::size_t k = outputs_ > 0 ? states_ : 0; k < (outputs_ > 0 ? states_ + outputs_ : 1); ++k) {
    const OnnxValue& value = step_->output(body_.graph.outputs[k]);
    all.insert(all.end(), value.elements.begin(), value.elements.end());
  }
  scan_.size = std::ssize(all);
  const std::int32_t y = outer_.text_.add({scan_.name, scan_.size, false, true});
  std::int32_t at = 0;
  for (std::size_t k = 0; k < outputs_; ++k) {
    const OnnxValue& value = step_->output(body_.graph.outputs[states_ + k]);
    OnnxValue result{value.axes, {}};
    const std::size_t place = onnx_axis(attributes_, output_axes_[k], value.axes.size() + 1);
    result.axes.insert(result.axes.begin() + static_cast<std::ptrdiff_t>(place), Axis{{outer_.scope_.time}});
    result.turned = turned_ != (output_directions_[k] != 0);
    for (std::size_t i = 0; i < value.elements.size(); ++i) result.elements.push_back({y, at++});
    if (!node_.output(states_ + k).empty()) outer_.scope_.values[node_.output(states_ + k)] = std::move(result);
  }
  const std::string output = step_->text_.vector(all).text;
  std::string statements;
  for (const std::string& statement : step_->text_.statements) statements += statement;
  outer_.text_.cells += "\ncell " + scan_.name + "_cell {\n" + step_->declarations() + step_->text_.params + "\n" +
                        statements + next_ + "  output " + output + "\n}\n";
  for (auto& [name, tensor] : step_->text_.weights) outer_.text_.weights[scan_.name + "." + name] = std::move(tensor);
}

void GraphReader::ScanOperator::read() {
  read_attributes();
  read_states();
  read_sequences();
  read_body();
  const std::string layer = outer_.layers_.of(node_);
  scan_.name = outer_.text_.fresh(!layer.empty() ? layer : node_.name.empty() ? "scan" : node_.name);
  add_states();
  add_outputs();
  scan_.text = scan_.name + " = " + (turned_ ? "reverse " : "") + scan_.name + "_cell(" + join(arguments_) + ")";
  if (!has_sequence_) scan_.text += kOverTheTime;
  scan_.statement = outer_.text_.statements.size();
  outer_.text_.state("");
  outer_.scans_.push_back(std::move(scan_));
}

void GraphReader::read_scan(const OnnxNode& node) { ScanOperator(*this, node).read(); }

}  // namespace rnnc::files
