// A stage of a plan becomes words for people: when it runs, and what it computes, with which tile, from which memory.
#pragma once

#include <string>
#include <vector>

#include "compiler/schedule/lower.hpp"
#include "tools/explanation.hpp"

namespace rnnc::tools {

/// Describes each stage for steps of `batch` sequences.
std::vector<StageFacts> stages_in_words(const compiler::Lowered& lowered, const compiler::Target& target,
                                        std::int64_t batch);

}  // namespace rnnc::tools
