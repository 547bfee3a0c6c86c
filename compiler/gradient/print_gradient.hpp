// A gradient becomes text: its two networks as files that can be read back, and as comments the facts that these do not
// tell.
#pragma once

#include <string>

#include "compiler/gradient/network_gradient.hpp"

namespace rnnc::compiler {

/// Returns the forward network, the backward network, and a line for each gradient of a parameter or state and for what
/// the forward pass saves.
std::string print(const NetworkGradient& gradient);

}  // namespace rnnc::compiler
