// rnnc describe tells what a model takes, gives, keeps and weighs, and whether it runs step by step.
#include <iostream>
#include <memory>
#include <sstream>

#include "ir/scan.hpp"
#include "tools/artifact.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/graph_layout.hpp"
#include "tools/interface.hpp"
#include "tools/load_model.hpp"
#include "tools/model_facts.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

constexpr std::size_t kFactColumns = 12;  // columns

std::string labelled_line(const std::string& label, const std::string& text) {
  return label + std::string(kFactColumns - std::min(kFactColumns, label.size()), ' ') + text + "\n";
}

// Returns a line for each entry, the first with the label.
std::string labelled_list(const std::string& label, const std::vector<std::string>& entries) {
  if (entries.empty()) return labelled_line(label, "none");
  std::string text;
  for (const std::string& entry : entries) text += labelled_line(text.empty() ? label : "", entry);
  return text;
}

std::vector<std::string> texts_of(const ir::Graph& graph, ir::Op op) {
  std::vector<std::string> texts;
  for (const ir::Node& node : graph.nodes)
    if (node.op == op) texts.push_back(node.name + " : " + node.type.to_string());
  return texts;
}

std::vector<std::string> weight_texts(const ir::Graph& graph) {
  std::vector<std::string> texts;
  for (const ir::Weight& weight : ir::weights_of(graph)) texts.push_back(weight.name + " : " + weight.type.to_string());
  return texts;
}

std::string takes_and_gives(const ModelFacts& facts) {
  std::string text = labelled_list("inputs", facts.inputs) + labelled_list("outputs", facts.outputs) +
                     labelled_list("states", facts.states);
  if (facts.states.size() > 1) text += labelled_line("", plural(facts.state_floats, "float") + " for each sequence");
  return text;
}

std::string streams(const ModelFacts& facts) {
  if (facts.why_not.empty()) return labelled_line("streams", "yes: it runs step by step, and in pieces of any length");
  return labelled_line("streams", "no: " + facts.why_not) +
         (facts.what_helps.empty() ? "" : labelled_line("", facts.what_helps));
}

// Names a factor of a dim: T and B are the steps and sequences, with their sizes where the file fixes them.
std::string factor_text(std::int64_t factor, const ImportedGraph& graph) {
  const auto named = [](const char* name, std::int64_t fixed) {
    return fixed > 0 ? name + ("=" + std::to_string(fixed)) : std::string(name);
  };
  if (factor == GraphValue::kSteps) return named("T", graph.steps);
  if (factor == GraphValue::kSequences) return named("B", graph.sequences);
  return std::to_string(factor);
}

// Tells how the values lie in an ONNX graph.
std::string in_graph(const GraphValue& value, const ImportedGraph& graph) {
  std::string text;
  for (const std::vector<std::int64_t>& dim : value.dims) {
    text += text.empty() ? "" : ", ";
    for (const std::int64_t& factor : dim) text += (&factor == dim.data() ? "" : "*") + factor_text(factor, graph);
  }
  return value.name + " [" + text + "]";
}

std::string describe_graph(const ImportedGraph& graph, const Interface& interface) {
  if (graph.inputs.empty()) return "";
  std::vector<std::string> lines;
  for (const auto& [word, values] :
       {std::pair("takes ", &graph.inputs), {"gives ", &graph.outputs}, {"ends in ", &graph.finals}})
    for (const GraphValue& value : *values) lines.push_back(word + in_graph(value, graph));
  const bool is_stream = is_called_each_step(graph, interface);
  lines.push_back(is_stream ? "one call is one step; rnnc runs any number of steps and sequences"
                            : "one call is whole sequences");
  if (is_stream) return labelled_list("in the file", lines);
  for (const auto& [size, what] : {std::pair(graph.steps, "step"), {graph.sequences, "sequence"}})
    if (size > 0) lines.push_back("fixed at " + plural(size, what));
  return labelled_list("in the file", lines);
}

// Lists the first parameters of a model that has hundreds, as programs write that take weights apart.
std::string parameter_list(std::vector<std::string> parameters) {
  constexpr std::size_t kMost = 60, kShown = 40;
  if (parameters.size() > kMost) {
    const std::size_t left = parameters.size() - kShown;
    parameters.resize(kShown);
    parameters.push_back("and " + std::to_string(left) + " more; rnnc inspect prints them all");
  }
  return labelled_list("parameters", parameters);
}

// Describes a model with numbers for its dims.
std::string describe_bound(const ir::Network& network, const Source& source) {
  const ModelFacts facts = facts_of(network, source.given.graph);
  return labelled_line(std::string(source.graph().kind_name()), source.graph().name) + takes_and_gives(facts) +
         parameter_list(facts.parameters) +
         labelled_line("",
                       plural(facts.numbers, "number") + ", " + std::to_string(4 * facts.numbers) + " bytes as f32") +
         streams(facts) + describe_graph(source.given.graph, interface_of(network));
}

Result<int> run_artifact(const ModelFlags& flags) {
  const Result<Program> program = load_program(flags, 1);
  if (!program) return program.error();
  const Result<std::string> levels = describe_artifact(flags.model);
  if (!levels) return levels.error();
  const ModelFacts facts = facts_of(*program);
  std::cout << labelled_line("artifact", program->cell()) << takes_and_gives(facts)
            << labelled_line("weights", std::to_string(program->weights_bytes()) + " bytes, packed") << streams(facts)
            << levels->substr(levels->find('\n') + 1);
  return kOk;
}

// Describes a model some of whose dims have no number.
std::string describe_open(const ir::Graph& graph) {
  std::vector<std::string> outputs;
  for (const ir::NamedValue& output : graph.outputs())
    outputs.push_back(output.name + " : " + graph[output.value].type.to_string());
  std::string text = labelled_line(std::string(graph.kind_name()), graph.name) +
                     labelled_list("inputs", texts_of(graph, ir::Op::Input)) + labelled_list("outputs", outputs);
  if (graph.kind == ir::Graph::Kind::Cell) text += labelled_list("states", texts_of(graph, ir::Op::State));
  std::string dims;
  for (const std::string& dim : graph.dims) dims += (dims.empty() ? "" : ", ") + dim;
  for (const std::string& dim : ir::implied_dims(graph)) dims += (dims.empty() ? "" : ", ") + dim;
  return text + parameter_list(weight_texts(graph)) +
         labelled_line("dims", dims + "; weights or --dim give them numbers, and more is told then");
}

Result<int> run(const ModelFlags& flags) {
  if (is_artifact(flags.model)) return run_artifact(flags);
  const Result<Source> source = load_source(flags);
  if (!source) return source.error();
  const Result<ir::Network> network = bind(*source);
  const bool is_open = !network && network.error().code == ErrorCode::Usage && source->dims.empty();
  if (!network && !is_open) return network.error();
  std::cout << (network ? describe_bound(*network, *source) : describe_open(source->graph()));
  return kOk;
}

}  // namespace

Verb add_describe(CLI::App& program) {
  CLI::App& app =
      add_verb(program, "describe", {"rnnc describe model.onnx", "rnnc describe --cell gru --dim I=40 --dim H=64"},
               "Tells what a model takes and gives, its states and parameters, and whether it runs step by "
               "step: if not, why, and what would help.");
  auto flags = std::make_shared<ModelFlags>();
  add_stacked_model_flags(app, *flags);
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
