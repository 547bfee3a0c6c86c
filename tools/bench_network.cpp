// rnnc bench of a network, and of stacks of layers beside oneDNN's.
#include <algorithm>
#include <memory>

#include "bench/onednn/onednn_stack.hpp"
#include "compiler/network/network.hpp"
#include "compiler/schedule/lower.hpp"
#include "ir/scan.hpp"
#include "tools/bench_contest.hpp"
#include "tools/network_sequence.hpp"
#include "tools/random_data.hpp"

namespace rnnc::tools {
namespace {

// The interpreter checks a piece that takes it a moment.
constexpr std::int64_t kCheckedSteps = 16, kCheckedBatch = 2;

// Layers that lie one behind the other, and directions.
void count_scans(const ir::Network& network, Contest& contest) {
  contest.layers = 0;
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Scan) continue;
    ++contest.layers;
    contest.directions = std::max(contest.directions, std::ssize(ir::scan_prefixes(node)));
  }
}

Result<std::vector<Work>> work_of(const ir::Network& network, const BenchFlags& flags, const compiler::Target& target) {
  std::vector<Work> result;
  const compiler::CallList list = compiler::calls_of(network).list;
  for (const compiler::Call& call : list.calls) {
    const auto* cell = std::get_if<compiler::CellCall>(&call);
    if (!cell) continue;
    const Result<compiler::Lowered> lowered = compiler::lower(cell->cell, target);
    if (!lowered) return lowered.error();
    const auto description = compiler::describe(cell->cell, *lowered, target);
    result.push_back({description.flops_per_step, description.recurrent_bytes, cell->axis.empty() ? 1 : flags.steps,
                      flags.batch, flags.threads});
  }
  return result;
}

Result<Difference> check_against_interpreter(const Program& program, const ir::Network& network, const Source& source,
                                             const BenchFlags& flags) {
  const std::int64_t sequences = std::min(kCheckedBatch, flags.batch);
  const ir::NetworkBatch piece = random_batch(network, std::min(kCheckedSteps, flags.steps), sequences,
                                              static_cast<std::uint64_t>(flags.seed), flags.ragged);
  const Result<SequenceResult> ours = run_compiled(program, network, piece);
  if (!ours) return ours.error();
  return compare(*ours, run_interpreted(network, source.weights, piece), interface_of(network), sequences);
}

std::function<void()> caller(const Program& program, const ir::Network& network, const ir::NetworkBatch& batch) {
  struct Prepared {
    NetworkCall call;
    State state;
    Prepared(const Program& p, const ir::Network& n, const ir::NetworkBatch& b)
        : call(p, n, b), state(call.make_state()) {}
  };
  auto prepared = std::make_shared<Prepared>(program, network, batch);
  return [prepared] { (void)prepared->call.run(prepared->state); };
}

// The weights of a stack by layer and direction, under the cell's names.
std::vector<std::vector<TensorMap>> weights_by_layer(const ir::Network& network, const TensorMap& weights) {
  std::vector<std::vector<TensorMap>> layers;
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Scan) continue;
    std::vector<TensorMap>& directions = layers.emplace_back();
    for (const std::string& prefix : ir::scan_prefixes(node)) {
      TensorMap& own = directions.emplace_back();
      for (const auto& [name, tensor] : weights)
        if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), tensor);
    }
  }
  return layers;
}

Result<void> add_baseline(const BenchFlags& flags, const Source& source, const ir::Network& network,
                          const Program& program, const ir::NetworkBatch& batch, Contest& contest) {
  if (!flags.model.stack.any())
    return Error{ErrorCode::Unsupported,
                 {},
                 "oneDNN baseline: it runs cells and stacks of them (--layers, --bidirectional)",
                 {}};
  Result<bench::OnednnStack> made =
      bench::OnednnStack::make(source.cell.name, weights_by_layer(network, source.weights), flags.steps, flags.batch,
                               static_cast<int>(flags.threads));
  if (!made) return made.error();
  auto stack = std::make_shared<bench::OnednnStack>(std::move(*made));
  const Result<SequenceResult> ours = run_compiled(program, network, batch);
  if (!ours) return ours.error();
  std::ranges::copy(batch.inputs.begin()->second, stack->input().begin());
  stack->run();
  Interface interface = interface_of(network);
  interface.states.clear();
  contest.from_baseline =
      compare(*ours, {{stack->output().begin(), stack->output().end()}, {}}, interface, flags.batch);
  contest.baseline = [stack] { stack->run(); };
  return {};
}

}  // namespace

Result<Contest> contest_of_network(const BenchFlags& flags, Source source, const Report& report) {
  const Result<compiler::Target> target = target_of(flags.model, true);
  if (!target) return target.error();
  if (const auto added = add_sizes(flags, source); !added) return added.error();
  const Result<ir::Network> network = bind_network(source);
  if (!network) return network.error();
  const double bytes = value_bytes(*network, random_batch(*network, 1, 1, 1, false)) *
                       static_cast<double>(flags.steps) * static_cast<double>(flags.batch);
  if (const auto checked = check_memory(3 * bytes, "the sequences"); !checked) return checked.error();
  if (const auto checked = check_memory(6 * parameter_bytes(*network), "the weights"); !checked) return checked.error();
  const auto seed = static_cast<std::uint64_t>(flags.seed);
  if (source.weights.empty()) source.weights = random_weights(*network, seed);
  const Interface interface = interface_of(*network);
  Contest contest;
  contest.name = flags.model.stack.any() ? source.cell.name : network->name;
  contest.input_size = interface.input_size;
  contest.hidden_size = interface.states.empty() ? 0 : interface.states.front().size;
  count_scans(*network, contest);
  Result<std::vector<Work>> work = work_of(*network, flags, *target);
  if (!work) return work.error();
  contest.work = std::move(*work);
  report(0, "compiling");
  const Result<Program> program = compile_timed(flags, source, contest.compile_ms);
  if (!program) return program.error();
  contest.cpu = program->cpu();
  contest.backend = name_of(program->backend());
  contest.fallback = program->fallback();
  report(0.5, "comparing with the interpreter");
  const Result<Difference> error = check_against_interpreter(*program, *network, source, flags);
  if (!error) return error.error();
  contest.from_interpreter = *error;
  const ir::NetworkBatch batch = random_batch(*network, flags.steps, flags.batch, seed, false);
  contest.ours = caller(*program, *network, batch);
  if (flags.ragged)
    contest.ragged = caller(*program, *network, random_batch(*network, flags.steps, flags.batch, seed, true));
  if (flags.sessions > 0)
    if (const auto added = add_sessions(flags, *program, contest); !added) return added.error();
  if (!flags.against.empty())
    if (const auto added = add_baseline(flags, source, *network, *program, batch, contest); !added)
      return added.error();
  return contest;
}

}  // namespace rnnc::tools
