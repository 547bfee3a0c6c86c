// The bytes of an artifact become a program here; this file neither compiles nor links.
#include <rnnc/artifact.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <new>

#include "runtime/artifact_file.hpp"
#include "runtime/choose_level.hpp"
#include "runtime/program.hpp"
#include "runtime/sharing.hpp"
#include "runtime/sparse_panel.hpp"

namespace rnnc {
namespace {

Error refuse(ErrorCode code, std::string_view file, std::string message) {
  return {code, {std::string(file)}, std::move(message)};
}

runtime::AlignedBuffer aligned(const std::vector<float>& weights) {
  runtime::AlignedBuffer buffer(std::ssize(weights));
  std::ranges::copy(weights, buffer.data());
  return buffer;
}

// Returns how many cells of the level have each of the program's weights.
std::vector<int> count_uses(const runtime::StoredProgram& stored, const runtime::StoredLevel& level) {
  std::vector<int> uses(stored.weights.size());
  for (const runtime::StoredCell& cell : level.cells) ++uses[cell.weights];
  return uses;
}

Result<Program> load(runtime::StoredProgram stored, const runtime::StoredLevel& level, std::string_view file,
                     runtime::Threads threads) {
  std::vector<runtime::MappedCode> codes;
  for (const runtime::StoredCode& each : level.codes) {
    Result<runtime::MappedCode> code = runtime::map_code(each.image);
    if (!code) return refuse(code.error().code, file, code.error().message);
    codes.push_back(std::move(*code));
  }
  runtime::LoadedNetwork network;
  network.list = std::move(stored.list);
  std::vector<int> uses = count_uses(stored, level);
  for (const runtime::StoredCell& cell : level.cells) {
    const runtime::MappedCode& code = codes[cell.code];
    runtime::LoadedCell loaded;
    loaded.description = level.codes[cell.code].description;
    take_off_zeros(loaded.description, stored.weights[cell.weights]);
    loaded.weights = aligned(stored.weights[cell.weights]);
    loaded.code = {code.run, nullptr, code.owner};
    network.cells.push_back(std::make_shared<const runtime::LoadedCell>(std::move(loaded)));
    if (--uses[cell.weights] == 0) stored.weights[cell.weights] = {};
  }
  stored.description.cpu = level.cpu;
  return runtime::load_program(std::move(stored.description), std::move(network), std::move(threads));
}

}  // namespace

Result<Program> parse_artifact(std::span<const std::byte> content, std::string_view file,
                               const LoadOptions& options) try {
  if (const Result<void> checked = runtime::check_threads(options.threads); !checked) return checked.error();
  Result<runtime::StoredProgram> stored = runtime::read_artifact(content, file);
  if (!stored) return stored.error();
  const Result<std::size_t> chosen = runtime::choose_level(stored->levels, options.cpu);
  if (!chosen) return refuse(chosen.error().code, file, chosen.error().message);
  const runtime::StoredLevel level = std::move(stored->levels[*chosen]);
  stored->levels.clear();
  return load(std::move(*stored), level, file, {options.threads, options.executor, options.sharing});
} catch (const std::bad_alloc&) {
  return refuse(ErrorCode::Limit, file, "not enough memory to load the artifact");
}

Result<Program> load_artifact(const std::string& path, const LoadOptions& options) try {
  if (std::error_code none; std::filesystem::is_directory(path, none))
    return refuse(ErrorCode::InvalidData, path, "is a folder, not an artifact");
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
