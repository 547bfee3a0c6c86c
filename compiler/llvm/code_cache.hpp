// Code that was generated before, in files of the user's own: a hit skips all from the graph passes to the linker. A
// file is used only if it is whole, this user's, writable by nobody else, and made from the very key that is asked for;
// all else is a miss, and no failure here is ever an error of a compilation.
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

inline constexpr std::uint64_t kCacheBytes = std::uint64_t{256} << 20;  // kept at most, the latest written

/// All that the code depends on: this build of rnnc and of LLVM, the CPU, what the plan was asked to be, and the text
/// of `cell`, which is bound.
std::string cache_key(const ir::Cell& cell, const Target& target, const PlanOptions& options);

/// What a file of the cache holds, if it is sound, made from `key` and for this CPU or a lesser one.
std::optional<runtime::StoredEntry> read_entry(std::span<const std::byte> bytes, const std::string& key);

class CodeCache {
 public:
  /// `folder` may be "" (nothing is kept) and need not exist.
  explicit CodeCache(std::string folder) : folder_(std::move(folder)) {}

  std::optional<runtime::StoredEntry> find(const std::string& key) const;

  /// Writes the entry to a new file and renames it; what killed writers have left goes, and what is more than
  /// kCacheBytes then, oldest first.
  void store(const runtime::StoredEntry& entry) const;

  struct Size {
    std::int64_t files = 0;
    std::uint64_t bytes = 0;
  };
  Size size() const;

  /// Removes the oldest entries until at most `bytes` are left; yields what was removed. Files of others stay.
  Size prune(std::uint64_t bytes) const;

 private:
  std::string path(const std::string& key) const;
  bool make_folder() const;
  std::string folder_;
};

}  // namespace rnnc::compiler
