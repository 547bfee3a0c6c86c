// The values with which a state begins are checked against the bound that its integers were made for.
#pragma once

#include <span>
#include <string>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

/// Checks values [batch, size] of a state. NaN is in every bound. Errors: InvalidData.
RNNC_API Result<void> check_bound(const StateInfo& info, const std::string& name, std::span<const float> values);

}  // namespace rnnc::runtime
