// A safetensors file has the size of the header, the header, and the bytes of the tensors end to end.
// safetensors_header.cpp reads the header; this file compares it with the data, and writes files.
#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>
#include <rnnc/tensor_files.hpp>
#include <vector>

#include "import/file_error.hpp"
#include "import/safetensors.hpp"
#include "import/safetensors_header.hpp"
#include "import/tensor_size.hpp"
#include "import/write_file.hpp"

namespace rnnc {
namespace {

using files::file_error;
using files::HeaderEntry;
using files::in_quotes;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "sizes and tensors are used as they lie in the file");

constexpr std::size_t kSizeBytes = sizeof(std::uint64_t);
constexpr std::size_t kDataAlignment = 8;  // of the data behind the header; the format's own library pads it so

std::string in_bytes(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

Error invalid_safetensors(std::string_view file, std::string message) {
  return file_error(ErrorCode::InvalidData, file, std::move(message));
}

/// Returns the size that the file states for its header, and checks that the header is there.
Result<std::uint64_t> header_size(std::span<const std::byte> content, std::string_view file, const FileLimits& limits) {
  if (content.size() > limits.max_file_bytes) {
    return file_error(ErrorCode::Limit, file,
                      "the file has " + in_bytes(content.size()) + ", more than the limit of " +
                          std::to_string(limits.max_file_bytes) + "; raise the limit or split the file");
  }
  if (content.size() < kSizeBytes) {
    return invalid_safetensors(file, "the file has " + in_bytes(content.size()) +
                                         ", but the size of a safetensors header alone takes 8; copy the file again");
  }
  std::uint64_t size = 0;
  std::memcpy(&size, content.data(), kSizeBytes);
  const std::uint64_t rest = content.size() - kSizeBytes;
  if (size > rest) {
    return invalid_safetensors(file, "the header should have " + in_bytes(size) + ", but " + std::to_string(rest) +
                                         " follow; the file is cut short or no safetensors file");
  }
  if (size > limits.max_header_bytes) {
    return file_error(ErrorCode::Limit, file,
                      "the header has " + in_bytes(size) + ", more than the limit of " +
                          std::to_string(limits.max_header_bytes) + "; raise the limit or split the file");
  }
  return size;
}

Result<void> check_size(const HeaderEntry& entry, std::string_view file, const FileLimits& limits) {
  const std::string what = "tensor " + in_quotes(entry.name);
  const std::string range = "[" + std::to_string(entry.begin) + "," + std::to_string(entry.end) + "]";
  if (entry.begin > entry.end) {
    return invalid_safetensors(file, what + ": data_offsets " + range + " end before they begin; save the file again");
  }
  const auto needed = files::tensor_bytes(entry.type, entry.shape, limits, file, what);
  if (!needed) return needed.error();
  if (const std::uint64_t held = entry.end - entry.begin; held != *needed) {
    return invalid_safetensors(file, what + ": shape " + to_string(entry.shape) + " of " +
                                         std::string(name(entry.type)) + " needs " + in_bytes(*needed) +
                                         ", but data_offsets " + range + " hold " + std::to_string(held) +
                                         "; correct the shape or save the file again");
  }
  return {};
}

/// Checks that the entries, in the order of their offsets, leave no hole, share no byte and end where the file ends.
Result<void> check_tiling(const std::vector<HeaderEntry>& entries, std::uint64_t data_bytes, std::string_view file) {
  std::uint64_t end = 0;
  std::string before = "the data begins";
  for (const HeaderEntry& entry : entries) {
    if (entry.begin != end) {
      const char* fault = entry.begin > end ? "leaves a hole" : "overlaps";
      return invalid_safetensors(file, "tensor " + in_quotes(entry.name) + " begins at byte " +
                                           std::to_string(entry.begin) + ", but " + before + " at " +
                                           std::to_string(end) + ": that " + fault + "; save the file again");
    }
    end = entry.end;
    before = "tensor " + in_quotes(entry.name) + " before it ends";
  }
  if (end > data_bytes) {
    return invalid_safetensors(file, "the tensors take " + in_bytes(end) + ", but " + std::to_string(data_bytes) +
                                         " follow the header; the file is cut short: copy it again");
  }
  if (end < data_bytes) {
    return invalid_safetensors(file, "the tensors take " + in_bytes(end) + ", but " + std::to_string(data_bytes) +
                                         " follow the header; remove the rest or save the file again");
  }
  return {};
}

Result<files::TensorViews> parse(const files::FileContent& whole, std::string_view file, const FileLimits& limits) {
  const auto content = whole.bytes();
  const auto size = header_size(content, file, limits);
  if (!size) return size.error();
  const std::string_view header(reinterpret_cast<const char*>(content.data()) + kSizeBytes, *size);
  const auto data = content.subspan(kSizeBytes + *size);

  auto entries = files::parse_safetensors_header(header, file, limits);
  if (!entries) return entries.error();
  std::sort(entries->begin(), entries->end(), [](const HeaderEntry& a, const HeaderEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  for (const HeaderEntry& entry : *entries) {
    if (const auto fits = check_size(entry, file, limits); !fits) return fits.error();
  }
  if (const auto tiled = check_tiling(*entries, data.size(), file); !tiled) return tiled.error();

  files::TensorViews tensors;
  for (HeaderEntry& entry : *entries)
    tensors.emplace(std::move(entry.name),
                    files::TensorView{entry.type, std::move(entry.shape),
                                      data.subspan(entry.begin, entry.end - entry.begin), nullptr, &whole});
  return tensors;
}

Result<TensorMap> copy(const files::FileContent& content, std::string_view file, const FileLimits& limits) try {
  const Result<files::TensorViews> views = parse(content, file, limits);
  if (!views) return views.error();
  TensorMap tensors;
  for (const auto& [name, view] : *views) {
    tensors.emplace(name, Tensor{view.type, view.shape, {view.bytes.begin(), view.bytes.end()}});
    content.release(view.bytes);
  }
  return tensors;
} catch (const std::bad_alloc&) {
  return files::out_of_memory(file);
}

/// Sorts tensors by the size of an element, largest first, so that no tensor needs padding to be aligned.
std::vector<const TensorMap::value_type*> write_order(const TensorMap& tensors) {
  std::vector<const TensorMap::value_type*> order;
  for (const auto& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return size_bytes(a->second.type) > size_bytes(b->second.type);
  });
  return order;
}

/// Returns the text of the header. Throws json::exception if a name is no UTF-8.
std::string header_text(const std::vector<const TensorMap::value_type*>& order,
                        const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  if (!metadata.empty()) text += json(files::kMetadataName).dump() + ":" + json(metadata).dump();
  std::uint64_t end = 0;
  for (const auto* named : order) {
    const Tensor& tensor = named->second;
    const std::uint64_t begin = end;
    end += tensor.bytes.size();
    if (text.size() > 1) text += ',';
    text += json(named->first).dump() + R"(:{"dtype":")" + std::string(name(tensor.type)) + R"(","shape":)" +
            to_string(tensor.shape) + R"(,"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
  }
  text += '}';
  text.append((kDataAlignment - text.size() % kDataAlignment) % kDataAlignment, ' ');
  return text;
}

Result<void> save(const std::string& path, const TensorMap& tensors,
                  const std::map<std::string, std::string>& metadata) {
  const FileLimits limits;
  for (const auto& [name, tensor] : tensors) {
    if (name == files::kMetadataName) {
      return invalid_safetensors(path, "a tensor cannot be named __metadata__; choose another name");
    }
    if (auto writable = files::check_writable(tensor, path, "tensor " + in_quotes(name)); !writable) return writable;
  }
  const auto order = write_order(tensors);
  const std::string header = header_text(order, metadata);
  const std::uint64_t size = header.size();
  std::vector<files::Bytes> pieces = {std::as_bytes(std::span(&size, 1)), std::as_bytes(std::span(header))};
  std::uint64_t total = kSizeBytes + size;
  for (const auto* named : order) {
    pieces.push_back(named->second.bytes);
    total += named->second.bytes.size();
  }
  if (size > limits.max_header_bytes || total > limits.max_file_bytes) {
    return file_error(ErrorCode::Limit, path,
                      "the file would have a header of " + in_bytes(size) + " and " + in_bytes(total) +
                          " in all, more than the limits of " + std::to_string(limits.max_header_bytes) + " and " +
                          std::to_string(limits.max_file_bytes) + "; save it as several files");
  }
  return files::write_file(path, pieces);
}

}  // namespace

Result<files::TensorViews> files::view_safetensors(const FileContent& content, std::string_view file,
                                                   const FileLimits& limits) {
  return parse(content, file, limits);
}

Result<TensorMap> parse_safetensors(std::span<const std::byte> content, std::string_view file,
                                    const FileLimits& limits) {
  return copy(files::FileContent(content), file, limits);
}

Result<TensorMap> load_safetensors(const std::string& path, const FileLimits& limits) {
  const auto content = files::FileContent::open(path, limits.max_file_bytes);
  if (!content) return content.error();
  return copy(*content, path, limits);
}

Result<void> save_safetensors(const std::string& path, const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata) try {
  return save(path, tensors, metadata);
} catch (const json::exception&) {
  return invalid_safetensors(path, "the name of a tensor or a text of the metadata is not valid UTF-8; correct it");
} catch (const std::bad_alloc&) {
  return files::out_of_memory(path);
}

}  // namespace rnnc
