// The levels of an artifact become the one that this machine runs: the highest that it can run, or the one that the
// caller names.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

#include "runtime/artifact_file.hpp"

namespace rnnc::runtime {

/// Returns the number of the level for `cpu`; of "" the highest that this machine can run, whatever the order of the
/// levels is. A level is higher than another if it needs wider registers, or as wide ones and more features.
///
/// Errors    Usage if no level is for `cpu`; Unsupported if this machine can run none, or not the one for `cpu`
RNNC_API Result<std::size_t> choose_level(const std::vector<StoredLevel>& levels, const std::string& cpu);

/// Returns the names of the features that the level needs and this machine lacks, with commas between.
RNNC_API std::string missing_features(const StoredLevel& level);

}  // namespace rnnc::runtime
