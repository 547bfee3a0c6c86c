// Artifacts as bytes: a header with magic, versions, size and checksum, then what a cell or network is made of.
// Integers are little-endian. Whatever is read is checked against the bytes that are there before it is used.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

#include "runtime/artifact.hpp"
#include "runtime/code_image.hpp"
#include "runtime/cpu_features.hpp"
#include "runtime/network.hpp"

namespace rnnc::runtime {

struct StoredArtifact {
  std::string key;  // what it was made from, for caches; else ""
  CpuFeatures features = 0;
  Description description;
  CodeImage image;
  std::vector<float> weights;  // packed and prepared, or none
};

/// A network: code for each kind of cell, and for each call of a cell which code and weights are its own.
struct StoredCode {
  Description description;
  CodeImage image;
};
struct StoredCell {
  std::uint32_t code = 0;
  std::vector<float> weights;  // packed and prepared
};
struct StoredNetwork {
  CpuFeatures features = 0;
  Description description;  // names and sizes only
  LoadedNetwork network;    // whose calls have no cells
  std::vector<StoredCode> codes;
  std::vector<StoredCell> cells;  // of the calls of cells, in their order
};

/// The weights are written from `weights`, which may be empty, and not from `artifact.weights`.
RNNC_API std::vector<std::byte> write_artifact(const StoredArtifact& artifact, std::span<const float> weights);

RNNC_API std::vector<std::byte> write_artifact(const StoredNetwork& network);

using AnyArtifact = std::variant<StoredArtifact, StoredNetwork>;

/// Every number that anything but the code itself goes by is checked.
/// Errors: InvalidData, Unsupported (version); `file` is its name in messages.
RNNC_API Result<AnyArtifact> read_artifact(std::span<const std::byte> content, std::string_view file);

}  // namespace rnnc::runtime
