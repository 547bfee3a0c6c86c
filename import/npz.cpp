#include "import/npz.hpp"

#include <new>

#include <rnnc/import.hpp>

#include "import/file_content.hpp"
#include "import/file_error.hpp"
#include "import/other_formats.hpp"
#include "import/refusal.hpp"

namespace rnnc {
namespace {

constexpr std::string_view kSuffix = ".npy";

}  // namespace

TensorMap files::read_npz(const std::vector<ZipEntry>& entries, std::string_view file, const FileLimits& limits) {
  TensorMap tensors;
  for (const ZipEntry& entry : entries) {
    if (entry.name == "data.pkl" || entry.name.ends_with("/data.pkl"))
      unsupported(file, "",
                  "this is a file of torch.save: a program in pickle, which rnnc never runs; save the state_dict with "
                  "safetensors.torch.save_file");
    if (!entry.name.ends_with(kSuffix))
      unsupported(file, in_quotes(entry.name), "is no array; a .npz file of numpy.savez has arrays alone");
    const std::string place = std::string(file) + ", " + in_quotes(entry.name);
    Result<Tensor> tensor = parse_npy(unpack(entry, file), place, limits);
    if (!tensor) throw Refusal{tensor.error()};
    tensors.emplace(entry.name.substr(0, entry.name.size() - kSuffix.size()), std::move(*tensor));
  }
  return tensors;
}

Result<TensorMap> parse_npz(std::span<const std::byte> content, std::string_view file, const FileLimits& limits) try {
  return files::read_npz(files::list_zip(content, file, limits), file, limits);
} catch (const files::Refusal& refusal) {
  return refusal.error;
} catch (const std::bad_alloc&) {
  return files::out_of_memory(file);
}

Result<TensorMap> load_tensors(const std::string& path, const FileLimits& limits) {
  const auto content = files::FileContent::open(path, limits.max_file_bytes);
  if (!content) return content.error();
  if (format_of(content->bytes()) == FileFormat::Zip) return parse_npz(content->bytes(), path, limits);
  if (std::string other = files::about_no_weights(content->bytes()); !other.empty())
    return files::file_error(ErrorCode::InvalidData, path, std::move(other));
  return load_safetensors(path, limits);
}

}  // namespace rnnc
