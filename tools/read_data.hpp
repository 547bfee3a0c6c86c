// Files of type .npy become sequences and lengths, which are checked against what they are for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "tools/interface.hpp"

namespace rnnc::tools {

Error wrong_shape(const std::string& path, const std::string& what, const Shape& wanted, const Shape& found);

/// Reads an f32 tensor. `what` begins the message where the file has a tensor of another type.
Result<Tensor> read_f32(const std::string& path, const std::string& what);

/// Reads int32[batch], each in [0, steps].
Result<std::vector<std::int32_t>> read_lengths(const std::string& path, std::int64_t steps, std::int64_t batch);

Result<NamedSize> find_state(const std::string& flag, const std::string& name, const std::vector<NamedSize>& states);

}  // namespace rnnc::tools
