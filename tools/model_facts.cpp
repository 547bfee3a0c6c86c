#include "tools/model_facts.hpp"

#include <algorithm>

#include "compiler/network/network.hpp"
#include "ir/scan.hpp"
#include "tools/interface.hpp"

namespace rnnc::tools {
namespace {

std::vector<std::string> texts_of(const std::vector<NamedType>& types) {
  std::vector<std::string> texts;
  for (const NamedType& each : types) texts.push_back(each.name + " : " + each.type.to_string());
  return texts;
}

// Returns the flags that make states of all inputs that scans begin with, where outputs of the graph are what these
// become; "" where they are not.
std::string carry_flags(const ir::Network& network, const ImportedGraph& graph) {
  std::string flags;
  std::size_t count = 0;
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Scan) continue;
    for (std::size_t k = 0; k < node.scan->initial.size(); ++k) {
      const ir::Node& begin = network[node.operands[node.scan->arguments(node) + k]];
      const std::string state = node.name + "." + node.scan->initial[k];
      const auto is_final = [&](const GraphValue& value) {
        return std::ranges::all_of(value.elements, [&](const auto& element) { return element.first == state; });
      };
      const auto input = std::ranges::find(graph.inputs, begin.name, &GraphValue::as);
      const auto final = std::ranges::find_if(graph.finals, is_final);
      if (begin.op != ir::Op::Input || input == graph.inputs.end() || final == graph.finals.end()) continue;
      flags += " --carry " + input->name + "=" + final->name;
      ++count;
    }
  }
  return count == ir::begun_by_inputs(network).size() ? flags : "";
}

// Says what would have to change for a network that cannot run step by step.
std::string what_helps(const ir::Network& network, const ImportedGraph& graph) {
  for (const ir::Node& node : network.nodes)
    if (node.op == ir::Op::Scan && node.scan->direction != Direction::Forward)
      return "it would if no layer read backwards, and no convolution over time read later steps (as padding on both "
             "sides makes it do)";
  if (const std::string flags = carry_flags(network, graph); !flags.empty())
    return "it does with" + flags + ", by which each call begins where the one before ended";
  if (!ir::begun_by_inputs(network).empty())
    return "it would if the state were kept between the steps: leave the initial state out (it begins at 0), give it "
           "as a parameter, or in ONNX name the input and the output that is its new value with --carry IN=OUT";
  for (const ir::Node& node : network.nodes)
    if (node.op == ir::Op::OverTime && node.over_time == ir::OverTime::Turned)
      return "it would if no sequence were turned round";
  for (const ir::Node& node : network.nodes)
    if (node.op == ir::Op::OverTime && node.over_time != ir::OverTime::Last)
      return "it would with last(x) in its place, or if it gave the sequence and you summed that up";
  return "it would if each step read only its own step and earlier ones";
}

ModelFacts facts_of(const Interface& interface) {
  ModelFacts facts;
  facts.inputs = texts_of(interface.inputs);
  facts.outputs = texts_of(interface.outputs);
  for (const NamedSize& state : interface.states) {
    facts.states.push_back(state.name + " : " + plural(state.size, "float"));
    facts.state_floats += state.size;
  }
  return facts;
}

}  // namespace

std::string plural(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

ModelFacts facts_of(const ir::Network& network, const ImportedGraph& graph) {
  ModelFacts facts = facts_of(interface_of(network));
  for (const ir::Weight& weight : ir::weights_of(network)) {
    facts.parameters.push_back(weight.name + " : " + weight.type.to_string());
    facts.numbers += elements(weight.type);
  }
  facts.why_not = compiler::lay_out(compiler::calls_of(network).list, network).list.no_streaming;
  if (!facts.why_not.empty()) facts.what_helps = what_helps(network, graph);
  return facts;
}

ModelFacts facts_of(const Program& program) {
  ModelFacts facts = facts_of(interface_of(program));
  if (const Result<void> streams = program.streams(); !streams) facts.why_not = streams.error().message;
  return facts;
}

}  // namespace rnnc::tools
