// From a bound type to the number of its elements: of a sequence, those of one step.
#pragma once

#include <cstdint>

#include "ir/graph.hpp"

namespace rnnc::ir {

std::int64_t elements(const Type& type);

}  // namespace rnnc::ir
