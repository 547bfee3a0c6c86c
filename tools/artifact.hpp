// The verbs that take an artifact in place of a model refuse the flags that it cannot have here, and its levels become
// text.
#pragma once

#include <string>

#include <rnnc/program.hpp>
#include <rnnc/result.hpp>

#include "tools/flags.hpp"

namespace rnnc::tools {

/// Tells by the name whether a file is meant to be an artifact.
bool is_artifact(const std::string& path);

/// Checks that no flag asks for what was decided when the artifact was made. Errors: Usage.
Result<void> check_artifact_flags(const ModelFlags& flags);

/// Returns the name of the program and a line for each level, which says whether this machine takes it, could run it,
/// or what it lacks. Errors: those of load_artifact for the file, but not for the machine.
Result<std::string> describe_artifact(const std::string& path);

/// Loads the program of an artifact, which brings its weights and needs no compiler; --isa chooses one of its levels.
/// Errors: those of check_artifact_flags and of load_artifact.
Result<Program> load_program(const ModelFlags& flags, std::int64_t threads);

}  // namespace rnnc::tools
