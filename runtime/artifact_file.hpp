// An artifact becomes bytes and bytes become an artifact again: a header with magic number, versions, size and
// checksum, then the content of a program or of a cache entry. Integers are little-endian. The reader checks every
// value against the bytes that are there before it uses the value.
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

/// The code for one kind of cell.
struct StoredCode {
  Description description;
  CodeImage image;
};

/// A cell of a level: the number of its code in the level, and of its weights in the program.
struct StoredCell {
  std::uint32_t code = 0;
  std::uint32_t weights = 0;
};

/// A level is what a program needs for one CPU: the code for each kind of cell, and the cells in the order of the
/// steps.
struct StoredLevel {
  std::string cpu;
  CpuFeatures features = 0;
  std::vector<StoredCode> codes;
  std::vector<StoredCell> cells;
};

/// A program: its steps, the weights of its cells, and levels in any order. Levels whose weights are packed alike
/// share them.
struct StoredProgram {
  Description description;  // names and sizes only; its CPU is that of the level that is taken
  StepList list;
  std::vector<std::vector<float>> weights;  // of a cell each, packed and prepared
  std::vector<StoredLevel> levels;
};

/// An entry of a cache: code without weights, and the key of the source that the code was compiled from.
struct StoredEntry {
  std::string key;
  CpuFeatures features = 0;
  StoredCode code;
};

RNNC_API std::vector<std::byte> write_artifact(const StoredProgram& program);
RNNC_API std::vector<std::byte> write_entry(const StoredEntry& entry);

/// Reads an artifact or a cache entry, and checks every number in it except the machine code itself.
/// Errors: InvalidData, Unsupported (version); `file` is the name in messages.
RNNC_API Result<StoredProgram> read_artifact(std::span<const std::byte> content, std::string_view file);
RNNC_API Result<StoredEntry> read_entry(std::span<const std::byte> content, std::string_view file);

}  // namespace rnnc::runtime
