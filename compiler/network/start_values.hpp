// Where a scan begins with values that follow from parameters alone, they are known when the network is compiled.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "compiler/network/cut.hpp"

namespace rnnc::compiler {

/// Elements [begin, end) of what a call gives that reads nothing.
struct StartPart {
  std::shared_ptr<const CellCall> call;
  std::int64_t begin = 0, end = 0;
};

/// By call of the list: state -> its first value, as parts side by side.
using Starts = std::map<std::size_t, std::map<std::string, std::vector<StartPart>>>;

/// Takes such values from the calls' `initial` rows, and the calls that nothing else needs out of the list. A scan
/// stays as it is where inputs decide how it begins.
Starts take_starts(CallList& list);

/// What the portable executor computes for `parts`. Every weight that they need is there, of the right shape. Errors:
/// Limit.
Result<std::vector<float>> start_values(const std::vector<StartPart>& parts, const TensorMap& weights);

}  // namespace rnnc::compiler
