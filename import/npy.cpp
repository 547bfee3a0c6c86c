// An .npy file has a magic number, a version, the size of the header, the header (npy_header.cpp) and the elements.
#include <bit>
#include <cstring>
#include <new>
#include <optional>
#include <rnnc/join.hpp>
#include <rnnc/tensor_files.hpp>
#include <utility>

#include "import/file_error.hpp"
#include "import/npy.hpp"
#include "import/npy_header.hpp"
#include "import/read_file.hpp"
#include "import/tensor_size.hpp"
#include "import/write_file.hpp"

namespace rnnc {
namespace {

using files::file_error;

static_assert(std::endian::native == std::endian::little, "sizes and arrays are used as they lie in the file");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kVersionBytes = 2;        // major, minor
constexpr std::size_t kElementsAlignment = 64;  // of the elements; NumPy writes them so

Error invalid_npy(std::string_view file, std::string message) {
  return file_error(ErrorCode::InvalidData, file, std::move(message));
}

Error cut_short(std::string_view file, std::size_t size) {
  return invalid_npy(file, "the file ends after " + std::to_string(size) + (size == 1 ? " byte" : " bytes") +
                               ", within its header; copy or save it again");
}

struct Parts {
  std::string_view header;
  std::span<const std::byte> elements;
};

/// Finds the header and the elements. The header's size has two bytes in version 1.0 and four in later versions.
Result<Parts> split(std::span<const std::byte> content, std::string_view file, const FileLimits& limits) {
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  if (content.size() > limits.max_file_bytes) {
    return file_error(ErrorCode::Limit, file,
                      "the file has " + std::to_string(content.size()) + " bytes, more than the limit of " +
                          std::to_string(limits.max_file_bytes) + "; raise the limit or split the array");
  }
  if (text.substr(0, kMagic.size()) != kMagic.substr(0, text.size())) {
    return invalid_npy(file, "this is no .npy file: it does not begin with \\x93NUMPY; write it with numpy.save");
  }
  if (text.size() < kMagic.size() + kVersionBytes) return cut_short(file, text.size());
  const int major = static_cast<unsigned char>(text[kMagic.size()]);
  const int minor = static_cast<unsigned char>(text[kMagic.size() + 1]);
  if (major < 1 || major > 3 || minor != 0) {
    return invalid_npy(file, ".npy version " + std::to_string(major) + "." + std::to_string(minor) +
                                 " is unknown; versions 1.0, 2.0 and 3.0 are read");
  }
  const std::size_t field_bytes = major == 1 ? 2 : 4;
  const std::size_t header_begin = kMagic.size() + kVersionBytes + field_bytes;
  if (text.size() < header_begin) return cut_short(file, text.size());
  std::uint32_t size = 0;
  std::memcpy(&size, text.data() + kMagic.size() + kVersionBytes, field_bytes);
  if (size > text.size() - header_begin) return cut_short(file, text.size());
  if (size > limits.max_header_bytes) {
    return file_error(ErrorCode::Limit, file,
                      "the header has " + std::to_string(size) + " bytes, more than the limit of " +
                          std::to_string(limits.max_header_bytes) + "; raise the limit");
  }
  return Parts{text.substr(header_begin, size), content.subspan(header_begin + size)};
}

/// Puts elements whose first index runs fastest into the order of Tensor, in which the last one does.
std::vector<std::byte> in_our_order(std::span<const std::byte> elements, const Shape& shape, std::size_t size) {
  std::vector<std::byte> ordered(elements.size());
  std::vector<std::size_t> strides, index(shape.size());
  std::size_t stride = size;
  for (const std::int64_t dim : shape) strides.push_back(std::exchange(stride, stride * static_cast<std::size_t>(dim)));
  std::size_t from = 0;
  for (std::size_t to = 0; to < ordered.size(); to += size) {
    std::memcpy(&ordered[to], &elements[from], size);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < static_cast<std::size_t>(shape[axis])) break;
      from -= strides[axis] * std::exchange(index[axis], 0);
    }
  }
  return ordered;
}

Result<Tensor> parse(std::span<const std::byte> content, std::string_view file, const FileLimits& limits) {
  const auto parts = split(content, file, limits);
  if (!parts) return parts.error();
  auto header = files::parse_npy_header(parts->header, file, limits);
  if (!header) return header.error();
  const auto needed = files::tensor_bytes(header->type, header->shape, limits, file, "the array");
  if (!needed) return needed.error();
  if (const std::size_t held = parts->elements.size(); held != *needed) {
    return invalid_npy(file, "the array: shape " + to_string(header->shape) + " of " + std::string(name(header->type)) +
                                 " needs " + std::to_string(*needed) + " bytes, but " + std::to_string(held) +
                                 (held < *needed ? " follow the header; the file is cut short: copy it again"
                                                 : " follow the header; remove the rest or save the array again"));
  }
  if (header->fortran_order && header->shape.size() > 1) {
    std::vector<std::byte> bytes = in_our_order(parts->elements, header->shape, size_bytes(header->type));
    return Tensor{header->type, std::move(header->shape), std::move(bytes)};
  }
  return Tensor{header->type, std::move(header->shape),
                std::vector<std::byte>(parts->elements.begin(), parts->elements.end())};
}

// Returns the spelling with the byte order, which is '|' for a type of one byte; "" if NumPy lacks the type.
std::string spelled(ElementType type) {
  for (const files::NpyType& each : files::kNpyTypes)
    if (each.type == type) return (size_bytes(type) == 1 ? "|" : "<") + std::string(each.name);
  return "";
}

/// Returns everything before the elements. A shape within the usual limits keeps it far below version 1.0's 65535
/// bytes.
std::string prefix(const std::string& descr, const Shape& shape) {
  std::string dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + join(shape);
  dict += shape.size() == 1 ? ",), }" : "), }";
  const std::size_t fixed = kMagic.size() + kVersionBytes + sizeof(std::uint16_t);
  const std::size_t unpadded = fixed + dict.size() + 1;
  dict.append((kElementsAlignment - unpadded % kElementsAlignment) % kElementsAlignment, ' ');
  dict += '\n';
  const auto size = static_cast<std::uint16_t>(dict.size());
  std::string text(kMagic);
  text += '\x01';
  text += '\x00';
  text += static_cast<char>(size & 0xff);
  text += static_cast<char>(size >> 8);
  return text + dict;
}

}  // namespace

Result<std::string> files::npy_head(const Tensor& tensor, const std::string& path) {
  if (auto writable = files::check_writable(tensor, path, "the array"); !writable) return writable.error();
  const std::string descr = spelled(tensor.type);
  if (descr.empty()) {
    return invalid_npy(path, "NumPy has no type for " + std::string(name(tensor.type)) +
                                 "; convert the tensor to F32 or save it as safetensors");
  }
  std::string text = prefix(descr, tensor.shape);
  if (const auto total = text.size() + tensor.bytes.size(); total > FileLimits{}.max_file_bytes) {
    return file_error(ErrorCode::Limit, path,
                      "the file would have " + std::to_string(total) + " bytes, more than the limit of " +
                          std::to_string(FileLimits{}.max_file_bytes) + "; save the array in parts");
  }
  return text;
}

Result<Tensor> parse_npy(std::span<const std::byte> content, std::string_view file, const FileLimits& limits) try {
  return parse(content, file, limits);
} catch (const std::bad_alloc&) {
  return files::out_of_memory(file);
}

Result<Tensor> load_npy(const std::string& path, const FileLimits& limits) {
  const auto content = files::read_file(path, limits.max_file_bytes);
  if (!content) return content.error();
  return parse_npy(*content, path, limits);
}

Result<void> save_npy(const std::string& path, const Tensor& tensor) try {
  const Result<std::string> head = files::npy_head(tensor, path);
  if (!head) return head.error();
  return files::write_file(path, {std::as_bytes(std::span(*head)), files::Bytes(tensor.bytes)});
} catch (const std::bad_alloc&) {
  return files::out_of_memory(path);
}

}  // namespace rnnc
