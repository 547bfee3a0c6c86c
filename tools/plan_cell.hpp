// A bound cell and the flags become the plan that a compilation takes, whether by --plan, by tuning or by the cost
// model.
#pragma once

#include <string>

#include <rnnc/result.hpp>

#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"
#include "tools/flags.hpp"

namespace rnnc::tools {

struct PlannedCell {
  compiler::Lowered lowered;
  std::string tuned_in;  // the file that `bench --tune` kept the plan in; "" where the plan is not tuned
};

/// Lowers `cell` as compiler/llvm/code_of.cpp does, so that the plan is that of `rnnc run`. Errors: those of
/// parse_choices and lower.
Result<PlannedCell> plan_cell(const ir::Cell& cell, const compiler::Target& target, const ModelFlags& flags,
                              int threads = 1);

}  // namespace rnnc::tools
