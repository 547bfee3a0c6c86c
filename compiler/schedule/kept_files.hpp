// The cache folder and a kind of file become the paths of the files of that kind, which can be removed. Generated code
// is no such kind: code_cache.hpp is stricter about whose files count.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc::compiler {

/// Lists the regular files whose names begin with `prefix` and end with `suffix`, by name.
std::vector<std::string> kept_files(const std::string& cache_folder, std::string_view prefix, std::string_view suffix);

/// Removes these files, and returns how many bytes each had.
std::vector<std::uint64_t> remove_kept(const std::string& cache_folder, std::string_view prefix,
                                       std::string_view suffix);

}  // namespace rnnc::compiler
