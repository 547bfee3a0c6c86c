#include "import/onnx/network.hpp"

#include <algorithm>
#include <cstring>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/onnx/node.hpp"
#include "import/onnx/recurrent.hpp"
#include "import/onnx/shapes.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kMaxTraced = 1000;  // nodes between a graph input and its recurrent node

class NetworkImport {
 public:
  NetworkImport(const OnnxModel& model, const FileContent& content, std::string_view file, const ImportOptions& options)
      : model_(model),
        graph_(model.graph),
        file_(file),
        constants_(model.graph, options.inputs, content, file, options.limits),
        shapes_(constants_, file),
        options_(options) {}

  Imported import();

 private:
  void name_input(const std::string& name, std::string axes, std::int64_t size);
  void add_recurrent(const OnnxNode& node);
  void add_lengths(const OnnxNode& node);
  std::string initial(const OnnxNode& node, std::size_t input, const OnnxRecurrent& recurrent, std::size_t direction,
                      const std::string& scan, const std::string& state);
  std::string constant_initial(const OnnxNode& node, const std::string& name, const TensorView& tensor,
                               const OnnxRecurrent& recurrent, std::size_t direction, const std::string& state);
  std::string output();
  [[noreturn]] void invalid(const OnnxNode& node, const std::string& why) const {
    files::invalid(file_, node.describe(), why);
  }
  [[noreturn]] void unsupported(const OnnxNode& node, const std::string& why) const {
    files::unsupported(file_, node.describe(), why);
  }

  const OnnxModel& model_;
  const OnnxGraph& graph_;
  std::string_view file_;
  OnnxConstants constants_;
  OnnxShapes shapes_;
  const ImportOptions& options_;
  NetworkText text_;
  std::map<std::string, OnnxValue> values_;
  std::set<std::string> traced_;        // by name_input
  std::set<std::string> states_;        // final states by our names, which need not be in the network's output
  std::optional<std::string> lengths_;  // the graph's name of sequence_lens; "" for none
  Imported result_{Model(nullptr), {}, {}, {}, {}};
};

// Names a graph input that a recurrent node reads, also through operators that move dimensions or keep them.
void NetworkImport::name_input(const std::string& name, std::string axes, std::int64_t size) {
  if (values_.contains(name) || constants_.find(name) != nullptr) return;
  if (traced_.size() > kMaxTraced || !traced_.insert(name).second) return;  // a cycle, or too long a chain
  if (std::ranges::find(graph_.inputs, name) != graph_.inputs.end()) {
    const std::vector<std::int64_t>& dims = graph_.dims.at(name);
    if (!dims.empty() && dims.size() != axes.size())
      files::invalid(file_, "graph input " + in_quotes(name),
                     "has " + std::to_string(dims.size()) + " dimensions, not " + std::to_string(axes.size()));
    const std::size_t feature = axes.find('F');
    const bool scalar = feature == std::string::npos;
    if (!scalar && !dims.empty() && dims[feature] > 0) {
      if (size > 0 && dims[feature] != size)
        files::invalid(
            file_, "graph input " + in_quotes(name),
            "shape mismatch: has " + std::to_string(dims[feature]) + " features, not " + std::to_string(size));
      size = dims[feature];
    }
    if (size < 1 || size > (1 << 24))
      files::unsupported(file_, "graph input " + in_quotes(name), "has no number of features; give its shape one");
    const std::string ours = text_.fresh("x");
    text_.inputs += "  input " + ours + " : seq f32" + (scalar ? "" : "[" + std::to_string(size) + "]") + "\n";
    values_[name] = {axes, {ours}, size};
    return;
  }
  for (const OnnxNode& node : graph_.nodes) {
    if (std::ranges::find(node.outputs, name) == node.outputs.end()) continue;
    if (is_recurrent(node) || node.inputs.empty() || node.output(0) != name) return;
    OnnxAttributes attributes(node, file_);
    if (node.op == "Transpose") {
      std::vector<std::int64_t> order = attributes.integers("perm").value_or(std::vector<std::int64_t>{2, 1, 0});
      std::string before(axes.size(), '?');
      if (order.size() != axes.size()) return;
      for (std::size_t i = 0; i < order.size(); ++i)
        if (order[i] >= 0 && order[i] < static_cast<std::int64_t>(order.size()))
          before[static_cast<std::size_t>(order[i])] = axes[i];
      if (before.find('?') != std::string::npos) return;
      axes = before;
    } else if (node.op == "MatMul") {
      size = 0;
    } else if (node.op == "Gather" && constants_.find(node.input(0)) != nullptr && axes.ends_with('F')) {
      axes.pop_back();  // the input of an embedding is numbers
      size = 1;
    }
    for (const std::string& input : node.inputs)
      if (input != name) name_input(input, axes, size);
    return;
  }
}

void NetworkImport::add_lengths(const OnnxNode& node) {
  const std::string name = node.input(4);
  if (lengths_ && *lengths_ != name)
    unsupported(node, "its sequence_lens are not those of the recurrent nodes before it");
  lengths_ = name;
  text_.ragged = !name.empty();
  const auto values = constants_.integers(name);
  if (name.empty() || !result_.lengths.empty()) return;
  if (!values && std::ranges::find(graph_.inputs, name) == graph_.inputs.end())
    unsupported(node, "its sequence_lens are computed; make them a graph input");
  if (!values) return;
  for (const std::int64_t length : *values) {
    if (length < 0 || length > (1 << 24)) invalid(node, "sequence_lens has " + std::to_string(length));
    result_.lengths.push_back(static_cast<std::int32_t>(length));
  }
}

// Returns the text of a constant initial state, [D,B,H], or [B,D,H] with layout 1. The constant of a graph input
// becomes a state of the call, any other a parameter.
std::string NetworkImport::constant_initial(const OnnxNode& node, const std::string& name, const TensorView& tensor,
                                            const OnnxRecurrent& recurrent, std::size_t direction,
                                            const std::string& state) {
  const std::size_t D = recurrent.directions.size();
  const std::int64_t H = recurrent.hidden_size;
  const std::size_t batch_axis = recurrent.batch_first ? 0 : 1;
  if (tensor.shape.size() != 3 || tensor.shape[2] != H || tensor.shape[1 - batch_axis] != static_cast<std::int64_t>(D))
    invalid(node, "shape mismatch: " + in_quotes(name) + " must be " + (recurrent.batch_first ? "[B," : "[") +
                      std::to_string(D) + (recurrent.batch_first ? "," : ",B,") + std::to_string(H) + "] but is " +
                      to_string(tensor.shape));
  const std::vector<float> all = tensor.to_f32();
  const std::int64_t B = tensor.shape[batch_axis];
  std::vector<float> own;
  for (std::int64_t b = 0; b < B; ++b) {
    const auto d = static_cast<std::int64_t>(direction), count = static_cast<std::int64_t>(D);
    const auto row = all.begin() + (recurrent.batch_first ? b * count + d : d * B + b) * H;
    own.insert(own.end(), row, row + H);
  }
  if (options_.inputs.contains(name)) {
    result_.states[state] = Tensor::from_f32({B, H}, own);
    return "";
  }
  if (std::ranges::all_of(own, [](float v) { return v == 0; })) return "";
  for (std::size_t k = static_cast<std::size_t>(H); k < own.size(); ++k)
    if (own[k] != own[k - static_cast<std::size_t>(H)])
      unsupported(node, in_quotes(name) + " differs within the batch; make it a graph input");
  own.resize(static_cast<std::size_t>(H));
  return text_.param("start", Tensor::from_f32({H}, own));
}

// Returns the text of a state's initial value, "" for zero.
std::string NetworkImport::initial(const OnnxNode& node, std::size_t input, const OnnxRecurrent& recurrent,
                                   std::size_t direction, const std::string& scan, const std::string& state) {
  const std::string name = node.input(input);
  if (name.empty()) return "";
  if (const TensorView* tensor = constants_.find(name))
    return constant_initial(node, name, *tensor, recurrent, direction, scan + "." + state);
  if (const auto value = values_.find(name); value != values_.end()) {
    if (value->second.axes != (recurrent.batch_first ? "BDF" : "DBF") || value->second.size != recurrent.hidden_size ||
        value->second.parts.size() != recurrent.directions.size())
      unsupported(node, "its initial state " + in_quotes(name) + " is no final state of the same shape");
    return value->second.parts[direction];
  }
  if (std::ranges::find(graph_.inputs, name) == graph_.inputs.end())
    unsupported(node, "its initial state " + in_quotes(name) + " is not known; make it a graph input");
  const std::string ours = text_.fresh(scan + "_" + state);
  text_.inputs += "  input " + ours + " : f32[" + std::to_string(recurrent.hidden_size) + "]\n";
  return ours;
}

void NetworkImport::add_recurrent(const OnnxNode& node) {
  OnnxRecurrent recurrent = read_recurrent(node, constants_, model_.opset, file_);
  const std::string axes = recurrent.batch_first ? "BTF" : "TBF";
  name_input(node.input(0), axes, recurrent.input_size);
  const auto x = values_.find(node.input(0));
  if (x == values_.end())
    unsupported(node, "its input " + in_quotes(node.input(0)) + " cannot be traced to a graph input");
  if (x->second.axes != axes || x->second.parts.size() != 1)
    unsupported(node, "its input has dimensions " + x->second.axes + " but must have " + axes);
  if (x->second.size != recurrent.input_size)
    invalid(node, "shape mismatch: W is for " + std::to_string(recurrent.input_size) + " features but X has " +
                      std::to_string(x->second.size));
  add_lengths(node);
  std::string kind = node.op;
  std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string base = text_.fresh(kind);
  OnnxValue y{recurrent.batch_first ? "BTDF" : "TDBF", {}, recurrent.hidden_size};
  std::vector<OnnxValue> finals(recurrent.states.size(),
                                {recurrent.batch_first ? "BDF" : "DBF", {}, recurrent.hidden_size});
  for (std::size_t d = 0; d < recurrent.directions.size(); ++d) {
    OnnxDirection& direction = recurrent.directions[d];
    const std::string scan =
        recurrent.directions.size() == 1 ? base : text_.fresh(base + (direction.reverse ? "_bwd" : "_fwd"));
    text_.cells += "\ncell " + scan + "_cell" + direction.cell_body;
    std::vector<std::string> from;
    for (std::size_t s = 0; s < recurrent.states.size(); ++s) {
      const std::string value = initial(node, 5 + s, recurrent, d, scan, recurrent.states[s]);
      if (!value.empty()) from.push_back(recurrent.states[s] + " = " + value);
      finals[s].parts.push_back(scan + "." + recurrent.states[s]);
    }
    text_.statements += "  " + scan + " = " + (direction.reverse ? "reverse " : "") + scan + "_cell(" +
                        x->second.parts[0] + ")" + (from.empty() ? "" : " from (" + join(from) + ")") + "\n";
    for (auto& [name, tensor] : direction.weights) text_.weights[scan + "." + name] = std::move(tensor);
    y.parts.push_back(scan);
  }
  if (!node.output(0).empty()) values_[node.output(0)] = y;
  for (std::size_t s = 0; s < finals.size(); ++s) {
    if (node.output(s + 1).empty()) continue;
    values_[node.output(s + 1)] = finals[s];
    states_.insert(finals[s].parts.begin(), finals[s].parts.end());
  }
}

// Returns the first graph output. The others must be final states, which --final-state gives by name.
std::string NetworkImport::output() {
  if (graph_.outputs.empty()) files::invalid(file_, "", "the graph has no outputs; export it again");
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    const auto value = values_.find(graph_.outputs[i]);
    const std::string what = "graph output " + in_quotes(graph_.outputs[i]);
    if (value == values_.end()) files::unsupported(file_, what, "does not depend on the model's input");
    const auto is_state = [&](const std::string& part) { return states_.contains(part); };
    if (i > 0 && !std::ranges::all_of(value->second.parts, is_state))
      files::unsupported(file_, what, "a network has one output, and this is neither the first nor a final state");
  }
  return values_.at(graph_.outputs[0]).joined();
}

Imported NetworkImport::import() {
  for (const char* name : {"T", "B", "model", "forward", "reverse", "bidirectional", "merge", "steps", "from"})
    text_.names.insert(name);
  if (std::ranges::none_of(graph_.nodes, is_recurrent))
    files::unsupported(file_, "", "the graph has no RNN, GRU or LSTM node outside of other nodes");
  bool recurrent = false;
  std::set<std::string> made(graph_.inputs.begin(), graph_.inputs.end());
  for (const OnnxNode& node : graph_.nodes) {
    for (const std::string& name : node.outputs)
      if (!name.empty() && (graph_.initializers.contains(name) || !made.insert(name).second))
        invalid(node, "its output " + in_quotes(name) + " has a value already; the graph has a cycle or a name twice");
    if (constants_.fold(node)) {
      constants_.done_with(node);
      continue;
    }
    if (is_recurrent(node)) {
      recurrent = true;
      add_recurrent(node);
      constants_.done_with(node);
      continue;
    }
    if (!recurrent && traced_.empty())  // these nodes stand before the first recurrent node
      for (const OnnxNode& later : graph_.nodes)
        if (is_recurrent(later)) {
          const bool batch_first = later.attributes.contains("layout") && later.attributes.at("layout").i == 1;
          name_input(later.input(0), batch_first ? "BTF" : "TBF", 0);
          break;
        }
    if (!shapes_.evaluate(node, values_))
      values_[node.output(0)] = evaluate_glue(node, values_, constants_, shapes_, text_, file_);
    constants_.done_with(node);
  }
  const std::string out = output();
  const std::string source = "// from an ONNX file of opset " + std::to_string(model_.opset) + "\nnetwork model {\n" +
                             text_.inputs + text_.params + "\n" + text_.statements + "  output " + out + "\n}\n" +
                             text_.cells;
  Result<Model> parsed = parse(source, file_);
  if (!parsed) throw Refusal{parsed.error()};
  result_.model = std::move(*parsed);
  result_.weights = std::move(text_.weights);
  result_.inputs = graph_.inputs;
  return std::move(result_);
}

}  // namespace

Imported import_onnx(const FileContent& content, std::string_view file, const ImportOptions& options) {
  const OnnxModel model = parse_onnx(content.text(), file, options.limits);
  if (model.opset < 1 || model.opset > 25)
    unsupported(file, "", "opset " + std::to_string(model.opset) + " is not known; export for one from 1 to 25");
  if (!options.node.empty())
    return NetworkImport(extract_node(model, options.node, file), content, file, options).import();
  try {
    return NetworkImport(model, content, file, options).import();
  } catch (Refusal& refusal) {
    const std::string known = join(recurrent_nodes(model), in_quotes);
    if (refusal.error.code == ErrorCode::Unsupported && !known.empty())
      refusal.error.message += "\na recurrent node can be imported alone, by --node or ImportOptions::node: " + known;
    throw;
  }
}

}  // namespace rnnc::files
