#include <algorithm>
#include <cctype>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/onnx/reader.hpp"
#include "import/refusal.hpp"
#include "ir/interpret_network.hpp"

namespace rnnc::files {
namespace {

// Tells whether a name speaks of a state: an input frame_in and an output frame_out are none.
bool speaks_of_state(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* word :
       {"state", "hidden", "cache", "memory", "buffer", "context", "past", "carry", "lstm", "gru", "rnn"})
    if (name.find(word) != std::string::npos) return true;
  static const std::set<std::string> short_names = {"h",   "c",    "h0",   "c0",     "hx",     "cx",     "h_0",
                                                    "c_0", "h_in", "c_in", "h_prev", "c_prev", "h_init", "c_init",
                                                    "hin", "cin",  "mem",  "buf",    "ctx"};
  return short_names.contains(name);
}

// Tells whether an output is named as the new value of an input: h and hn, state_in and state_out, cache and new_cache.
bool names_match(std::string input, std::string output) {
  const auto words = [](std::string name) {
    std::set<std::string> result;
    std::string word;
    for (const char c : name + "_") {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        continue;
      }
      static const std::set<std::string> meaningless = {"in",      "out",     "input", "output", "new",
                                                        "next",    "prev",    "old",   "past",   "cur",
                                                        "present", "updated", "last",  "n",      "o"};
      if (!word.empty() && !meaningless.contains(word)) result.insert(word);
      word.clear();
    }
    return result;
  };
  const auto a = words(input), b = words(output);
  if (!a.empty() && a == b && input != output) return true;
  const auto lower = [](std::string& name) {
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  };
  lower(input);
  lower(output);
  for (const char* end : {"n", "o", "out", "new", "next"})
    if (output == input + end) return true;
  for (const char* begin : {"i", "in", "0"})
    for (const char* end : {"o", "out", "n", "1"})
      if (input.ends_with(begin) && output.ends_with(end) &&
          input.substr(0, input.size() - std::string_view(begin).size()) ==
              output.substr(0, output.size() - std::string_view(end).size()))
        return true;
  return false;
}

}  // namespace

// Returns the graph input of which all elements are, if there is one and it has no time.
const GraphReader::GraphInput* GraphReader::input_of(const Elements& elements) const {
  for (const GraphInput& input : inputs_)
    if (!elements.empty() && (!input.has_time || text_.is_step()) &&
        std::ranges::all_of(elements, [&](const Element& e) { return e.source == input.source; }))
      return &input;
  return nullptr;
}

// Tells whether an output has, where the input has the initial state, the final one. The whole input of a model of
// sequences of any length is not a state but a value of the call, which begins each of them.
bool GraphReader::is_state(const GraphInput& input, const StateLink& link) const {
  const std::size_t size = static_cast<std::size_t>(text_.source(input.source).size);
  if (link.initial.size() == size && scope_.time.size != 1) return false;
  for (const std::string& name : model_.graph.outputs) {
    const OnnxValue* value = find(name);
    if (value == nullptr || value->elements.size() != size) continue;
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

// Returns the graph output that is the new value of an input of one step, if the input is a state.
std::optional<std::string> GraphReader::output_of_state(const GraphInput& input) const {
  const OnnxValue* own = find(input.name);
  const auto& outputs = model_.graph.outputs;
  if (const auto carried = options_.carried.find(input.name); carried != options_.carried.end()) {
    const OnnxValue* value = find(carried->second);
    if (value == nullptr || own == nullptr || value->elements.size() != own->elements.size())
      refuse(ErrorCode::Usage, file_, "graph input " + in_quotes(input.name),
             "cannot be carried on by " + in_quotes(carried->second) + ", which is no output of its size");
    return carried->second;
  }
  std::vector<const StateLink*> links;
  for (const StateLink& link : links_)
    if (input_of(link.initial) == &input) links.push_back(&link);
  for (const std::string& name : outputs) {
    const OnnxValue* value = find(name);
    if (value == nullptr || own == nullptr || own->integer || value->elements.size() != own->elements.size()) continue;
    const bool linked = !links.empty() && std::ranges::all_of(links, [&](const StateLink* link) {
      for (std::size_t k = 0; k < link->initial.size(); ++k)
        if (value->elements[static_cast<std::size_t>(link->initial[k].index)] != link->final[k]) return false;
      return true;
    });
    if (linked) return name;
  }
  for (const std::string& name : outputs) {
    const OnnxValue* value = find(name);
    if (value != nullptr && own != nullptr && !own->integer && value->elements.size() == own->elements.size() &&
        value->axes.size() == own->axes.size() && speaks_of_state(input.name) && names_match(input.name, name))
      return name;
  }
  return std::nullopt;
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
  if (value == nullptr) files::unsupported(file_, what, "does not depend on the model's input");
  if (value->zeros_before != 0 || value->zeros_after != 0)
    files::unsupported(file_, what, "has steps put around the sequence");
  if (value->turned) files::unsupported(file_, what, "has its steps turned round");
  return *value;
}

// Computes a row of the output behind the end of a sequence, where recurrent nodes give zeros: the text without its
// scans. Returns nothing where the row is zero, or depends on what is behind the ends in x.
std::vector<float> GraphReader::behind_the_end(const std::string& inputs, const std::string& output) {
  std::vector<std::string> statements = text_.statements;
  std::string zeros;
  ir::NamedVectors weights;
  for (const Scan& scan : scans_) {
    const std::string name = text_.fresh("zero");
    const std::size_t size = scan.links.at(0).final.size();
    statements[scan.statement] = "  " + scan.name + " = " + name + "\n";
    zeros += "  param " + name + " : f32[" + std::to_string(size) + "]\n";
    weights[name] = ir::Vector(size, 0);
  }
  std::string all;
  for (const std::string& statement : statements) all += statement;
  const Result<Model> model = parse(
      "network model {\n" + inputs + text_.params + zeros + all + "  output " + output + "\n}\n" + text_.cells, file_);
  if (!model) return {};  // the output reads final states
  const ir::Network& network = model->module().networks.at(0);
  if (network[network.output()].type.is_sequence()) return {};
  ir::NetworkBatch batch{1, {{std::string(ir::kTime), {1, {}}}}, {}};
  for (const ir::Node& node : network.nodes)
    if (node.op == ir::Op::Input)
      batch.inputs[node.name] = ir::Vector(static_cast<std::size_t>(elements(node.type)), 0);
  for (const auto& [name, tensor] : text_.weights) {
    if (name.find('.') != std::string::npos) continue;
    const std::vector<float> values = tensor.to_f32();
    weights[name] = ir::Vector(values.begin(), values.end());
  }
  ir::NamedVectors finals;
  const ir::Vector row = ir::interpret(network, weights, batch, finals);
  if (std::ranges::all_of(row, [](double v) { return v == 0; })) return {};
  return {row.begin(), row.end()};
}

std::string GraphReader::text() {
  const std::vector<std::string>& outputs = model_.graph.outputs;
  std::string head = "// from an ONNX file of opset " + std::to_string(model_.opset) + "\n", tail;
  const auto type = [&](const GraphInput& input) {
    const Source& source = text_.source(input.source);
    return std::string("f32") + (source.scalar ? "" : "[" + std::to_string(source.size) + "]");
  };
  std::set<std::string> states;
  if (text_.is_step()) {
    pair_states();
    for (const GraphInput& input : inputs_)
      if (!input.state.empty()) states.insert(input.state);
    const auto first = std::ranges::find_if(outputs, [&](const std::string& name) { return !states.contains(name); });
    if (states.empty()) {
      std::string pairs;
      for (const GraphInput& input : inputs_)
        for (const std::string& name : outputs)
          if (const OnnxValue* value = find(name);
              value != nullptr && value->axes == labels_.axes.at(input.name) && value->axes.size() > 2)
            pairs += (pairs.empty() ? "; if one is, say so: --carry " : " or --carry ") + input.name + "=" + name;
      progress_ = pairs.empty() ? 0 : 1;  // this tells less than most refusals of a sequence
      files::unsupported(
          file_, "",
          "no input of the graph is known as a state that an output carries on, and no input has a time" + pairs);
    }
    if (first == outputs.end()) files::unsupported(file_, "", "every output of the graph is a state");
    if (options_.output.empty()) output_ = *first;
    for (const GraphInput& input : inputs_)
      if (!input.state.empty())
        tail +=
            "  " + text_.source(input.source).name + "' = " + text_.vector(output(input.state).elements).text + "\n";
  } else {
    finish_scans();
  }
  const std::string result = text_.express(output(output_).elements).text;
  if (!text_.is_step() && text_.cells.find("  state ") == std::string::npos) {
    progress_ = 0;
    files::unsupported(file_, "", "the graph has no RNN, GRU or LSTM node, and nothing else that keeps a state");
  }
  std::string inputs;
  for (const GraphInput& input : inputs_) {
    const Source& source = text_.source(input.source);
    if (text_.is_step()) {
      inputs +=
          std::string("  ") + (input.state.empty() ? "input " : "state ") + source.name + " : " + type(input) + "\n";
      if (input.given != nullptr) give(input, text_.all(input.source), source.name);
    } else if (input.has_time || text_.is_used(input.source)) {
      if (input.given != nullptr)
        files::unsupported(file_, "graph input " + in_quotes(input.name),
                           "is read by other than initial states; leave its value out here and give it as an input");
      inputs += "  input " + source.name + " : " + (input.has_time ? "seq " : "") + type(input) + "\n";
    }
  }
  for (const std::string& name : outputs) {
    if (name == output_ || states.contains(name)) continue;
    const OnnxValue* value = find(name);
    const bool is_final = value != nullptr && std::ranges::all_of(value->elements, [&](const Element& e) {
                            return std::ranges::any_of(scans_, [&](const Scan& scan) {
                              return std::ranges::any_of(scan.links, [&](const StateLink& link) {
                                return std::ranges::find(link.final, e) != link.final.end();
                              });
                            });
                          });
    if (!is_final) result_.left_out.push_back(name);
  }
  if (scope_.ragged && has(output(output_).axes, 'T')) result_.behind_the_end = behind_the_end(inputs, result);
  std::string all;
  for (const std::string& statement : text_.statements) all += statement;
  const std::string body = inputs + text_.params + "\n" + all + tail + "  output " + result + "\n}\n";
  return head + (text_.is_step() ? "cell step {\n" : "network model {\n") + body + text_.cells;
}

}  // namespace rnnc::files
