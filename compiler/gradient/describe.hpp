// What belongs to the two networks of a gradient beside their text becomes text, as comments of the language.
#pragma once

#include <string>

#include "compiler/gradient/network_gradient.hpp"

namespace rnnc::compiler {

/// Returns a line for each gradient of a parameter, state and input, and one for what the forward pass saves.
std::string describe(const NetworkGradient& gradient);

}  // namespace rnnc::compiler
