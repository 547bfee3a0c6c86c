#include "tools/model_facts.hpp"

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

// Says what would have to change for a network that cannot run step by step.
std::string what_helps(const ir::Network& network) {
  for (const ir::Node& node : network.nodes)
    if (node.op == ir::Op::Scan && node.scan->direction != Direction::Forward)
      return "a model whose layers all read forwards would";
  if (!ir::begun_by_inputs(network).empty())
    return "it would if the state were kept between the steps: leave the initial state out (it begins at 0), give it "
           "as a parameter, or in ONNX name the input and the output that is its new value with --carry IN=OUT";
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

ModelFacts facts_of(const ir::Network& network) {
  ModelFacts facts = facts_of(interface_of(network));
  for (const ir::Weight& weight : ir::weights_of(network)) {
    facts.parameters.push_back(weight.name + " : " + weight.type.to_string());
    facts.numbers += elements(weight.type);
  }
  facts.why_not = compiler::lay_out(compiler::calls_of(network).list, network).list.no_streaming;
  if (!facts.why_not.empty()) facts.what_helps = what_helps(network);
  return facts;
}

ModelFacts facts_of(const Program& program) {
  ModelFacts facts = facts_of(interface_of(program));
  if (const Result<void> streams = program.streams(); !streams) facts.why_not = streams.error().message;
  return facts;
}

}  // namespace rnnc::tools
