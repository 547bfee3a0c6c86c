// Artifacts as bytes: a header with magic, versions, size and checksum, then a key, the description, the code image and the
// weights. Integers are little-endian. Whatever is read is checked against the bytes that are there before it is used.
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

namespace rnnc::runtime {

struct StoredArtifact {
  std::string key;  // what it was made from, for caches; else ""
  CpuFeatures features = 0;
  Description description;
  CodeImage image;
  std::vector<float> weights;  // packed and prepared, or none
};

/// The weights are written from `weights`, which may be empty, and not from `artifact.weights`.
RNNC_API std::vector<std::byte> write_artifact(const StoredArtifact& artifact, std::span<const float> weights);

/// Errors: InvalidData, Unsupported (version); `file` is its name in messages.
RNNC_API Result<StoredArtifact> read_artifact(std::span<const std::byte> content, std::string_view file);

}  // namespace rnnc::runtime
