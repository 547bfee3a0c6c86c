#include "compiler/schedule/kept_files.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace rnnc::compiler {

namespace fs = std::filesystem;

std::vector<std::string> kept_files(const std::string& cache_folder, std::string_view prefix, std::string_view suffix) {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(cache_folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(suffix) && entry.is_regular_file(ignored))
      paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  return paths;
}

std::vector<std::uint64_t> remove_kept(const std::string& cache_folder, std::string_view prefix,
                                       std::string_view suffix) {
  std::vector<std::uint64_t> removed;
  std::error_code ignored;
  for (const std::string& path : kept_files(cache_folder, prefix, suffix)) {
    const std::uint64_t bytes = fs::file_size(path, ignored);
    if (fs::remove(path, ignored)) removed.push_back(bytes);
  }
  return removed;
}

}  // namespace rnnc::compiler
