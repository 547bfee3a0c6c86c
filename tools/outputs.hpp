// Results become files, all of them or none: each file is written beside its target first, and all are renamed when
// every one is there.
#pragma once

#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace rnnc::tools {

struct Output {
  std::string flag;  // the flag that named the file, for messages
  std::string path;
  Tensor tensor;
};

/// Errors: Usage where two outputs name one file; File.
Result<void> write_outputs(const std::vector<Output>& outputs);

}  // namespace rnnc::tools
