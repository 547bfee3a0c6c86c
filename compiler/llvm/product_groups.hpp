// Products of a stage that multiply different vectors by one panel become groups, which read the panel once and have
// as many multiply-adds in flight as they are products.
#pragma once

#include <vector>

#include "compiler/llvm/stage_context.hpp"

namespace rnnc::compiler {

/// Returns the products of a stage in an order in which each comes behind those that it starts from. Those of a group
/// may be computed together for `blocks` blocks of a row.
std::vector<std::vector<ir::Value>> product_groups(const StageContext& context, const Stage& stage, int blocks);

/// Returns how many products of this panel one group has at the most.
int most_of_group(const StageContext& context, const Panel& panel, int blocks);

}  // namespace rnnc::compiler
