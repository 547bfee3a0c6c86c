#include <map>
#include <utility>

#include "compiler/cell_code.hpp"
#include "compiler/lower.hpp"
#include "compiler/network.hpp"
#include "compiler/split_constants.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "runtime/pack.hpp"
#include "runtime/program.hpp"

namespace rnnc::compiler {
namespace {

Shape shape_of(const ir::Type& type) {
  Shape shape;
  for (const ir::Dim& dim : type.dims) shape.push_back(dim.value());
  return shape;
}

// Code for each cell that is a different text.
class CodeStore {
 public:
  CodeStore(const Target& target, const CompileOptions& options) : target_(target), options_(options) {}

  Result<const CellCode*> find(const ir::Cell& cell) {
    const auto [found, added] = entries_.try_emplace(ir::print(cell));
    if (!added) return &found->second;
    Result<CellCode> code = code_of(cell, target_, options_);
    if (!code) return code.error();
    found->second = std::move(*code);
    return &found->second;
  }

 private:
  const Target& target_;
  const CompileOptions& options_;
  std::map<std::string, CellCode> entries_;
};

// Every tensor is checked under the name that the network gives it.
Result<void> check_weights(const ir::Network& network, const TensorMap& weights) {
  runtime::Description description;
  description.cell = network.name;
  for (const ir::Weight& weight : ir::weights_of(network))
    description.params.push_back({weight.name, shape_of(weight.type)});
  if (const auto packed = runtime::pack_weights(description, weights); !packed) return packed.error();
  return {};
}

Result<runtime::LoadedCell> load(const ir::CellCall& call, CodeStore& store, const TensorMap& weights) {
  const Result<const CellCode*> entry = store.find(call.cell);
  if (!entry) return entry.error();
  TensorMap own;
  for (const auto& [param, name] : call.weights) own.emplace(param, weights.at(name));
  return runtime::load_cell((*entry)->description, (*entry)->code, own);
}

std::vector<runtime::StartState> start_states(const runtime::Description& description,
                                              const std::map<std::string, std::vector<StartPart>>& values,
                                              const TensorMap& weights) {
  std::vector<runtime::StartState> starts;
  for (std::size_t i = 0; i < description.states.size(); ++i)
    if (const auto found = values.find(description.states[i].tensor.name); found != values.end())
      starts.push_back({static_cast<int>(i), start_values(found->second, weights)});
  return starts;
}

runtime::Description describe(const ir::Network& network, const Target& target, const runtime::LoadedNetwork& loaded) {
  runtime::Description description;
  description.cell = network.name;
  description.cpu = target.cpu;
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Input || node.type.axis != ir::kTime) continue;
    description.inputs.push_back({node.name, shape_of(node.type)});
    description.input_size += node.type.rank() == 0 ? 1 : node.type.dims[0].value();
  }
  description.output = {"y", shape_of(network[network.output()].type)};
  for (const runtime::Piece& piece : loaded.output) description.output_size += piece.end - piece.begin;
  for (const runtime::NetworkStateInfo& state : loaded.states) {
    const auto& call = std::get<runtime::CellCall>(loaded.calls[static_cast<std::size_t>(state.call)]);
    runtime::StateInfo info = call.cell->description.states[static_cast<std::size_t>(state.state)];
    info.tensor.name = state.name;
    description.states.push_back(std::move(info));
  }
  return description;
}

}  // namespace

NetworkCalls calls_of(const ir::Network& network) {
  ir::CallList list = split_constants(ir::cut_network(network));
  Starts starts = take_starts(list);
  return {std::move(list), std::move(starts)};
}

Result<Program> compile_network(const ir::Network& network, const Target& target, const TensorMap& weights,
                                const CompileOptions& options) {
  if (!options.plan.empty())
    return Error{ErrorCode::Usage, {}, "a plan is of one cell; network " + network.name + " has calls of several", {}};
  if (const Result<void> checked = check_weights(network, weights); !checked) return checked.error();
  const auto [list, starts] = calls_of(network);
  NetworkLayout layout = lay_out(list, network);
  CodeStore store(target, options);
  for (std::size_t i = 0; i < layout.source.size(); ++i) {
    const auto* from = std::get_if<ir::CellCall>(&list.calls[layout.source[i]]);
    if (!from) continue;
    Result<runtime::LoadedCell> cell = load(*from, store, weights);
    if (!cell) return cell.error();
    auto& call = std::get<runtime::CellCall>(layout.network.calls[i]);
    if (const auto found = starts.find(layout.source[i]); found != starts.end())
      call.starts = start_states(cell->description, found->second, weights);
    call.cell = std::make_shared<const runtime::LoadedCell>(std::move(*cell));
  }
  runtime::Description description = describe(network, target, layout.network);
  return runtime::load_network(std::move(description), std::move(layout.network),
                               {options.threads, options.executor, options.sharing});
}

}  // namespace rnnc::compiler
