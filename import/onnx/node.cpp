#include "import/onnx/node.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/onnx/recurrent.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

using Scope = std::vector<const OnnxGraph*>;  // a graph and the graphs around it, the outermost first

struct Found {
  const OnnxNode* node = nullptr;
  Scope scope;
};

void collect(const OnnxGraph& graph, Scope scope, std::vector<Found>& found) {
  scope.push_back(&graph);
  for (const OnnxNode& node : graph.nodes) {
    if (is_recurrent(node)) found.push_back({&node, scope});
    for (const auto& [name, attribute] : node.attributes)
      if (attribute.graph) collect(*attribute.graph, scope, found);
  }
}

std::vector<Found> find_all(const OnnxModel& model) {
  std::vector<Found> found;
  collect(model.graph, {}, found);
  return found;
}

std::string first_output(const OnnxNode& node) {
  const auto named = std::ranges::find_if(node.outputs, [](const std::string& name) { return !name.empty(); });
  return named == node.outputs.end() ? "" : *named;
}

std::string label(const Found& one, const std::vector<Found>& all) {
  const auto same = std::ranges::count_if(all, [&](const Found& other) { return other.node->name == one.node->name; });
  return one.node->name.empty() || same > 1 ? first_output(*one.node) : one.node->name;
}

// Collects the nodes and initializers that constants are computed from, in an order in which they can be computed.
class Ancestors {
 public:
  explicit Ancestors(const Scope& scope) : scope_(scope) {}

  /// Adds the nodes that `name` depends on and returns true, or returns false if one is known only when the model runs.
  bool add(const std::string& name, OnnxGraph& to) {
    std::vector<const OnnxNode*> nodes;
    std::map<std::string, std::string_view> initializers;
    std::vector<std::string> open = {name};
    std::set<std::string> seen;
    while (!open.empty()) {
      const std::string next = open.back();
      open.pop_back();
      if (next.empty() || !seen.insert(next).second) continue;
      if (const std::string_view* tensor = initializer(next)) {
        initializers[next] = *tensor;
        continue;
      }
      const OnnxNode* node = maker(next);
      if (!node || is_recurrent(*node)) return false;
      nodes.push_back(node);
      open.insert(open.end(), node->inputs.begin(), node->inputs.end());
    }
    to.initializers.insert(initializers.begin(), initializers.end());
    for (const OnnxGraph* graph : scope_)
      for (const OnnxNode& node : graph->nodes)
        if (std::ranges::find(nodes, &node) != nodes.end() && added_.insert(&node).second) to.nodes.push_back(node);
    return true;
  }

 private:
  // Initializers of the innermost graph are found first.
  const std::string_view* initializer(const std::string& name) const {
    for (auto graph = scope_.rbegin(); graph != scope_.rend(); ++graph)
      if (const auto found = (*graph)->initializers.find(name); found != (*graph)->initializers.end())
        return &found->second;
    return nullptr;
  }
  const OnnxNode* maker(const std::string& name) const {
    for (auto graph = scope_.rbegin(); graph != scope_.rend(); ++graph)
      for (const OnnxNode& node : (*graph)->nodes)
        if (std::ranges::find(node.outputs, name) != node.outputs.end()) return &node;
    return nullptr;
  }

  const Scope& scope_;
  std::set<const OnnxNode*> added_;
};

// Returns what the operator says of the shape of its input: X, sequence_lens, or an initial state.
OnnxInput shape_of_input(const OnnxNode& node, std::size_t input) {
  const auto attribute = [&](const char* name) {
    const auto found = node.attributes.find(name);
    return found == node.attributes.end() ? nullptr : &found->second;
  };
  const OnnxAttribute *layout = attribute("layout"), *direction = attribute("direction"),
                      *hidden = attribute("hidden_size");
  const bool batch_first = layout != nullptr && layout->i == 1;
  std::string kind = is_quantized_lstm(node) ? "LSTM" : node.op;
  std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const char* aliases[] = {"x", "W", "R", "B", "lengths", "_h", "_c", "P"};
  OnnxInput result{
      {}, {}, true, 1, input == 5 || input == 6 ? kind + aliases[input] : aliases[std::min<std::size_t>(input, 7)]};
  if (input == 4) {
    result.dims = {-1};
    result.names = {"batch"};
    result.type = 6;
  } else if (input == 5 || input == 6) {
    const std::int64_t directions = direction != nullptr && direction->s == "bidirectional" ? 2 : 1;
    result.dims = {directions, -1, hidden != nullptr ? hidden->i : -1};
    result.names = {"", "batch", ""};
    if (batch_first) std::swap(result.dims[0], result.dims[1]), std::swap(result.names[0], result.names[1]);
  } else {
    result.dims = {-1, -1, -1};
    result.names =
        batch_first ? std::vector<std::string>{"batch", "time", ""} : std::vector<std::string>{"time", "batch", ""};
  }
  return result;
}

OnnxModel alone(const Found& found, std::int64_t opset) {
  OnnxModel result;
  result.opset = opset;
  OnnxGraph& graph = result.graph;
  OnnxNode node = *found.node;
  if (node.outputs.empty()) node.outputs.emplace_back();
  if (node.outputs[0].empty()) node.outputs[0] = "Y";
  Ancestors ancestors(found.scope);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const std::string& name = node.inputs[i];
    if (name.empty() || std::ranges::find(graph.inputs, name) != graph.inputs.end()) continue;
    if (i > 0 && ancestors.add(name, graph)) continue;
    graph.inputs.push_back(name);
    graph.details[name] = shape_of_input(node, i);
  }
  for (const std::string& name : node.outputs)
    if (!name.empty()) graph.outputs.push_back(name);
  graph.nodes.push_back(std::move(node));
  return result;
}

}  // namespace

std::vector<std::string> recurrent_nodes(const OnnxModel& model) {
  const std::vector<Found> all = find_all(model);
  std::vector<std::string> names;
  for (const Found& one : all) names.push_back(label(one, all));
  return names;
}

OnnxModel extract_node(const OnnxModel& model, const std::string& name, std::string_view file) {
  const std::vector<Found> all = find_all(model);
  for (const Found& one : all)
    if (label(one, all) == name) {
      OnnxModel result = alone(one, model.opset);
      result.own = model.own;  // what its constants lie in
      result.has_layer_names = model.has_layer_names;
      return result;
    }
  const std::string known = join(recurrent_nodes(model), in_quotes);
  unsupported(file, "",
              "there is no recurrent node " + in_quotes(name) + (known.empty() ? "" : "; there are: " + known));
}

}  // namespace rnnc::files
