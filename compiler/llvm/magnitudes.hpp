// The largest magnitude of a vector, from which its scale is found, is found with comparisons of integers: the bits of
// magnitudes have the order of the magnitudes, with NaN as the largest. A Cortex-M compares floats in more
// instructions.
#pragma once

#include "compiler/llvm/stage_context.hpp"

namespace rnnc::compiler {

/// Tells whether a reduction is to be found that way: a largest magnitude on such a CPU, which nothing reads but to
/// take at least a constant that is no denormal. So it does not matter that the CPU counts denormals as zero in
/// comparisons of floats alone.
bool is_largest_magnitude(const StageContext& context, ir::Value reduction);

/// Tells whether so many blocks are all of a stage: the largest magnitude is then found without partial results.
inline bool has_all_units(const Stage& stage, int blocks, int lanes) {
  return std::int64_t{blocks} * lanes >= stage.units;
}

/// The largest magnitudes that were found in each lane are bits (<lanes x i32>), and lie in memory from `at` on.
llvm::Value* no_magnitudes(llvm::IRBuilderBase& builder, int lanes);
llvm::Value* load_magnitudes(llvm::IRBuilderBase& builder, llvm::Value* at, int lanes);
void store_magnitudes(llvm::IRBuilderBase& builder, llvm::Value* magnitudes, llvm::Value* at);

/// Returns the larger of `magnitudes` and those of `floats`, of which only those in `units` (<lanes x i1>) count; null
/// excludes none.
llvm::Value* larger_magnitudes(llvm::IRBuilderBase& builder, llvm::Value* magnitudes, llvm::Value* floats,
                               llvm::Value* units);

/// Returns the largest of all lanes as a float.
llvm::Value* largest_of_lanes(llvm::IRBuilderBase& builder, llvm::Value* magnitudes);

}  // namespace rnnc::compiler
