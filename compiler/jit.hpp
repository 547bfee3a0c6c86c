// Links an artifact in memory.
#pragma once

#include <memory>

#include "runtime/artifact.hpp"

namespace rnnc::compiler {

/// Entry points, valid as long as `owner` lives. Code pages are writable while they are filled, executable after, never
/// both.
struct LinkedCode {
  std::shared_ptr<void> owner;
  runtime::RunKernel run = nullptr;
  runtime::PrepareKernel prepare = nullptr;
};

LinkedCode link(const runtime::Artifact& artifact);

}  // namespace rnnc::compiler
