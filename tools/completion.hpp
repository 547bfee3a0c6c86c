// Scripts that make shells complete the command line, from what it says of itself.
#pragma once

#include <string>

#include "tools/command_line.hpp"
#include "tools/values.hpp"

namespace rnnc::tools {

std::string bash_completion(const ProgramText& program);
std::string zsh_completion(const ProgramText& program);
std::string fish_completion(const ProgramText& program);

}  // namespace rnnc::tools
