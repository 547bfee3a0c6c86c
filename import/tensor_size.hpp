// These functions compute the bytes of a tensor in a file, with every multiplication checked and every limit applied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>

namespace rnnc::files {

/// Returns the bytes of a tensor. `what` names the tensor in messages: `tensor "Wi"`, `the array`.
///
/// Errors    Limit for rank and dims beyond the limits; InvalidData for a negative dim or a size beyond 64 bits
Result<std::uint64_t> tensor_bytes(ElementType type, const Shape& shape, const FileLimits& limits,
                                   std::string_view file, const std::string& what);

/// Checks, for the writers, that bytes and shape fit each other and that a reader with its usual limits accepts them.
Result<void> check_writable(const Tensor& tensor, std::string_view file, const std::string& what);

}  // namespace rnnc::files
