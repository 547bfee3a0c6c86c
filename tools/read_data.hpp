// Sequences and lengths from .npy files, checked against what they are for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "tools/interface.hpp"

namespace rnnc::tools {

Error wrong_shape(const std::string& path, const std::string& what, const Shape& wanted, const Shape& found);

/// A f32 tensor. `what` begins the message where it is none.
Result<Tensor> read_f32(const std::string& path, const std::string& what);

/// int32[batch], each in [0, steps].
Result<std::vector<std::int32_t>> read_lengths(const std::string& path, std::int64_t steps, std::int64_t batch);

Result<NamedSize> find_state(const std::string& flag, const std::string& name, const std::vector<NamedSize>& states);

}  // namespace rnnc::tools
