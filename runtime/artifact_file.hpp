// Artifacts as bytes: a header with magic, versions, size and checksum, then the parts of a program or of a cache's
// entry. Integers are little-endian. Whatever is read is checked against the bytes that are there before it is used.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

#include "runtime/artifact.hpp"
#include "runtime/code_image.hpp"
#include "runtime/cpu_features.hpp"
#include "runtime/steps.hpp"

namespace rnnc::runtime {

/// Code for one kind of cell.
struct StoredCode {
  Description description;
  CodeImage image;
};

/// A cell of a program: which code runs it, with which weights.
struct StoredCell {
  std::uint32_t code = 0;
  std::vector<float> weights;  // packed and prepared
};

/// A program: its steps, code for each kind of cell, and the cells in the order of the steps.
struct StoredProgram {
  CpuFeatures features = 0;
  Description description;  // names and sizes only
  StepList list;
  std::vector<StoredCode> codes;
  std::vector<StoredCell> cells;
};

/// An entry of a cache: code without weights, and the key of what it was made from.
struct StoredEntry {
  std::string key;
  CpuFeatures features = 0;
  StoredCode code;
};

RNNC_API std::vector<std::byte> write_artifact(const StoredProgram& program);
RNNC_API std::vector<std::byte> write_entry(const StoredEntry& entry);

/// Every number that anything but the code itself goes by is checked.
/// Errors: InvalidData, Unsupported (version); `file` is its name in messages.
RNNC_API Result<StoredProgram> read_artifact(std::span<const std::byte> content, std::string_view file);
RNNC_API Result<StoredEntry> read_entry(std::span<const std::byte> content, std::string_view file);

}  // namespace rnnc::runtime
