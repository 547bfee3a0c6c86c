// A bound network becomes a program: the weights of each call are checked and packed, and each kind of cell is compiled
// once.
#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "compiler/network/network.hpp"
#include "compiler/network/share_work.hpp"
#include "compiler/network/split_constants.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/schedule/describe.hpp"
#include "compiler/schedule/kinds.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "runtime/pack.hpp"
#include "runtime/program.hpp"
#include "runtime/state_bound.hpp"
#include "runtime/wavefront.hpp"

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
    const runtime::StateInfo& state = description.states[i];
    if (const Result<void> within = runtime::check_bound(state, state.tensor.name, *value); !within)
      return within.error();
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

// Tells whether threads may run several cells of the network at the same time, each on a part of the sequence.
bool has_wavefronts(const ir::Network& network) {
  return !runtime::find_wavefronts(lay_out(calls_of(network).list, network).list).empty();
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
  // The scan of a cell that stands alone has no name: ir::network_of.
  const auto is_cell = [](const ir::Node& node) { return node.op == ir::Op::Scan && node.name.empty(); };
  const bool is_network = std::ranges::none_of(network.nodes, is_cell);
  return runtime::check_weights(description, runtime::refs_to(weights), is_network ? "network" : "cell");
}

// A product of floats with a zero may be NaN, and its sign counts, so that floats cannot be left out.
Result<void> check_sparse(runtime::NumberFormat format, bool sparse) {
  if (!sparse || runtime::is_integer(format)) return {};
  return Error{ErrorCode::Usage,
               {},
               std::string("sparse programs multiply integers, and ") + runtime::name(format) +
                   " weights are none; use w8, w8a16, or w16, which is nearly as exact as f32"};
}

NetworkCalls calls_of(const ir::Network& network) {
  CallList list = split_constants(cut_network(ir::Network(lower_rows(network))));
  Starts starts = take_starts(list);
  return {std::move(list), std::move(starts)};
}

Result<NetworkParts> put_together(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                  runtime::NumberFormat format, const AddCell& add_cell) {
  if (const Result<void> checked = check_weights(network, weights); !checked) return checked.error();
  const auto [list, starts] = calls_of(network);
  NetworkLayout layout = lay_out(list, network);
  StartValues values(weights, format);
  std::vector<const runtime::Description*> cells;
  for (const std::size_t source : layout.cells) {
    const auto& call = std::get<CellCall>(list.calls[source]);
    const Result<const runtime::Description*> added = add_cell(call.cell, weights_of(call, weights));
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

Result<UnfinishedProgram> begin_network(const ir::Network& network, const Tier& tier, const TensorMap& weights,
                                        const CompileOptions& options) {
  if (const Result<void> checked = check_sparse(options.weights, options.sparse); !checked) return checked.error();
  if (!options.plan.empty() && !is_of_one_kind(calls_of(network).list))
    return Error{ErrorCode::Usage, {}, "a plan is of one cell; network " + network.name + " has calls of several"};
  const bool beside_others = options.threads > 1 && has_wavefronts(network);
  const auto plan_code = [&](const ir::Cell& cell) { return tier.plan_code(cell, beside_others); };
  Kinds<PendingCode> kinds;
  UnfinishedProgram program;
  UnfinishedCells& unfinished = program.unfinished;
  const auto add = [&](const ir::Cell& cell, const runtime::TensorRefs& own) -> Result<const runtime::Description*> {
    const Result<std::size_t> number = kinds.number_of(cell, plan_code);
    if (!number) return number.error();
    Result<runtime::LoadedCell> packed = runtime::pack_cell(kinds[*number].description, own);
    if (!packed) return packed.error();
    unfinished.kind_of.push_back(*number);
    unfinished.weights.push_back(own);
    unfinished.cells.push_back(std::make_shared<runtime::LoadedCell>(std::move(*packed)));
    return &unfinished.cells.back()->description;
  };
  Result<NetworkParts> parts = put_together(network, tier.cpu, weights, options.weights, add);
  if (!parts) return parts.error();
  unfinished.kinds.assign(kinds.all().begin(), kinds.all().end());
  program.description = std::move(parts->description);
  program.network.list = std::move(parts->list);
  program.network.cells.assign(unfinished.cells.begin(), unfinished.cells.end());
  return program;
}

Result<void> finish_cells(UnfinishedCells& unfinished, int threads) {
  if (std::ranges::all_of(unfinished.kinds, &PendingCode::is_quick)) threads = 1;
  std::vector<std::optional<Result<runtime::Code>>> codes(unfinished.kinds.size());
  share_work(codes.size(), threads, [&](std::size_t kind) { codes[kind] = unfinished.kinds[kind].make(); });
  for (const auto& code : codes)
    if (!*code) return code->error();
  for (std::size_t i = 0; i < unfinished.cells.size(); ++i)
    runtime::finish_cell(*unfinished.cells[i], codes[unfinished.kind_of[i]]->value());
  return {};
}

namespace {

Result<Program> finish_and_load(UnfinishedProgram program, const CompileOptions& options) {
  if (const Result<void> done = finish_cells(program.unfinished, options.compile_threads); !done) return done.error();
  return runtime::load_program(std::move(program.description), std::move(program.network),
                               {options.threads, options.executor, options.sharing});
}

}  // namespace

Result<Program> compile_network(const ir::Network& network, const Tier& tier, const TensorMap& weights,
                                const CompileOptions& options) {
  Result<UnfinishedProgram> program = begin_network(network, tier, weights, options);
  if (!program) return program.error();
  return finish_and_load(std::move(*program), options);
}

Result<Program> compile_tiers(const ir::Network& network, const Tier& first, const Tier& later,
                              const TensorMap& weights, const CompileOptions& options) {
  Result<UnfinishedProgram> next = begin_network(network, later, weights, options);
  if (!next) return next.error();
  if (std::ranges::all_of(next->unfinished.kinds, &PendingCode::is_quick))
    return finish_and_load(std::move(*next), options);
  CompileOptions at_first = options;
  at_first.plan.clear();  // a plan is of the later code
  Result<UnfinishedProgram> now = begin_network(network, first, weights, at_first);
  if (!now) return now.error();
  if (const Result<void> done = finish_cells(now->unfinished, 1); !done) return done.error();
  auto program = runtime::load(std::move(now->description), std::move(now->network),
                               {options.threads, options.executor, options.sharing});
  if (!program) return program.error();
  auto loaded = runtime::load(std::move(next->description), std::move(next->network),
                              {options.threads, (*program)->threads.executor, options.sharing});
  if (!loaded) return loaded.error();
  const auto cells = std::make_shared<UnfinishedCells>(std::move(next->unfinished));
  const auto finish = [cells, threads = options.compile_threads] { return finish_cells(*cells, threads); };
  (*program)->next = std::make_unique<runtime::NextTier>(std::move(*loaded), finish);
  return Program(std::move(*program));
}

}  // namespace rnnc::compiler
