// Results that another program computed stand in files of the user's, and are set beside those of this one.
#pragma once

#include <rnnc/result.hpp>

#include "tools/interface.hpp"
#include "tools/run_data.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

/// Compares `ours` with the files of the job's outputs and final states, which are read here. What no file tells does
/// not count. `promised` is the limit. Errors: those of the files, and ShapeMismatch.
Result<Difference> compare_with_files(SequenceResult ours, const Interface& interface, const Job& job, double promised);

}  // namespace rnnc::tools
