// The graph's inputs and outputs, with what they are in the model, so that callers can speak of them by their names and
// lay their values as the graph has them.
#include <algorithm>

#include "import/onnx/reader.hpp"

namespace rnnc::files {
namespace {

std::vector<std::vector<std::int64_t>> factors_of(const Axes& axes) {
  std::vector<std::vector<std::int64_t>> dims;
  for (const Axis& axis : axes) {
    std::vector<std::int64_t>& factors = dims.emplace_back();
    for (const Atom& atom : axis.atoms)
      factors.push_back(atom.symbol == 'T'   ? GraphValue::kSteps
                        : atom.symbol == 'B' ? GraphValue::kSequences
                                             : atom.size);
    if (factors.empty()) factors.push_back(1);
  }
  return dims;
}

// These are the numbers of FLOAT16 and BFLOAT16 in TensorProto.DataType.
bool is_half(std::int64_t type) { return type == 10 || type == 16; }

bool has_halves(const OnnxGraph& graph) {
  return std::ranges::any_of(graph.details, [](const auto& input) { return is_half(input.second.type); }) ||
         std::ranges::any_of(graph.nodes, [](const OnnxNode& node) {
           const auto to = node.attributes.find("to");
           return node.op == "Cast" && to != node.attributes.end() && is_half(to->second.i);
         });
}

}  // namespace

void GraphReader::describe_graph(const std::vector<WrittenOutput>& outputs) {
  ImportedGraph& graph = result_.graph;
  graph.is_step = text_.is_step();
  graph.steps = labels_.time.size;
  graph.has_halves = has_halves(model_.graph);
  graph.given = options_.inputs;
  // A dim of one is no batch, so that a file in which nothing is the batch is of one sequence.
  const auto has_batch = [](const auto& labelled) { return has(labelled.second, 'B'); };
  graph.sequences = std::ranges::any_of(labels_.axes, has_batch) ? labels_.batch.size : 1;
  // A network around the cell of a step has the name of its scan before those of the states.
  const std::string scan = graph.is_step && outputs.size() > 1 ? "step." : "";
  for (const GraphInput& input : inputs_) {
    const Source& source = text_.source(input.source);
    const bool is_input = graph.is_step ? input.state.empty() : input.has_time || text_.is_used(input.source);
    const bool is_state = graph.is_step && !input.state.empty();
    GraphValue value{input.name, is_input ? source.name : is_state ? scan + source.name : "", input.state};
    value.dims = factors_of(labels_.axes.at(input.name));
    graph.inputs.push_back(std::move(value));
    if (!is_state) continue;
    GraphValue& final = graph.finals.emplace_back(GraphValue{input.state, scan + source.name});
    final.dims = factors_of(labels_.axes.at(input.name));
    for (std::int64_t k = 0; k < source.size; ++k) final.elements.emplace_back(scan + source.name, k);
  }
  for (const WrittenOutput& output : outputs)
    graph.outputs.push_back({output.graph_name, output.name, "", factors_of(find(output.graph_name)->axes)});
  for (const std::string& name : model_.graph.outputs) {
    const OnnxValue* value = graph.is_step ? nullptr : find(name);
    if (value == nullptr || !is_final(*value)) continue;
    GraphValue& final = graph.finals.emplace_back(GraphValue{name, "", "", factors_of(value->axes)});
    for (const Element& e : value->elements) final.elements.emplace_back(text_.source(e.source).name, e.index);
  }
}

}  // namespace rnnc::files
