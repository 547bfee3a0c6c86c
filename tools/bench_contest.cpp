#include "tools/bench_contest.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <tuple>

#include <rnnc/session.hpp>

#include "tools/exit_code.hpp"
#include "tools/random_data.hpp"

namespace rnnc::tools {

Result<void> add_sizes(const BenchFlags& flags, Source& source) {
  const ir::Graph& graph = source.network ? static_cast<const ir::Graph&>(*source.network) : source.cell;
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

Result<Program> compile_timed(const BenchFlags& flags, const Source& source, double& milliseconds) {
  const auto start = std::chrono::steady_clock::now();
  Result<Program> program = compile(source, flags.model, flags.threads, false);
  milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return program;
}

Result<void> add_sessions(const BenchFlags& flags, const Program& program, Contest& contest) {
  struct Streams {
    Program program;
    Sessions together;
    std::vector<State> alone;
    std::vector<float> x, y;
  };
  Result<Sessions> sessions = Sessions::make(program, flags.sessions);
  if (!sessions) return sessions.error();
  auto streams = std::make_shared<Streams>(Streams{program, std::move(*sessions), {}, {}, {}});
  for (std::int64_t i = 0; i < flags.sessions; ++i) {
    if (const auto joined = streams->together.join(); !joined) return joined.error();
    streams->alone.push_back(program.make_state(1));
  }
  streams->x = random_values(flags.sessions * program.input_size(), 1, static_cast<std::uint64_t>(flags.seed));
  streams->y.resize(static_cast<std::size_t>(flags.sessions * program.output_size()));
  contest.together = [streams] { (void)streams->together.step(streams->x.data(), streams->y.data()); };
  contest.ours = [streams] {
    const float* x = streams->x.data();
    float* y = streams->y.data();
    for (State& state : streams->alone) {
      (void)streams->program.step(state, x, y);
      x += streams->program.input_size();
      y += streams->program.output_size();
    }
  };
  return {};
}

}  // namespace rnnc::tools
