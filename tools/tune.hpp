// The plausible plans of a cell become times, one stage after the other: each stage keeps its best plan before the next
// stage is tried.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rnnc/program.hpp>
#include <rnnc/result.hpp>

#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"
#include "tools/noise.hpp"
#include "tools/progress.hpp"

namespace rnnc::tools {

struct TunedPlan {
  compiler::PlanChoice choice;  // with the best of the stages before, and the cost model's of those behind
  double seconds = 0;
  bool is_model = false;  // the cost model's choice
};

struct Tuning {
  std::vector<TunedPlan> tried;
  std::vector<compiler::PlanChoice> best;
  Noise noise;  // the worst of all stages
};

/// `compile` makes the program of a plan, and `call` a function that runs it once. `cell` is bound. Errors: those of
/// both.
Result<Tuning> tune(const ir::Cell& cell, const compiler::Target& target, int rounds,
                    const std::function<Result<Program>(const std::string& plan)>& compile,
                    const std::function<std::function<void()>(const Program& program)>& call, const Report& report);

/// Keeps the best plan in the cache folder, and returns where; "" where the environment allows no writing. Errors:
/// File.
Result<std::string> keep(const Tuning& tuning, const ir::Cell& cell, const compiler::Target& target);

}  // namespace rnnc::tools
