#include "import/onnx/reader.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr int kMostNesting = 16;
constexpr std::size_t kMostCopies = 64;  // of a file's bytes, as weights in another order

// Names that a node reads, also in the graphs within it.
void collect_inputs(const OnnxNode& node, std::set<std::string>& names) {
  names.insert(node.inputs.begin(), node.inputs.end());
  for (const auto& [name, attribute] : node.attributes) {
    if (!attribute.graph) continue;
    for (const OnnxNode& inner : attribute.graph->nodes) collect_inputs(inner, names);
    names.insert(attribute.graph->outputs.begin(), attribute.graph->outputs.end());
  }
}

// Tells whether a TensorProto.DataType is of integers that are narrow or have no sign.
bool has_narrow_integers(std::int64_t type) { return (type >= 2 && type <= 5) || type == 12 || type == 13; }

}  // namespace

GraphReader::GraphReader(const OnnxModel& model, const FileContent& content, std::string_view file,
                         const ImportOptions& options, OnnxFiles& beside, const OnnxLabels& labels)
    : model_(model),
      file_(file),
      options_(options),
      labels_(labels),
      constants_(model.graph, options.inputs, content, file, options.limits, beside),
      counts_(constants_, file),
      layers_(model),
      text_(labels.is_step, kMostCopies * constants_.most_bytes(), options.limits.max_graph_work),
      scope_{constants_, counts_, text_, {}, labels.time, labels.batch, model.opset, file, false, false, false, {}} {}

void GraphReader::invalid(const OnnxNode& node, const std::string& why) const {
  files::invalid(file_, node.describe(), why);
}
void GraphReader::unsupported(const OnnxNode& node, const std::string& why) const {
  files::unsupported(file_, node.describe(), why);
}

const OnnxValue* GraphReader::find(const std::string& name) const {
  const auto found = scope_.values.find(name);
  return found == scope_.values.end() ? nullptr : &found->second;
}

// Returns how a recurrent node is named: after its layer, or "lstm" if the file names none.
std::string GraphReader::layer_or_kind(const OnnxNode& node) const {
  std::string name = layers_.of(node);
  if (!name.empty()) return name;
  name = node.op;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

// A graph input is a sequence, a vector, or a number for each step or sequence. Its features are its other dims.
void GraphReader::add_inputs() {
  for (const std::string& name : model_.graph.inputs) {
    const auto labelled = labels_.axes.find(name);
    if (labelled == labels_.axes.end()) continue;
    const Axes& axes = labelled->second;
    const OnnxInput& details = model_.graph.details.at(name);
    GraphInput input;
    input.name = name;
    input.has_time = has(axes, 'T');
    const std::int64_t size = fixed(axes);
    if (size > kMostElements)
      files::unsupported(file_, "graph input " + in_quotes(name), "has more than a million features");
    text_.count_work(static_cast<std::size_t>(size));
    const bool scalar = std::ranges::none_of(axes, &Axis::is_number);
    input.source = text_.add({text_.fresh(details.alias.empty() ? name : details.alias), size, scalar, input.has_time});
    if (const auto given = options_.inputs.find(name); given != options_.inputs.end())
      input.given = &given->second, constants_.hide(name);
    OnnxValue value{axes, text_.all(input.source)};
    value.wraps = has_narrow_integers(details.type);
    value.integer = value.wraps || details.type == 6 || details.type == 7 || details.type == 9;
    scope_.values[name] = std::move(value);
    made_.insert(name);
    inputs_.push_back(std::move(input));
  }
}

// Collects the nodes that the wanted names depend on.
void GraphReader::find_needed(const OnnxGraph& graph, const std::set<std::string>& wanted,
                              std::set<const OnnxNode*>& needed) const {
  std::set<std::string> names = wanted;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::ranges::none_of(node->outputs, [&](const std::string& name) { return names.contains(name); })) continue;
    needed.insert(&*node);
    collect_inputs(*node, names);
    names.erase("");
  }
}

void GraphReader::read_nodes(const OnnxGraph& graph) {
  if (++depth_ > kMostNesting) refuse(ErrorCode::Limit, file_, "", "graphs nest deeper than 16");
  const bool is_top = &graph == &model_.graph;
  if (is_top) {
    find_needed(graph, {output_}, needed_by_main_);
    find_needed(graph, {graph.outputs.begin(), graph.outputs.end()}, needed_);
  }
  for (const OnnxNode& node : graph.nodes) {
    for (const std::string& name : node.outputs)
      if (!name.empty() && (graph.initializers.contains(name) || !made_.insert(name).second))
        invalid(node, "its output " + in_quotes(name) + " has a value already; the graph has a cycle or a name twice");
    if (is_top && !needed_.contains(&node)) continue;
    const bool needed = !is_top || needed_by_main_.contains(&node);
    scope_.met_unknown_operator = false;
    text_.begin_layer(layers_.of(node));
    try {
      read_node(node, needed);
      ++progress_;
    } catch (Refusal& refusal) {
      if (refusal.error.place.file.empty()) {
        refusal.error = Error{refusal.error.code, {std::string(file_)}, node.describe() + ": " + refusal.error.message};
      }
      if (needed && scope_.met_unknown_operator) cut_ = how_to_cut(node);
      if (needed) throw;
      // Only outputs beside the first need it: they are left out, and named with the reason.
      for (const std::string& name : node.outputs) broken_[name] = refusal.error.message;
    }
    constants_.done_with(node);
    forget_inputs(node);
  }
  --depth_;
}

// Says how ONNX's own program makes a model without an operator: one that ends before it, where it reads what is
// computed from recurrent nodes, and else one that begins behind it.
std::string GraphReader::how_to_cut(const OnnxNode& node) const {
  const auto is_input = [&](const std::string& name) { return std::ranges::count(model_.graph.inputs, name) != 0; };
  std::vector<std::string> inputs = model_.graph.inputs, outputs;
  for (const std::string& name : node.inputs)  // it may read one value twice
    if (find(name) != nullptr && !is_input(name) && std::ranges::count(outputs, name) == 0) outputs.push_back(name);
  const bool ends_before = !scans_.empty() && !outputs.empty();
  if (!ends_before) {
    std::set<std::string> read(model_.graph.outputs.begin(), model_.graph.outputs.end());
    for (const OnnxNode& each : model_.graph.nodes) collect_inputs(each, read);
    if (scans_.empty()) inputs.clear();
    std::ranges::copy_if(node.outputs, std::back_inserter(inputs),
                         [&](const std::string& name) { return read.contains(name); });
    outputs = model_.graph.outputs;
  }
  const auto listed = [](const std::vector<std::string>& names) { return "[" + join(names, in_quotes) + "]"; };
  return std::string("to cut the model ") + (ends_before ? "before" : "behind") +
         " this operator, and compute the rest elsewhere, in Python: onnx.utils.extract_model(" +
         in_quotes(std::string(file_)) + ", \"part.onnx\", " + listed(inputs) + ", " + listed(outputs) + ")";
}

// Forgets the values that no later node needs, so that a long graph of large values takes no more memory than a short
// one.
void GraphReader::forget_inputs(const OnnxNode& node) {
  for (const std::string& name : node.inputs)
    if (constants_.is_done(name) && !labels_.axes.contains(name)) forget(name);
}

void GraphReader::forget(const std::string& name) {
  unrounded_.erase(name);
  const auto found = scope_.values.find(name);
  if (found == scope_.values.end()) return;
  scope_.values.erase(found);
}

void GraphReader::read_node(const OnnxNode& node, bool is_needed) {
  if (!is_needed)
    for (const std::string& name : node.inputs)
      if (const auto broken = broken_.find(name); broken != broken_.end()) unsupported(node, broken->second);
  if (constants_.fold(node)) return;
  if (read_quantized(node)) return;
  if (!unrounded_.empty()) {
    std::set<std::string> names;
    collect_inputs(node, names);
    for (const std::string& name : names) write_integers(name);
  }
  if (is_recurrent(node)) return read_recurrent_node(node);
  if (node.op == "If" && node.domain.empty()) return read_if(node);
  if (node.op == "Scan" && node.domain.empty()) return read_scan(node);
  if (node.op == "Loop" && node.domain.empty()) return read_loop(node);
  if (read_list(node) || read_history(node)) return;
  if (counts_.evaluate(node, scope_.values)) return;
  read_glue(node);
}

void GraphReader::read_glue(const OnnxNode& node) {
  const std::vector<OnnxValue> results = evaluate_glue(node, scope_);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (!node.output(i).empty()) keep(node.output(i), results[i]);
}

// Keeps a value; one without the time and the batch that is made of constants is a constant, which may be a shape.
void GraphReader::keep(const std::string& name, const OnnxValue& value) {
  // Narrow integers stay values, which know that they wrap round.
  const bool constant = !value.wraps && std::ranges::all_of(value.elements, &Element::is_constant) &&
                        std::ranges::all_of(value.axes, &Axis::is_number);
  text_.count_work(value.elements.size());
  if (!constant) {
    scope_.values[name] = value;
    return;
  }
  const auto put = [&](ElementType type, const auto& numbers) {
    const auto bytes = std::as_bytes(std::span(numbers));
    constants_.put(name, TensorView::own(type, fixed_shape(value.axes), {bytes.begin(), bytes.end()}));
  };
  std::vector<float> numbers;
  for (const Element& e : value.elements) numbers.push_back(e.constant());
  if (value.integer)
    put(ElementType::I64, std::vector<std::int64_t>(numbers.begin(), numbers.end()));
  else
    put(ElementType::F32, numbers);
}

// Names the graph inputs that decide a value of the main graph, for a message.
std::string GraphReader::inputs_behind(const std::string& name) const {
  std::set<std::string> names = {name};
  std::vector<std::string> inputs;
  for (auto node = model_.graph.nodes.rbegin(); node != model_.graph.nodes.rend(); ++node)
    if (std::ranges::any_of(node->outputs, [&](const std::string& own) { return names.contains(own); }))
      collect_inputs(*node, names);
  for (const std::string& input : model_.graph.inputs)
    if (names.contains(input) && labels_.axes.contains(input)) inputs.push_back(input);
  if (inputs.empty()) return "the inputs that decide it";
  return "the input" + std::string(inputs.size() > 1 ? "s " : " ") + join(inputs, in_quotes) + " a value";
}

// Takes the branch that a constant chooses.
void GraphReader::read_if(const OnnxNode& node) {
  const auto condition = counts_.find(node.input(0));
  const auto known = condition && condition->numbers.size() == 1 ? condition->numbers[0].number() : std::nullopt;
  if (!known)
    unsupported(node, "its condition " + in_quotes(node.input(0)) + " is known only when the model runs; give " +
                          inputs_behind(node.input(0)) + " (--const NAME=VALUE, ImportOptions::inputs)");
  const auto branch = node.attributes.find(*known != 0 ? "then_branch" : "else_branch");
  if (branch == node.attributes.end() || !branch->second.graph) invalid(node, "has no branch for its condition");
  const OnnxGraph& graph = *branch->second.graph;
  if (graph.outputs.size() != node.outputs.size()) invalid(node, "its branch has another number of outputs");
  constants_.enter(graph);
  read_nodes(graph);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const std::string &from = graph.outputs[i], &to = node.outputs[i];
    if (to.empty() || to == from) continue;
    if (const OnnxValue* value = find(from))
      scope_.values[to] = OnnxValue(*value);
    else if (const TensorView* tensor = constants_.find(from))
      constants_.put(to, TensorView(*tensor));
    else
      counts_.alias(from, to);
  }
}

Imported GraphReader::read() {
  const OnnxGraph& graph = model_.graph;
  if (graph.outputs.empty()) files::invalid(file_, "", "the graph has no outputs; export it again");
  scope_.ragged = std::ranges::any_of(
      graph.nodes, [](const OnnxNode& node) { return is_recurrent(node) && !node.input(4).empty(); });
  output_ = options_.output.empty() ? graph.outputs[0] : options_.output;
  if (std::ranges::find(graph.outputs, output_) == graph.outputs.end())
    refuse(ErrorCode::Usage, file_, "",
           "there is no output " + in_quotes(output_) + "; the graph's are " + join(graph.outputs, in_quotes));
  add_inputs();
  read_nodes(graph);
  if (scope_.ragged && scope_.turned_whole)
    files::unsupported(file_, "",
                       "sequences that have lengths are turned round as a whole, with what is behind their ends");
  for (const std::string& name : graph.outputs) {
    const auto value = scope_.values.find(name);
    if (value == scope_.values.end() || !value->second.turned) continue;
    if (value->second.zeros_before == 0 && value->second.zeros_after == 0)
      value->second = text_.in_order(std::move(value->second));
  }
  Result<Model> parsed = parse(text(), file_);
  if (!parsed) throw Refusal{parsed.error()};
  result_.model = std::move(*parsed);
  result_.weights = std::move(text_.weights);
  result_.inputs = graph.inputs;
  return std::move(result_);
}

}  // namespace rnnc::files
