#include "import/tensor_size.hpp"

#include <algorithm>

#include "import/file_error.hpp"

namespace rnnc::files {

Result<std::uint64_t> tensor_bytes(ElementType type, const Shape& shape, const FileLimits& limits,
                                   std::string_view file, const std::string& what) {
  if (static_cast<std::int64_t>(shape.size()) > limits.max_rank) {
    return file_error(ErrorCode::Limit, file,
                      what + " has " + std::to_string(shape.size()) + " dimensions, more than the limit of " +
                          std::to_string(limits.max_rank) + "; reshape it");
  }
  for (const std::int64_t dim : shape) {
    if (dim < 0) {
      return file_error(ErrorCode::InvalidData, file,
                        what + ": shape " + to_string(shape) + " has a negative dimension; write it again");
    }
    if (dim > limits.max_dim) {
      return file_error(ErrorCode::Limit, file,
                        what + ": shape " + to_string(shape) + " has a dimension of " + std::to_string(dim) +
                            ", more than the limit of " + std::to_string(limits.max_dim) + "; split it");
    }
  }
  // A tensor with a dim of 0 has no elements, however large the other dims are, whose product might overflow.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return std::uint64_t{0};
  std::uint64_t bytes = size_bytes(type);
  for (const std::int64_t dim : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dim), &bytes)) {
      return file_error(ErrorCode::InvalidData, file,
                        what + ": shape " + to_string(shape) + " of " + std::string(name(type)) +
                            " needs more than 2^64 bytes; correct the shape");
    }
  }
  return bytes;
}

Result<void> check_writable(const Tensor& tensor, std::string_view file, const std::string& what) {
  const auto needed = tensor_bytes(tensor.type, tensor.shape, FileLimits{}, file, what);
  if (!needed) return needed.error();
  if (*needed != tensor.bytes.size()) {
    return file_error(ErrorCode::InvalidData, file,
                      what + ": shape " + to_string(tensor.shape) + " of " + std::string(name(tensor.type)) +
                          " needs " + std::to_string(*needed) + " bytes, but it has " +
                          std::to_string(tensor.bytes.size()) + "; make bytes and shape agree");
  }
  return {};
}

}  // namespace rnnc::files
