// This function makes an artifact of any bytes, with a header that fits them, so that damage lies behind a right
// checksum.
#pragma once

#include <algorithm>

#include "runtime/artifact_header.hpp"

namespace rnnc::test {

inline std::vector<std::byte> seal_artifact(std::span<const std::byte> payload) {
  std::vector<std::byte> bytes(runtime::kArtifactHeaderBytes + payload.size());
  std::ranges::copy(payload, bytes.begin() + runtime::kArtifactHeaderBytes);
  runtime::put_header(bytes);
  return bytes;
}

}  // namespace rnnc::test
