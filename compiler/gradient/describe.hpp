// The facts of a gradient that the text of its two networks does not tell become comments of the language.
#pragma once

#include <string>

#include "compiler/gradient/network_gradient.hpp"

namespace rnnc::compiler {

/// Returns a line for each gradient of a parameter, state and input, and one for what the forward pass saves.
std::string describe(const NetworkGradient& gradient);

}  // namespace rnnc::compiler
