// The first values of states that depend on parameters alone become start values, which are known when the network is
// compiled. A program sets start values once, when it makes its states, so that a sequence may come in several calls. A
// call that computed these values would set the states again in the middle of the sequence.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "compiler/network/cut.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

/// Elements [begin, end) of the result of a call that reads no row.
struct StartPart {
  std::shared_ptr<const CellCall> call;
  std::int64_t begin = 0, end = 0;
};

/// The start values of each call of the list: state -> its first value, as parts side by side.
using Starts = std::map<std::size_t, std::map<std::string, std::vector<StartPart>>>;

/// Removes start values from the `initial` rows of calls, and removes the calls that nothing else needs from the list.
/// A scan whose first values depend on inputs stays as it is.
Starts take_starts(CallList& list);

/// Computes the start values of states with the portable executor. A call runs once, however many states begin with
/// parts of its result.
class StartValues {
 public:
  /// `weights` has every weight that the parts need, in the right shape. Products round them to `format`.
  StartValues(const TensorMap& weights, runtime::NumberFormat format) : weights_(weights), format_(format) {}

  /// Returns the start value of one state. Errors: Limit.
  Result<std::vector<float>> of(const std::vector<StartPart>& parts);

 private:
  const TensorMap& weights_;
  runtime::NumberFormat format_;
  std::map<std::shared_ptr<const CellCall>, std::vector<float>> results_;
};

}  // namespace rnnc::compiler
