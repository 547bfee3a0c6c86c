// A bound network as a program: checks and packs the weights of each call, and compiles each kind of cell once.
#include <map>
#include <utility>

#include "compiler/network/network.hpp"
#include "compiler/network/split_constants.hpp"
#include "compiler/schedule/describe.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "runtime/pack.hpp"
#include "runtime/program.hpp"

namespace rnnc::compiler {
namespace {

// Every tensor is checked under the name that the network gives it.
Result<void> check_weights(const ir::Network& network, const TensorMap& weights) {
  runtime::Description description;
  description.cell = network.name;
  for (const ir::Weight& weight : ir::weights_of(network))
    description.params.push_back({weight.name, shape_of(weight.type)});
  if (const auto packed = runtime::pack_weights(description, weights); !packed) return packed.error();
  return {};
}

Result<std::vector<runtime::StartState>> start_states(const runtime::Description& description,
                                                      const std::map<std::string, std::vector<StartPart>>& values,
                                                      const TensorMap& weights) {
  std::vector<runtime::StartState> starts;
  for (std::size_t i = 0; i < description.states.size(); ++i) {
    const auto found = values.find(description.states[i].tensor.name);
    if (found == values.end()) continue;
    Result<std::vector<float>> value = start_values(found->second, weights);
    if (!value) return value.error();
    starts.push_back({static_cast<int>(i), std::move(*value)});
  }
  return starts;
}

runtime::Description describe(const ir::Network& network, const std::string& cpu, const runtime::LoadedNetwork& loaded,
                              const std::vector<const runtime::Description*>& cells) {
  runtime::Description description;
  description.cell = network.name;
  description.cpu = cpu;
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Input || node.type.axis != ir::kTime) continue;
    description.inputs.push_back({node.name, shape_of(node.type)});
    description.input_size += node.type.rank() == 0 ? 1 : node.type.dims[0].value();
  }
  description.output = {"y", shape_of(network[network.output()].type)};
  for (const runtime::Piece& piece : loaded.output) description.output_size += piece.end - piece.begin;
  for (const runtime::NetworkStateInfo& state : loaded.states) {
    const runtime::Description& cell = *cells[static_cast<std::size_t>(state.call)];
    runtime::StateInfo info = cell.states[static_cast<std::size_t>(state.state)];
    info.tensor.name = state.name;
    description.states.push_back(std::move(info));
  }
  return description;
}

}  // namespace

NetworkCalls calls_of(const ir::Network& network) {
  CallList list = split_constants(cut_network(network));
  Starts starts = take_starts(list);
  return {std::move(list), std::move(starts)};
}

Result<NetworkParts> put_together(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                  const AddCell& add_cell) {
  if (const Result<void> checked = check_weights(network, weights); !checked) return checked.error();
  const auto [list, starts] = calls_of(network);
  NetworkLayout layout = lay_out(list, network);
  std::vector<const runtime::Description*> cells(layout.source.size());
  for (std::size_t i = 0; i < layout.source.size(); ++i) {
    const auto* from = std::get_if<CellCall>(&list.calls[layout.source[i]]);
    if (!from) continue;
    auto& call = std::get<runtime::CellCall>(layout.network.calls[i]);
    TensorMap own;
    for (const auto& [param, name] : from->weights) own.emplace(param, weights.at(name));
    const Result<const runtime::Description*> added = add_cell(from->cell, own, call);
    if (!added) return added.error();
    cells[i] = *added;
    const auto found = starts.find(layout.source[i]);
    if (found == starts.end()) continue;
    Result<std::vector<runtime::StartState>> values = start_states(**added, found->second, weights);
    if (!values) return values.error();
    call.starts = std::move(*values);
  }
  runtime::Description description = describe(network, cpu, layout.network, cells);
  return NetworkParts{std::move(description), std::move(layout.network)};
}

Result<Program> compile_network(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                const CompileOptions& options, const MakeCode& make_code) {
  if (!options.plan.empty())
    return Error{ErrorCode::Usage, {}, "a plan is of one cell; network " + network.name + " has calls of several", {}};
  std::map<std::string, CellCode> codes;  // by the cell's text
  const auto add = [&](const ir::Cell& cell, const TensorMap& own,
                       runtime::CellCall& call) -> Result<const runtime::Description*> {
    const auto [entry, added] = codes.try_emplace(ir::print(cell));
    if (added) {
      Result<CellCode> code = make_code(cell);
      if (!code) return code.error();
      entry->second = std::move(*code);
    }
    Result<runtime::LoadedCell> loaded = runtime::load_cell(entry->second.description, entry->second.code, own);
    if (!loaded) return loaded.error();
    call.cell = std::make_shared<const runtime::LoadedCell>(std::move(*loaded));
    return &call.cell->description;
  };
  Result<NetworkParts> parts = put_together(network, cpu, weights, add);
  if (!parts) return parts.error();
  return runtime::load_network(std::move(parts->description), std::move(parts->network),
                               {options.threads, options.executor, options.sharing});
}

}  // namespace rnnc::compiler
