#include "tools/bench_job.hpp"

#include <algorithm>
#include <tuple>

#include "tools/exit_code.hpp"
#include "tools/random_data.hpp"
#include "tools/run_data.hpp"

namespace rnnc::tools {
namespace {

constexpr std::int64_t kSteps = 100, kSequences = 1;  // where nothing is said

}  // namespace

void take_sizes(const GivenByModel& given, BenchFlags& flags) {
  const ImportedGraph& graph = given.graph;
  const auto lengths = static_cast<std::int64_t>(given.lengths.size());
  if (flags.sessions > 0) flags.steps = flags.batch = 1;  // single steps
  if (flags.steps == 0) flags.steps = graph.steps > 0 && !graph.is_step ? graph.steps : kSteps;
  if (flags.batch == 0) flags.batch = std::max({graph.sequences, lengths, kSequences});
}

Result<Steps> take_times(const Interface& interface, BenchFlags& flags) {
  Result<Steps> steps = steps_of_times(flags.steps_of_times, flags.steps, interface);
  if (steps && !steps->empty())
    flags.steps = std::ranges::max_element(*steps, {}, [](const auto& time) { return time.second; })->second;
  return steps;
}

Result<void> add_sizes(const BenchFlags& flags, Source& source) {
  const ir::Graph& graph = source.graph();
  const std::string what = std::string(graph.kind_name()) + " " + graph.name;
  for (const auto& [flag, dim, size] :
       {std::tuple("--input-size", "I", flags.input_size), std::tuple("--hidden-size", "H", flags.hidden_size)}) {
    const bool has = std::ranges::find(graph.dims, dim) != graph.dims.end();
    if (size > 0 && !has) return usage_error(flag, what + " has no dim " + dim + "; give its sizes by --dim NAME=SIZE");
    if (size > 0 && !source.dims.emplace(dim, size).second)
      return usage_error(flag, std::string("dim ") + dim + " is given by --dim too; leave one of them out");
    if (has && !source.dims.contains(dim) && source.weights.empty())
      return usage_error(flag, "missing; " + what + " needs its dim " + dim);
  }
  return {};
}

Result<BenchJob> make_job(const BenchFlags& flags, Source source) {
  const Result<compiler::Target> target = target_of(flags.model, true);
  if (!target) return target.error();
  if (const auto added = add_sizes(flags, source); !added) return added.error();
  const Result<ir::Network> network = bind(source);
  if (!network) return network.error();
  BenchJob job{flags, std::move(source), *target, *network, interface_of(*network), {}, {}};
  take_sizes(job.source.given, job.flags);
  const Result<Steps> steps = take_times(job.interface, job.flags);
  if (!steps) return steps.error();
  ir::NetworkBatch sizes{job.flags.batch, {}, {}};
  for (const auto& [name, count] : *steps) sizes.times[name].steps = count;
  // The factors leave room for the data of rnnc and of the baseline.
  if (const auto checked = check_memory(3 * value_bytes(job.network, sizes), "the sequences"); !checked)
    return checked.error();
  if (const auto checked = check_memory(6 * parameter_bytes(job.network), "the weights"); !checked)
    return checked.error();
  const auto seed = static_cast<std::uint64_t>(flags.seed);
  if (job.source.weights.empty()) job.source.weights = random_weights(job.network, seed);
  const auto random = [&](bool ragged) { return random_batch(job.interface, *steps, job.flags.batch, seed, ragged); };
  job.batch = random(false);
  if (const auto taken = take_lengths(job.source.given.lengths, job.batch); !taken) return taken.error();
  if (flags.ragged) job.ragged = random(true);
  return job;
}

}  // namespace rnnc::tools
