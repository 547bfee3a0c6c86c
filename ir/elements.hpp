// A bound type gives the number of its elements; a sequence has those of one step.
#pragma once

#include <cstdint>

#include "ir/graph.hpp"

namespace rnnc::ir {

std::int64_t elements(const Type& type);

}  // namespace rnnc::ir
