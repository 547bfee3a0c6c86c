#include "tools/outputs.hpp"

#include <filesystem>
#include <set>
#include <system_error>

#include <rnnc/join.hpp>
#include <rnnc/tensor_files.hpp>

#include "tools/exit_code.hpp"

namespace rnnc::tools {
namespace {

namespace fs = std::filesystem;

struct Part {
  std::string from, to;
};

// A device or pipe is written directly, since no file can be renamed over it.
bool is_written_directly(const std::string& path) {
  std::error_code none;
  const fs::file_status status = fs::status(path, none);
  return fs::exists(status) && !fs::is_regular_file(status);
}

void remove_all(const std::vector<Part>& parts) {
  std::error_code ignored;
  for (const Part& part : parts) fs::remove(part.from, ignored);
}

Result<void> rename_all(const std::vector<Part>& parts) {
  std::vector<std::string> written;
  for (const Part& part : parts) {
    std::error_code failure;
    fs::rename(part.from, part.to, failure);
    if (failure) {
      remove_all(parts);
      const std::string done = written.empty() ? "no output was written" : "already written: " + join(written);
      return Error{ErrorCode::File, {part.to}, "cannot write the file: " + failure.message() + "; " + done, {}};
    }
    written.push_back(part.to);
  }
  return {};
}

}  // namespace

Result<void> write_outputs(const std::vector<Output>& outputs) {
  std::set<std::string> targets;
  for (const Output& output : outputs)
    if (!is_written_directly(output.path) && !targets.insert(fs::path(output.path).lexically_normal()).second)
      return usage_error(output.flag, "another output goes to " + output.path + " too; name another file");
  std::vector<Part> parts;
  for (const Output& output : outputs) {
    if (is_written_directly(output.path)) continue;
    parts.push_back({output.path + ".part", output.path});
    if (const auto saved = save_npy(parts.back().from, output.tensor); !saved) {
      remove_all(parts);
      Error error = saved.error();
      error.place.file = output.path;
      return error;
    }
  }
  for (const Output& output : outputs) {
    if (!is_written_directly(output.path)) continue;
    if (const auto saved = save_npy(output.path, output.tensor); !saved) return remove_all(parts), saved.error();
  }
  return rename_all(parts);
}

}  // namespace rnnc::tools
