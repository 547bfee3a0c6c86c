#include "import/onnx/layer_names.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include "import/onnx/recurrent.hpp"

namespace rnnc::files {
namespace {

using Path = std::vector<std::string>;

constexpr std::size_t kMostLetters =
    40;  // of a name, so that it can be read, and a parameter's own name fits behind it

Path split(std::string_view text, char at) {
  Path result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    if (end > 0) result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

// Returns the texts of a list as Python prints it: ['', 'encoder', 'encoder.rnn', 'lstm'].
Path texts_of(std::string_view list) {
  const Path parts = split(list, '\'');
  Path result;
  for (const std::string& part : parts)
    if (part.find_first_not_of("[], ") != std::string::npos) result.push_back(part);
  return result;
}

// Modules in a list have names with a dot: "/layers/layers.0/rnn" is layers.0.rnn. TensorFlow's calls of functions are
// no layers.
Path without_repeats(Path path) {
  std::erase_if(path, [](const std::string& name) { return name.ends_with("PartitionedCall"); });
  path.erase(std::unique(path.begin(), path.end()), path.end());
  for (std::size_t i = path.size(); i-- > 1;)
    if (path[i].starts_with(path[i - 1] + ".")) path[i].erase(0, path[i - 1].size() + 1);
  return path;
}

Path path_of(std::string_view name) {
  Path path = split(name.substr(0, name.find(';')), '/');  // a name of several operators begins with the first one's
  if (!path.empty()) path.pop_back();
  return without_repeats(std::move(path));
}

// Returns the layers around a node, from the outermost to its own. The last part of a name is the operator.
Path path_of(const OnnxNode& node) {
  if (Path scopes = texts_of(node.scopes); scopes.size() > 1) return split(scopes[scopes.size() - 2], '.');
  // tf2onnx names a layer LSTM__73. Its input is turned round, and that is a part of the layer still.
  const std::string input = node.input(0);
  if (node.name.starts_with(node.op + "__") && input.find("/transpose") != std::string::npos) return path_of(input);
  return path_of(node.name);
}

// Tells whether a name is a number behind the name of an operator, as exporters make them: node_LSTM, GRU_12, LSTM__4.
bool is_counted(std::string_view name, std::string op) {
  if (name.starts_with("node_")) name.remove_prefix(5);
  while (!name.empty() && std::isalpha(static_cast<unsigned char>(name.back())) == 0) name.remove_suffix(1);
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  return name.size() < 2 || std::ranges::equal(name, op, same);
}

template <class See>
void each_node(const OnnxGraph& graph, const See& see) {
  for (const OnnxNode& node : graph.nodes) {
    see(node);
    for (const auto& [name, attribute] : node.attributes)
      if (attribute.graph) each_node(*attribute.graph, see);
  }
}

std::string joined(const Path& path, std::size_t from) {
  std::string result;
  for (std::size_t i = path.size(); i-- > from;) {
    if (!result.empty() && result.size() + path[i].size() >= kMostLetters) break;
    result = result.empty() ? path[i] : path[i] + "_" + result;
  }
  return result.substr(0, kMostLetters);
}

}  // namespace

LayerNames::LayerNames(const OnnxModel& model) : are_given_(model.has_layer_names) {
  std::optional<Path> common;
  each_node(model.graph, [&](const OnnxNode& node) {
    const Path path = path_of(node);
    if (path.empty()) return;
    if (!common) common = path;
    common->erase(std::ranges::mismatch(*common, path).in1, common->end());
  });
  common_ = common.value_or(Path());
}

std::string LayerNames::of(const OnnxNode& node) const {
  if (are_given_) return node.name;
  const Path path = path_of(node);
  if (path.size() > common_.size()) return joined(path, common_.size());
  if (!is_recurrent(node)) return "";
  if (!path.empty()) return path.back();
  std::string name = node.name;
  if (constexpr std::string_view kQuantized = "_quant"; name.ends_with(kQuantized))  // by ONNX Runtime's quantizer
    name.erase(name.size() - kQuantized.size());
  const bool is_word = name.find_first_of(":/") == std::string::npos && !is_counted(name, node.op);
  return is_word ? name.substr(0, kMostLetters) : "";
}

}  // namespace rnnc::files
