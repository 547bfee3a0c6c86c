// rnnc run of an artifact, which brings its weights and needs no compiler.
#pragma once

#include <rnnc/program.hpp>

#include "tools/run_network.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

/// Whether the flags name an artifact.
bool names_artifact(const ModelFlags& flags);

/// Errors: Usage where a flag asks for what was decided when the artifact was made; those of load_artifact.
Result<Program> load_program(const RunFlags& flags);

/// Errors: Unsupported where an input or the output has a time of its own.
Result<Interface> interface_of(const Program& program);

}  // namespace rnnc::tools
