// From an artifact's bytes to a program: nothing here compiles or links.
#include <rnnc/artifact.hpp>

#include <algorithm>
#include <fstream>
#include <new>

#include "runtime/artifact_file.hpp"
#include "runtime/program.hpp"

namespace rnnc {
namespace {

constexpr int kMostThreads = 1024;

Error refuse(ErrorCode code, std::string_view file, std::string message) {
  return {code, {std::string(file)}, std::move(message), {}};
}

Result<void> check_fits(const runtime::StoredArtifact& artifact, std::string_view file) {
  if (const auto missing = artifact.features & ~runtime::host_features(); missing != 0)
    return refuse(ErrorCode::Unsupported, file,
                  "the artifact is for " + artifact.description.cpu + ", and this CPU lacks " +
                      runtime::feature_names(missing) + "; compile the model for this one");
  if (static_cast<std::int64_t>(artifact.weights.size()) != artifact.description.weights_size)
    return refuse(ErrorCode::InvalidData, file, "the artifact has no weights; compile the model again");
  return {};
}

}  // namespace

Result<Program> parse_artifact(std::span<const std::byte> content, std::string_view file,
                               const LoadOptions& options) try {
  if (options.threads < 1 || options.threads > kMostThreads)
    return refuse(ErrorCode::Usage, {}, "threads = " + std::to_string(options.threads) + " is not between 1 and 1024");
  Result<runtime::StoredArtifact> artifact = runtime::read_artifact(content, file);
  if (!artifact) return artifact.error();
  if (const auto fits = check_fits(*artifact, file); !fits) return fits.error();
  const Result<runtime::MappedCode> code = runtime::map_code(artifact->image);
  if (!code) return refuse(code.error().code, file, code.error().message);
  runtime::AlignedBuffer weights(artifact->description.weights_size);
  std::ranges::copy(artifact->weights, weights.data());
  return runtime::make_program(std::move(artifact->description), code->run, code->owner, std::move(weights),
                               {options.threads, options.executor, options.sharing});
} catch (const std::bad_alloc&) {
  return refuse(ErrorCode::Limit, file, "not enough memory to load the artifact");
}

Result<Program> load_artifact(const std::string& path, const LoadOptions& options) try {
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = stream ? static_cast<std::streamoff>(stream.tellg()) : -1;
  if (size < 0) return refuse(ErrorCode::File, path, "cannot open it; check the path");
  std::vector<std::byte> content(static_cast<std::size_t>(size));
  stream.seekg(0);
  if (!stream.read(reinterpret_cast<char*>(content.data()), size))
    return refuse(ErrorCode::File, path, "cannot read it");
  return parse_artifact(content, path, options);
} catch (const std::bad_alloc&) {
  return refuse(ErrorCode::Limit, path, "not enough memory to load the artifact");
} catch (const std::length_error&) {
  return refuse(ErrorCode::File, path, "cannot read it: it is no regular file");
}

}  // namespace rnnc
