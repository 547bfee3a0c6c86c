// An artifact is a compiled cell or network on disk: code for one or several CPUs, description and weights in one file,
// which `compile_artifact` or `rnnc compile -o m.rnnc` makes. Loading it needs no compiler.
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
  // The most that a call may use. The part of a step that threads share was decided when the artifact was made.
  int threads = 1;
  // The level to take, by the name of its CPU; "" is the highest that this machine can run.
  std::string cpu = {};
  std::shared_ptr<Executor> executor = nullptr;  // as in CompileOptions
  Sharing sharing = Sharing::Auto;
};

/// Loads the program of an artifact. The file holds machine code: load only a file that you would also run as a
/// program.
///
/// Errors    File; InvalidData if it is no artifact or is damaged; Unsupported if another version of rnnc made it, or
///           if this CPU lacks instructions that the code of each level, or of the level asked for, needs; Usage
///           (threads, no level of that CPU); Limit
Result<Program> load_artifact(const std::string& path, const LoadOptions& options = {});

/// Loads an artifact from memory, which may be freed afterwards. `file` is its name in messages.
Result<Program> parse_artifact(std::span<const std::byte> content, std::string_view file = "<memory>",
                               const LoadOptions& options = {});

}  // namespace rnnc
