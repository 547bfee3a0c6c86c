// A bound network becomes a program: the weights of each call are checked and packed, and each kind of cell is compiled
// once.
#include <set>
#include <utility>

#include "compiler/network/network.hpp"
#include "compiler/network/split_constants.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/schedule/describe.hpp"
#include "compiler/schedule/kinds.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "runtime/pack.hpp"
#include "runtime/program.hpp"

namespace rnnc::compiler {
namespace {

// Adds the start values of the states of one cell.
Result<void> add_starts(int cell, const runtime::Description& description,
                        const std::map<std::string, std::vector<StartPart>>& parts, StartValues& values,
                        std::vector<runtime::StartState>& starts) {
  for (std::size_t i = 0; i < description.states.size(); ++i) {
    const auto found = parts.find(description.states[i].tensor.name);
    if (found == parts.end()) continue;
    Result<std::vector<float>> value = values.of(found->second);
    if (!value) return value.error();
    starts.push_back({cell, static_cast<int>(i), std::move(*value)});
  }
  return {};
}

runtime::Description describe(const ir::Network& network, const std::string& cpu, const runtime::StepList& list,
                              const std::vector<const runtime::Description*>& cells) {
  runtime::Description description;
  description.cell = network.name;
  description.cpu = cpu;
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Input || node.type.axis != ir::kTime) continue;
    description.inputs.push_back({node.name, shape_of(node.type)});
    description.input_size += elements(node.type);
  }
  const Port& output = list.outputs[0].port;
  description.output = {output.name, output.shape};
  description.output_size = list.outputs[0].width();
  for (const runtime::NamedState& state : list.states) {
    const runtime::Description& cell = *cells[static_cast<std::size_t>(state.cell)];
    runtime::StateInfo info = cell.states[static_cast<std::size_t>(state.state)];
    info.tensor.name = state.name;
    description.states.push_back(std::move(info));
  }
  return description;
}

bool is_of_one_kind(const CallList& list) {
  std::set<std::string> texts;
  for (const Call& call : list.calls)
    if (const auto* cell = std::get_if<CellCall>(&call)) texts.insert(ir::print(cell->cell));
  return texts.size() <= 1;
}

}  // namespace

Result<void> check_weights(const ir::Network& network, const TensorMap& weights) {
  runtime::Description description;
  description.cell = network.name;
  for (const ir::Weight& weight : ir::weights_of(network))
    description.params.push_back({weight.name, shape_of(weight.type)});
  return runtime::check_weights(description, runtime::refs_to(weights));
}

NetworkCalls calls_of(const ir::Network& network) {
  CallList list = split_constants(cut_network(ir::Network(lower_rows(network))));
  Starts starts = take_starts(list);
  return {std::move(list), std::move(starts)};
}

Result<NetworkParts> put_together(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                  const AddCell& add_cell) {
  if (const Result<void> checked = check_weights(network, weights); !checked) return checked.error();
  const auto [list, starts] = calls_of(network);
  NetworkLayout layout = lay_out(list, network);
  StartValues values(weights);
  std::vector<const runtime::Description*> cells;
  for (const std::size_t source : layout.cells) {
    const auto& call = std::get<CellCall>(list.calls[source]);
    runtime::TensorRefs own;
    for (const auto& [param, name] : call.weights) own[param] = &weights.at(name);
    const Result<const runtime::Description*> added = add_cell(call.cell, own);
    if (!added) return added.error();
    if (const auto found = starts.find(source); found != starts.end()) {
      const auto given = add_starts(static_cast<int>(cells.size()), **added, found->second, values, layout.list.starts);
      if (!given) return given.error();
    }
    cells.push_back(*added);
  }
  runtime::Description description = describe(network, cpu, layout.list, cells);
  return NetworkParts{std::move(description), std::move(layout.list)};
}

Result<Program> compile_network(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                const CompileOptions& options, const MakeCode& make_code) {
  if (!options.plan.empty() && !is_of_one_kind(calls_of(network).list))
    return Error{ErrorCode::Usage, {}, "a plan is of one cell; network " + network.name + " has calls of several"};
  Kinds<CellCode> codes;
  runtime::LoadedNetwork loaded;
  const auto add = [&](const ir::Cell& cell, const runtime::TensorRefs& own) -> Result<const runtime::Description*> {
    const Result<std::size_t> number = codes.number_of(cell, make_code);
    if (!number) return number.error();
    const CellCode& code = codes[*number];
    Result<runtime::LoadedCell> made = runtime::load_cell(code.description, code.code, own);
    if (!made) return made.error();
    loaded.cells.push_back(std::make_shared<const runtime::LoadedCell>(std::move(*made)));
    return &loaded.cells.back()->description;
  };
  Result<NetworkParts> parts = put_together(network, cpu, weights, add);
  if (!parts) return parts.error();
  loaded.list = std::move(parts->list);
  return runtime::load_program(std::move(parts->description), std::move(loaded),
                               {options.threads, options.executor, options.sharing});
}

}  // namespace rnnc::compiler
