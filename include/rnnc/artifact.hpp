// Compiled cells and networks on disk: code, description and weights in one file, made by `compile_artifact` or `rnnc
// compile -o m.rnnc`. Loading takes no compiler.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <rnnc/executor.hpp>
#include <rnnc/export.hpp>
#include <rnnc/program.hpp>
#include <rnnc/result.hpp>

namespace RNNC_API rnnc {

struct LoadOptions {
  int threads = 1;  // that a call may use; what they share of a step was decided when the artifact was made
  std::shared_ptr<Executor> executor = nullptr;  // as in CompileOptions
  Sharing sharing = Sharing::Auto;
};

/// The program of an artifact. The file holds machine code: load only what you would also run as a program.
///
/// Errors    File; InvalidData where it is no artifact or is damaged; Unsupported where another version of rnnc made
/// it, or
///           this CPU lacks something its code needs; Usage (threads); Limit
Result<Program> load_artifact(const std::string& path, const LoadOptions& options = {});

/// The same from memory, which may be freed afterwards. `file` is its name in messages.
Result<Program> parse_artifact(std::span<const std::byte> content, std::string_view file = "<memory>",
                               const LoadOptions& options = {});

}  // namespace rnnc
