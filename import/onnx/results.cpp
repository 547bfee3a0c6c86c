#include <algorithm>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/onnx/reader.hpp"
#include "import/onnx/state_names.hpp"
#include "import/refusal.hpp"
#include "ir/interpret_network.hpp"

namespace rnnc::files {
// Returns the graph input of which all elements are, if there is one and it has no time.
const GraphReader::GraphInput* GraphReader::input_of(const Elements& elements) const {
  for (const GraphInput& input : inputs_)
    if (!elements.empty() && (!input.has_time || text_.is_step()) &&
        std::ranges::all_of(elements, [&](const Element& e) { return e.source == input.source; }))
      return &input;
  return nullptr;
}

// Tells whether an output has, where the input has the initial state, the final one. The whole input of a model of
// sequences of any length is not a state but a value of the call, which begins each of them, unless the caller names
// the output that carries it on.
bool GraphReader::is_state(const GraphInput& input, const StateLink& link) const {
  const std::size_t size = static_cast<std::size_t>(text_.source(input.source).size);
  const auto carried = options_.carried.find(input.name);
  const bool is_carried = carried != options_.carried.end();
  if (!is_carried && link.initial.size() == size && scope_.time.size != 1) return false;
  for (const std::string& name : model_.graph.outputs) {
    const OnnxValue* value = find(name);
    if (value == nullptr || value->elements.size() != size || (is_carried && name != carried->second)) continue;
    bool right = true;
    for (std::size_t k = 0; right && k < link.initial.size(); ++k)
      right = value->elements[static_cast<std::size_t>(link.initial[k].index)] == link.final[k];
    if (right) return true;
  }
  return false;
}

// Gives a state the value that the caller gave the graph input. The batch is the input's dim B, or else a dim of 1.
void GraphReader::give(const GraphInput& input, const Elements& elements, const std::string& state) {
  const Axes& axes = labels_.axes.at(input.name);
  const Tensor& tensor = *input.given;
  const auto mismatch = [&] {
    files::invalid(
        file_, "graph input " + in_quotes(input.name),
        "shape mismatch: has " + to_string(axes) + ", but the value that is given has " + to_string(tensor.shape));
  };
  if (tensor.shape.size() != axes.size()) mismatch();
  std::optional<std::size_t> batch;
  for (std::size_t d = 0; d < axes.size(); ++d)
    if (axes[d].is('B')) batch = d;
  for (std::size_t d = 0; d < axes.size(); ++d) {
    if (batch == d || tensor.shape[d] == axes[d].fixed()) continue;
    if (batch || !axes[d].is_one()) mismatch();
    batch = d;
  }
  const std::int64_t rows = batch ? tensor.shape[*batch] : 1;
  const std::vector<std::int64_t> shape = fixed_shape(axes);
  const std::vector<float> values = tensor.to_f32();
  std::vector<float> own;
  for (std::int64_t row = 0; row < rows; ++row)
    for (const Element& e : elements) {
      std::int64_t rest = e.index, place = 0, stride = 1;
      for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) {
        place += (batch == d ? row : rest % shape[d]) * stride;
        stride *= tensor.shape[d];
      }
      own.push_back(values[static_cast<std::size_t>(place)]);
    }
  result_.states[state] = Tensor::from_f32({rows, static_cast<std::int64_t>(elements.size())}, own);
}

// Writes the scans with the initial states that neither the caller gives nor an output of the graph carries on.
void GraphReader::finish_scans() {
  for (const Scan& scan : scans_) {
    std::vector<std::string> from;
    for (std::size_t s = 0; s < scan.states.size(); ++s) {
      const Elements& begin = scan.links[s].initial;
      if (std::ranges::all_of(begin, &Element::is_zero)) continue;
      const GraphInput* input = input_of(begin);
      if (input != nullptr && input->given != nullptr)
        give(*input, begin, scan.name + "." + scan.states[s]);
      else if (input == nullptr || !is_state(*input, scan.links[s]))
        from.push_back(scan.states[s] + " = " + text_.vector(begin).text);
    }
    text_.statements[scan.statement] = "  " + scan.text + (from.empty() ? "" : " from (" + join(from) + ")") + "\n";
  }
}

// Returns the output that has, where the input has initial states of recurrent nodes, their final ones.
std::optional<std::string> GraphReader::linked_output(const GraphInput& input) const {
  std::vector<const StateLink*> links;
  for (const StateLink& link : links_)
    if (input_of(link.initial) == &input) links.push_back(&link);
  const auto size = static_cast<std::size_t>(text_.source(input.source).size);
  for (const std::string& name : model_.graph.outputs) {
    const OnnxValue* value = find(name);
    if (value == nullptr || links.empty() || value->elements.size() != size) continue;
    const bool linked = std::ranges::all_of(links, [&](const StateLink* link) {
      for (std::size_t k = 0; k < link->initial.size(); ++k)
        if (value->elements[static_cast<std::size_t>(link->initial[k].index)] != link->final[k]) return false;
      return true;
    });
    if (linked) return name;
  }
  return std::nullopt;
}

// Returns the output that is named as the new value of an input whose name speaks of a state.
std::optional<std::string> GraphReader::named_output(const GraphInput& input) const {
  const OnnxValue* own = find(input.name);
  if (own == nullptr || own->integer) return std::nullopt;
  for (const std::string& name : model_.graph.outputs)
    if (const OnnxValue* value = find(name); value != nullptr && value->elements.size() == own->elements.size() &&
                                             value->axes.size() >= own->axes.size() &&
                                             is_state_by_name(input.name, name))
      return name;
  return std::nullopt;
}

// Returns the graph output that is the new value of an input of one step, if the input is a state.
std::optional<std::string> GraphReader::output_of_state(const GraphInput& input) const {
  if (const auto carried = options_.carried.find(input.name); carried != options_.carried.end()) {
    const OnnxValue* value = find(carried->second);
    if (value == nullptr || std::ssize(value->elements) != text_.source(input.source).size)
      refuse(ErrorCode::Usage, file_, "graph input " + in_quotes(input.name),
             "cannot be carried on by " + in_quotes(carried->second) + ", which is no output of its size");
    return carried->second;
  }
  const auto linked = linked_output(input);
  return linked ? linked : named_output(input);
}

void GraphReader::pair_states() {
  std::map<std::string, std::string> taken;
  for (GraphInput& input : inputs_) {
    const auto output = output_of_state(input);
    if (!output) {
      if (input.given != nullptr)
        files::unsupported(file_, "graph input " + in_quotes(input.name),
                           "is no state: no output of the graph is its new value");
      continue;
    }
    if (const auto [at, added] = taken.emplace(*output, input.name); !added)
      files::unsupported(file_, "graph output " + in_quotes(*output),
                         "is the new value of two inputs: " + in_quotes(at->second) + " and " + in_quotes(input.name));
    input.state = *output;
  }
}

const OnnxValue& GraphReader::output(const std::string& name) const {
  const OnnxValue* value = find(name);
  const std::string what = "graph output " + in_quotes(name);
  if (unrounded_.contains(name))
    files::unsupported(file_, what,
                       "is the integers of a QuantizeLinear, which a network does not give; take what a "
                       "DequantizeLinear makes of them");
  if (value == nullptr) files::unsupported(file_, what, "does not depend on the model's input");
  if (value->zeros_before != 0 || value->zeros_after != 0)
    files::unsupported(file_, what, "has steps put around the sequence");
  if (value->turned) files::unsupported(file_, what, "has its steps turned round");
  return *value;
}

// Computes a row of the output behind the end of a sequence, where recurrent nodes give zeros: their scans become
// inputs. Returns nothing where the row is zero, or depends on what is behind the ends in x.
std::vector<float> GraphReader::behind_the_end(const std::string& inputs, const std::string& output) {
  std::vector<std::string> statements = text_.statements;
  std::string zeros, all;
  ir::NamedVectors weights;
  std::set<std::string> scans;
  for (const Scan& scan : scans_) {
    statements[scan.statement].clear();
    zeros += "  input " + scan.name + " : seq f32[" + std::to_string(scan.size) + "]\n";
    scans.insert(scan.name);
  }
  for (const std::string& statement : statements) all += statement;
  const Result<Model> model = parse(
      "network model {\n" + inputs + zeros + text_.params + all + "  output " + output + "\n}\n" + text_.cells, file_);
  if (!model) return {};  // the output reads final states
  const ir::Network& network = model->module().networks.at(0);
  for (const auto& [name, tensor] : text_.weights) {
    if (name.find('.') != std::string::npos) continue;
    const std::vector<float> values = tensor.to_f32();
    weights[name] = ir::Vector(values.begin(), values.end());
  }
  const auto row = [&](double x) {
    ir::NetworkBatch batch{1, {{std::string(ir::kTime), {1, {}}}}, {}};
    for (const ir::Node& node : network.nodes)
      if (node.op == ir::Op::Input)
        batch.inputs[node.name] =
            ir::Vector(static_cast<std::size_t>(elements(node.type)), scans.contains(node.name) ? 0 : x);
    ir::NamedVectors finals;
    return ir::interpret(network, weights, batch, finals);
  };
  const ir::Vector result = row(0);
  if (result != row(0.5) || std::ranges::all_of(result, [](double v) { return v == 0; })) return {};
  return {result.begin(), result.end()};
}

// Writes the new states of one step and returns the outputs that they are. The first other output becomes y.
std::set<std::string> GraphReader::write_states(std::string& statements) {
  pair_states();
  const std::vector<std::string>& outputs = model_.graph.outputs;
  std::set<std::string> states;
  std::string pairs;
  for (const GraphInput& input : inputs_) {
    if (!input.state.empty()) states.insert(input.state);
    for (const std::string& name : outputs)
      if (const OnnxValue* value = find(name);
          value != nullptr && value->axes == labels_.axes.at(input.name) && value->axes.size() > 2)
        pairs += (pairs.empty() ? "--carry " : " or --carry ") + input.name + "=" + name;
  }
  if (states.empty()) {
    progress_ = pairs.empty() ? 0 : 1;  // this tells less than most refusals of a sequence
    if (!pairs.empty()) hint_ = "if the graph is one step, say which output carries a state on: " + pairs;
    files::unsupported(file_, "",
                       "no input of the graph is known as a state that an output carries on, and no input has a time");
  }
  const auto first = std::ranges::find_if(outputs, [&](const std::string& name) { return !states.contains(name); });
  if (options_.output.empty()) output_ = first == outputs.end() ? outputs.front() : *first;
  for (const GraphInput& input : inputs_) {
    if (input.state.empty()) continue;
    const Elements& next = output(input.state).elements;
    const Source& source = text_.source(input.source);
    statements +=
        "  " + source.name + "' = " + (source.scalar ? text_.scalar(next[0]) : text_.vector(next)).text + "\n";
  }
  return states;
}

// Refuses a pair of the caller's that is not an initial state of recurrent nodes of sequences and their final one.
void GraphReader::check_carried_states() const {
  for (const auto& [name, output] : options_.carried) {
    const auto input = std::ranges::find(inputs_, name, &GraphInput::name);
    bool is_carried = false;
    if (input != inputs_.end() && !text_.is_used(input->source))
      for (const Scan& scan : scans_)
        for (const StateLink& link : scan.links) is_carried = is_carried || input_of(link.initial) == &*input;
    if (!is_carried)
      files::unsupported(file_, "graph input " + in_quotes(name),
                         "cannot be carried on by " + in_quotes(output) +
                             ": they are not the initial and the final state of recurrent nodes, which nothing else "
                             "reads");
  }
}

// Refuses sequences of single steps in which other than recurrent nodes read what an output carries on: it would stay
// the same from step to step.
void GraphReader::check_carried_on() const {
  for (const GraphInput& input : inputs_)
    if (!input.has_time && text_.is_used(input.source) && !options_.carried.contains(input.name) && named_output(input))
      files::unsupported(file_, "graph input " + in_quotes(input.name),
                         "is a state that " + in_quotes(*named_output(input)) +
                             " carries on, and is read by other than recurrent nodes; if a call is one step, say so: "
                             "--carry " +
                             input.name + "=" + *named_output(input));
}

// Declares the inputs and states of the text.
std::string GraphReader::declarations() {
  std::string text;
  for (const GraphInput& input : inputs_) {
    const Source& source = text_.source(input.source);
    const std::string type = std::string("f32") + (source.scalar ? "" : "[" + std::to_string(source.size) + "]");
    if (text_.is_step()) {
      text += std::string("  ") + (input.state.empty() ? "input " : "state ") + source.name + " : " + type + "\n";
      if (input.given != nullptr) give(input, text_.all(input.source), source.name);
    } else if (input.has_time || text_.is_used(input.source)) {
      if (input.given != nullptr)
        files::unsupported(file_, "graph input " + in_quotes(input.name),
                           "is read by other than initial states; leave its value out here and give it as an input");
      text += "  input " + source.name + " : " + (input.has_time ? "seq " : "") + type + "\n";
    }
  }
  return text;
}

// Tells whether all elements are final states of scans, which callers have by the names of the states.
bool GraphReader::is_final(const OnnxValue& value) const {
  return std::ranges::all_of(value.elements, [&](const Element& e) {
    return std::ranges::any_of(scans_, [&](const Scan& scan) {
      return std::ranges::any_of(
          scan.links, [&](const StateLink& link) { return std::ranges::find(link.final, e) != link.final.end(); });
    });
  });
}

// Writes y, and the outputs after it that are no states. Those that cannot be written are left out.
std::vector<GraphReader::WrittenOutput> GraphReader::write_outputs(const std::set<std::string>& states) {
  const auto write = [&](const std::string& name) {
    const OnnxValue& value = output(name);
    return WrittenOutput{name, name, text_.express(value.elements).text, std::ssize(value.elements),
                         has(value.axes, 'T')};
  };
  std::vector<WrittenOutput> written = {write(output_)};
  for (const std::string& name : model_.graph.outputs) {
    const OnnxValue* value = find(name);
    if (name == output_ || states.contains(name) || (value != nullptr && is_final(*value))) continue;
    try {
      written.push_back(write(name));
    } catch (const Refusal&) {
      result_.left_out.push_back(name);
    }
  }
  NetworkText names(false, 0, 0);  // outputs have names of their own
  for (WrittenOutput& each : written) each.name = written.size() == 1 ? "" : names.fresh(each.name);
  return written;
}

// Writes a network around the cell `step`, whose output has those of the network side by side. The names of weights and
// states begin with that of the scan then.
std::string GraphReader::network_around_step(const std::vector<WrittenOutput>& outputs) {
  std::string text = "network model {\n", arguments;
  for (const GraphInput& input : inputs_) {
    if (!input.state.empty()) continue;
    const Source& source = text_.source(input.source);
    text +=
        "  input " + source.name + " : seq f32" + (source.scalar ? "" : "[" + std::to_string(source.size) + "]") + "\n";
    arguments += (arguments.empty() ? "" : ", ") + source.name;
  }
  text += "\n  step = step(" + arguments + ")\n";
  std::int64_t begin = 0;
  for (const WrittenOutput& each : outputs) {
    const std::int64_t end = begin + each.size;
    text += "  output " + each.name + " = step[" + std::to_string(begin) + ":" + std::to_string(end) + "]\n";
    begin = end;
  }
  const auto renamed = [](TensorMap& tensors) {
    TensorMap result;
    for (auto& [name, tensor] : tensors) result["step." + name] = std::move(tensor);
    tensors = std::move(result);
  };
  renamed(text_.weights);
  renamed(result_.states);
  return text + "}\n";
}

std::string GraphReader::text() {
  std::set<std::string> states;
  std::string next, all;
  if (text_.is_step()) states = write_states(next);
  const std::vector<WrittenOutput> outputs = write_outputs(states);
  if (!text_.is_step()) {
    check_carried_on();
    finish_scans();
    check_carried_states();
    if (scans_.empty() && text_.cells.find("  state ") == std::string::npos) {
      progress_ = 0;
      files::unsupported(file_, "", "the graph has no RNN, GRU or LSTM node, and nothing else that keeps a state");
    }
  }
  const std::string inputs = declarations();
  describe_graph(outputs);
  const bool has_network = !text_.is_step() || outputs.size() > 1;
  std::string results;
  if (text_.is_step()) {
    results =
        "  output " + (has_network ? "concat(" + join(outputs, &WrittenOutput::text) + ")" : outputs[0].text) + "\n";
  } else {
    for (const WrittenOutput& each : outputs)
      results += "  output " + (each.name.empty() ? "" : each.name + " = ") + each.text + "\n";
  }
  for (std::size_t i = 0; i < outputs.size() && scope_.ragged; ++i) {
    if (!outputs[i].has_time) continue;
    std::vector<float> row = behind_the_end(inputs, outputs[i].text);
    if (i == 0)
      result_.behind_the_end = std::move(row);
    else if (!row.empty())
      result_.others_behind_the_end[outputs[i].name] = std::move(row);
  }
  for (const std::string& statement : text_.statements) all += statement;
  return "// from an ONNX file of opset " + std::to_string(model_.opset) + "\n" +
         (text_.is_step() ? "cell step {\n" : "network model {\n") + inputs + text_.params + "\n" + all + next +
         results + "}\n" + text_.cells + (text_.is_step() && has_network ? network_around_step(outputs) : "");
}

}  // namespace rnnc::files
