#include <filesystem>

#include "import/file_error.hpp"
#include "import/onnx/graph.hpp"
#include "import/real_path.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {

std::span<const std::byte> OnnxFiles::read(const std::string& location, std::uint64_t offset,
                                           std::optional<std::uint64_t> length, std::string_view file,
                                           const FileLimits& limits, const FileContent*& content) {
  const std::string what = "external data " + in_quotes(location);
  if (model_.empty())
    unsupported(file, what, "its data are in another file; give the model as a file, or save it as one file");
  const std::filesystem::path relative(location);
  if (location.empty() || relative.is_absolute()) invalid(file, what, "is no path beside the model");
  const auto real = real_path((std::filesystem::path(folder_of(model_)) / relative).string());
  const auto folder = real_path(folder_of(model_));
  if (!real || !folder) invalid(file, what, "cannot be found; it must lie in the model's folder");
  const auto inside = std::filesystem::path(*real).lexically_relative(*folder);
  if (inside.empty() || *inside.begin() == ".." || inside == ".")
    invalid(file, what, "is outside of the model's folder; put it beside the model");
  auto known = open_.find(*real);
  if (known == open_.end()) {
    if (!std::filesystem::is_regular_file(*real)) invalid(file, what, "cannot be found; put it beside the model");
    auto opened = FileContent::open(*real, limits.max_file_bytes);
    if (!opened) throw Refusal{opened.error()};
    bytes_ += opened->bytes().size();
    known = open_.emplace(*real, std::move(*opened)).first;
  }
  content = &known->second;
  const auto bytes = content->bytes();
  if (offset > bytes.size() || (length && *length > bytes.size() - offset))
    invalid(file, what,
            "has " + std::to_string(bytes.size()) + " bytes, but the model wants those from " + std::to_string(offset) +
                (length ? " to " + std::to_string(offset + *length) : "") + "; copy it again");
  return bytes.subspan(offset, length.value_or(bytes.size() - offset));
}

}  // namespace rnnc::files
