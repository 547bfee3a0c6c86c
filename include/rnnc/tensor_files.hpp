// Tensors are read from files and written to them: safetensors holds many tensors by name, .npy holds one. The readers
// reject everything that they do not understand, with its name. A writer replaces the old file by the whole new one, or
// fails and leaves the old file as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace RNNC_API rnnc {

/// These are the limits of a reader. Sizes are compared with them, and with the real size of the file, before memory is
/// allocated.
struct FileLimits {
  std::uint64_t max_file_bytes = std::uint64_t{2} << 30;
  std::uint64_t max_header_bytes = 100'000'000;  // the limit of the safetensors format
  std::int64_t max_rank = 8;
  std::int64_t max_dim = std::int64_t{1} << 24;
  int max_nesting = 16;  // of objects and arrays in JSON
  // The elements that are computed and moved, and the characters that are written, where a graph of ONNX or TensorFlow
  // Lite becomes text. This has room for 80 operations on 100,000 elements, which take less than a second.
  std::uint64_t max_graph_work = std::uint64_t{1} << 23;
};

/// Reads the tensors of a safetensors file by name. `__metadata__` is checked and left out.
///
/// Errors    File if it cannot be read; InvalidData if it is malformed; Limit. `file` is its name in messages.
Result<TensorMap> load_safetensors(const std::string& path, const FileLimits& limits = {});
Result<TensorMap> parse_safetensors(std::span<const std::byte> content, std::string_view file = "<memory>",
                                    const FileLimits& limits = {});

/// Writes a file that `load_safetensors` reads, in an order that keeps every tensor aligned. A path that is no regular
/// file (/dev/stdout, a pipe) is written directly.
///
/// Errors    File; InvalidData if a name is no UTF-8 or a tensor's bytes do not fit its shape; Limit
Result<void> save_safetensors(const std::string& path, const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata = {});

/// Reads the array of a .npy file, versions 1.0 to 3.0: little-endian, of a type that Tensor has, in either order.
///
/// Errors    as for safetensors
Result<Tensor> load_npy(const std::string& path, const FileLimits& limits = {});
Result<Tensor> parse_npy(std::span<const std::byte> content, std::string_view file = "<memory>",
                         const FileLimits& limits = {});

/// Reads the arrays of a .npz file (numpy.savez and savez_compressed) by name. Errors: as for safetensors; Unsupported
/// for a compressed file where rnnc was built without zlib.
Result<TensorMap> parse_npz(std::span<const std::byte> content, std::string_view file = "<memory>",
                            const FileLimits& limits = {});

/// Reads the tensors of a safetensors or .npz file, told apart by content. Errors: as for those.
Result<TensorMap> load_tensors(const std::string& path, const FileLimits& limits = {});

/// Writes version 1.0, as numpy.save does. Errors: InvalidData for BF16, which NumPy lacks; otherwise as
/// `save_safetensors`.
Result<void> save_npy(const std::string& path, const Tensor& tensor);

}  // namespace rnnc
