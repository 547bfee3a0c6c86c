// A few shapes of standard cells become the times that the cost model predicts for a step of them and those that were
// measured.
#pragma once

#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "tools/progress.hpp"

namespace rnnc::tools {

struct Prediction {
  std::string shape;  // CELL:T:B:I:H:THREADS
  double predicted_seconds = 0, measured_seconds = 0;

  double ratio() const { return predicted_seconds / measured_seconds; }
};

struct Predictions {
  std::string machine;  // the name of the machine that plans are made for
  std::vector<Prediction> shapes;
};

/// Times the plans that a compilation for this machine chooses. Errors: those of make_contest.
Result<Predictions> check_predictions(const Report& report);

}  // namespace rnnc::tools
