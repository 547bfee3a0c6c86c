// The cache stores generated code in files of the user and finds it again by a key: a hit skips everything from the
// graph passes to the linker. A file is used only if it is whole, belongs to this user, is writable by nobody else, and
// was made from the very key that is asked for. All else is a miss, and no failure of the cache is an error of a
// compilation.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"
#include "runtime/artifact_file.hpp"

namespace rnnc::compiler {

inline constexpr std::uint64_t kCacheBytes = std::uint64_t{256} << 20;  // the cache keeps the latest entries up to this

/// Names all that the code depends on: this build of rnnc and of LLVM, the CPU, the options of the plan, and the text
/// of `cell`, which is bound.
std::string cache_key(const ir::Cell& cell, const Target& target, const PlanOptions& options);

/// Reads the content of a file of the cache. Returns nothing unless the content is sound, was made from `key`, and
/// needs no feature that this CPU lacks.
std::optional<runtime::StoredEntry> read_entry(std::span<const std::byte> bytes, const std::string& key);

class CodeCache {
 public:
  /// `folder` may be "" (nothing is kept) and need not exist.
  explicit CodeCache(std::string folder) : folder_(std::move(folder)) {}

  std::optional<runtime::StoredEntry> find(const std::string& key) const;

  /// Writes the entry to a new file and renames the file. Then removes the files that killed writers have left, and the
  /// oldest entries until at most kCacheBytes are left.
  void store(const runtime::StoredEntry& entry) const;

  struct Size {
    std::int64_t files = 0;
    std::uint64_t bytes = 0;
  };
  Size size() const;

  /// Removes the oldest entries until at most `bytes` are left, and returns how much was removed. Files of other users
  /// stay.
  Size prune(std::uint64_t bytes) const;

 private:
  std::string path(const std::string& key) const;
  bool make_folder() const;
  std::string folder_;
};

}  // namespace rnnc::compiler
