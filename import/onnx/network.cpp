#include "import/onnx/network.hpp"

#include <algorithm>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/onnx/node.hpp"
#include "import/onnx/reader.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kNewestOpset = 27;
constexpr std::int64_t kAnySize = 16;  // for a size that only the caller knows

// Returns the inputs that are no constants. One whose value is given is a constant, unless it begins a state.
std::vector<std::string> inputs_of(const OnnxGraph& graph, const ImportOptions& options) {
  std::vector<std::string> inputs;
  for (const std::string& name : graph.inputs)
    if (!graph.initializers.contains(name) &&
        (!options.inputs.contains(name) || options.carried.contains(name) || reaches_states(graph, name) ||
         (options.initial_states.contains(name) && is_state(graph, name))))
      inputs.push_back(name);
  return inputs;
}

// Returns the numbers of features that a dim without a number may have: the widths of the constants, those that
// recurrent nodes read first.
std::vector<std::int64_t> widths(const OnnxGraph& graph, const FileContent& content, std::string_view file,
                                 const ImportOptions& options, OnnxFiles& beside) {
  OnnxConstants constants(graph, options.inputs, content, file, options.limits, beside);
  std::vector<std::int64_t> first, others;
  for (const OnnxNode& node : graph.nodes) {
    constants.fold(node);
    for (const std::string& name : node.inputs) {
      const TensorView* tensor = constants.find(name);
      if (tensor == nullptr || tensor->shape.size() < 2) continue;
      for (auto dim = tensor->shape.rbegin(); dim != tensor->shape.rbegin() + 2; ++dim)
        if (*dim > 0) (is_recurrent(node) ? first : others).push_back(*dim);
    }
  }
  first.insert(first.end(), others.begin(), others.end());
  std::vector<std::int64_t> result;
  for (const std::int64_t width : first)
    if (std::ranges::find(result, width) == result.end() && result.size() < 12) result.push_back(width);
  return result;
}

// Holds what came of reading a graph: the import, or why there is none.
struct GraphReading {
  std::optional<Imported> imported;
  std::optional<Refusal> refusal;  // none where the graph has no input either
  std::string hint, cut;
  std::size_t work = 0;  // of all labellings that were refused
};

// A bound is met at places that do not know the file.
Refusal in_file(Refusal refusal, std::string_view file) {
  if (refusal.error.place.file.empty()) refusal.error.place.file = file;
  return refusal;
}

// Reads the graph with each labelling until one is right. The refusal that came latest in the graph tells most.
GraphReading read_with_labels(const OnnxModel& model, const FileContent& content, std::string_view file,
                              const ImportOptions& options, OnnxFiles& beside) {
  const OnnxGraph& graph = model.graph;
  const std::vector<std::string> inputs = inputs_of(graph, options);
  const bool needs_widths = std::ranges::any_of(inputs, [&](const std::string& name) {
    const OnnxInput& details = graph.details.at(name);
    return !details.has_shape || std::ranges::count(details.dims, -1) > 2 ||
           (details.dims.size() > 1 && details.dims.back() < 0);
  });
  const std::vector<std::int64_t> sizes =
      needs_widths ? widths(graph, content, file, options, beside) : std::vector<std::int64_t>();
  GraphReading reading;
  std::size_t progress = 0;
  std::vector<OnnxLabels> all = labellings(graph, inputs, sizes);
  // A caller who names states most often means one step. Sequences have such states too, between their pieces.
  if (!options.carried.empty()) std::ranges::stable_partition(all, &OnnxLabels::is_step);
  for (const OnnxLabels& labels : all) {
    GraphReader reader(model, content, file, options, beside, labels);
    try {
      reading.imported = reader.read();
      return reading;
    } catch (const Refusal& own) {
      if (!reading.refusal || reader.progress() > progress)
        reading.refusal = in_file(own, file), progress = reader.progress(), reading.cut = reader.cut();
      if (reading.hint.empty()) reading.hint = reader.hint();
      reading.work += reader.work();
      if (reading.work <= options.limits.max_graph_work) continue;
      reading.refusal = in_file(too_much_work(options.limits.max_graph_work),
                                file);  // the right labelling may be one that was not tried
      break;
    }
  }
  return reading;
}

// Returns the first input whose sizes the file leaves open, "" where there is none.
std::string open_input(const OnnxGraph& graph, const ImportOptions& options) {
  for (const std::string& name : inputs_of(graph, options)) {
    const OnnxInput& details = graph.details.at(name);
    if (std::ranges::count(details.dims, -1) > 0 && details.dims.size() > 1 && details.alias.empty()) return name;
  }
  return "";
}

// Tells whether the graph would be refused otherwise, or not at all, if the sizes of an input were fixed. Nobody knows
// which sizes the caller has, so that any are tried.
bool depends_on_sizes(OnnxModel model, const std::string& input, const Refusal& refusal, const FileContent& content,
                      std::string_view file, const ImportOptions& options, OnnxFiles& beside) {
  OnnxInput& details = model.graph.details.at(input);
  for (std::size_t d = 0; d < details.dims.size(); ++d)
    if (details.dims[d] < 0) details.dims[d] = d == 0 ? 1 : kAnySize, details.names[d].clear();
  const GraphReading reading = read_with_labels(model, content, file, options, beside);
  return !reading.refusal || reading.refusal->error.message != refusal.error.message;
}

// Reads the graph, and says what the caller can do where it is refused.
Imported read_graph(const OnnxModel& model, const FileContent& content, std::string_view file,
                    const ImportOptions& options, OnnxFiles& beside) {
  GraphReading reading = read_with_labels(model, content, file, options, beside);
  if (reading.imported) return std::move(*reading.imported);
  if (!reading.refusal) unsupported(file, "", "the graph has no input that depends on time or is a state");
  Refusal refusal = *reading.refusal;
  std::string& message = refusal.error.message;
  const bool is_unsupported = refusal.error.code == ErrorCode::Unsupported;
  if (!reading.cut.empty()) {
    message += "\n" + reading.cut;
  } else if (const std::string open = open_input(model.graph, options); is_unsupported && !open.empty()) {
    // A graph that took long is not read once more.
    if (reading.work > options.limits.max_graph_work / 16 ||
        depends_on_sizes(model, open, refusal, content, file, options, beside))
      message += "\nthe file leaves sizes of " + in_quotes(open) +
                 " open; if each call takes as many, say so: --shape " + open + "=1x512 or ImportOptions::shapes";
  }
  if (is_unsupported && !reading.hint.empty()) message += "\n" + reading.hint;
  throw Refusal(refusal);
}

// Takes the shapes that the caller gives for those of the file, which they must not contradict.
void set_shapes(OnnxGraph& graph, std::string_view file, const ImportOptions& options) {
  for (const auto& [name, shape] : options.shapes) {
    const auto found = graph.details.find(name);
    if (found == graph.details.end())
      refuse(
          ErrorCode::Usage, file, "",
          "a shape is given for " + in_quotes(name) + ", but the graph's inputs are " + join(graph.inputs, in_quotes));
    OnnxInput& input = found->second;
    bool fits = !input.has_shape || input.dims.size() == shape.size();
    for (std::size_t d = 0; fits && input.has_shape && d < shape.size(); ++d)
      fits = input.dims[d] < 0 || shape[d] < 0 || input.dims[d] == shape[d];
    if (!fits)
      refuse(ErrorCode::Usage, file, "graph input " + in_quotes(name),
             "the shape " + to_string(shape) + " contradicts that of the file, " + to_string(input.dims));
    if (!input.has_shape) input.dims.assign(shape.size(), -1), input.names.assign(shape.size(), "");
    input.has_shape = true;
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (shape[d] > 0) input.dims[d] = shape[d], input.names[d].clear();
  }
}

// Refuses names of states that the graph does not have.
void check_carried(const OnnxGraph& graph, std::string_view file, const ImportOptions& options) {
  for (const auto& [input, output] : options.carried) {
    if (std::ranges::find(graph.inputs, input) == graph.inputs.end())
      refuse(
          ErrorCode::Usage, file, "",
          "there is no input " + in_quotes(input) + " to carry on; the graph's are " + join(graph.inputs, in_quotes));
    if (std::ranges::find(graph.outputs, output) == graph.outputs.end())
      refuse(ErrorCode::Usage, file, "",
             "there is no output " + in_quotes(output) + " to carry on; the graph's are " +
                 join(graph.outputs, in_quotes));
  }
}

// Says of weights that the graph takes as inputs how to give them, before a labelling takes them for sequences.
void check_weights(const OnnxModel& model, std::string_view file, const ImportOptions& options) {
  for (const OnnxNode& node : model.graph.nodes) {
    if (!is_recurrent(node)) continue;
    for (const std::size_t weights : {1, 2}) {
      const std::string name = node.input(weights);
      const bool is_input = std::ranges::find(model.graph.inputs, name) != model.graph.inputs.end();
      if (is_input && !model.graph.initializers.contains(name) && !options.inputs.contains(name))
        unsupported(file, node.describe(),
                    "its weights are the graph input " + in_quotes(name) +
                        "; give them by ImportOptions::inputs, or --const " + name + "=0.5,... with all their numbers");
    }
  }
}

// Returns the shape of a list of numbers that is given for an input: that of the file, whose one open size follows.
Shape shape_of_list(const Tensor& list, const OnnxInput& input) {
  std::int64_t known = 1, open = 0;
  for (const std::int64_t dim : input.dims) {
    if (dim < 0) ++open;
    if (dim >= 0 && __builtin_mul_overflow(known, dim, &known)) return list.shape;
  }
  const std::int64_t elements = list.elements();
  if (open > 1 || known < 1 || (open == 0 ? elements != known : elements % known != 0)) return list.shape;
  Shape shape = input.dims;
  std::ranges::replace_if(
      shape, [](std::int64_t dim) { return dim < 0; }, elements / known);
  return shape;
}

// A value that is given for an input has the input's type and rank.
ImportOptions with_types(ImportOptions options, const OnnxGraph& graph) {
  for (auto& [name, tensor] : options.inputs) {
    const auto found = graph.details.find(name);
    if (found == graph.details.end()) continue;
    const OnnxInput& input = found->second;
    const bool real = input.type == 1 || input.type == 10 || input.type == 11;
    if (real && tensor.type == ElementType::I64) tensor = Tensor::from_f32(tensor.shape, tensor.to_f32());
    if (tensor.shape.size() <= 1 && input.has_shape && input.dims.size() != tensor.shape.size())
      tensor.shape = shape_of_list(tensor, input);
  }
  return options;
}

}  // namespace

Imported import_onnx(const FileContent& content, std::string_view file, const ImportOptions& options,
                     OnnxFiles& beside) {
  OnnxModel model = parse_onnx(content.text(), file, options.limits);
  if (model.opset < 1 || model.opset > kNewestOpset)
    unsupported(file, "",
                "opset " + std::to_string(model.opset) + " is not known; export for one from 1 to " +
                    std::to_string(kNewestOpset));
  return import_graph(std::move(model), content, file, options, beside);
}

Imported import_graph(OnnxModel model, const FileContent& content, std::string_view file, const ImportOptions& given,
                      OnnxFiles& beside) {
  set_shapes(model.graph, file, given);
  check_carried(model.graph, file, given);
  const ImportOptions options = with_types(given, model.graph);
  if (!options.node.empty()) model = extract_node(model, options.node, file);
  check_weights(model, file, options);
  if (!options.node.empty()) return read_graph(model, content, file, options, beside);
  try {
    return read_graph(model, content, file, options, beside);
  } catch (Refusal& refusal) {
    const std::string known = join(recurrent_nodes(model), in_quotes);
    if (refusal.error.code == ErrorCode::Unsupported && !known.empty())
      refusal.error.message += "\na recurrent node can be imported alone, by --node or ImportOptions::node: " + known;
    throw;
  }
}

}  // namespace rnnc::files
