// The description of the command line becomes scripts that make shells complete it.
#pragma once

#include <string>

#include "tools/command_line.hpp"
#include "tools/values.hpp"

namespace rnnc::tools {

std::string bash_completion(const ProgramText& program);
std::string zsh_completion(const ProgramText& program);
std::string fish_completion(const ProgramText& program);

}  // namespace rnnc::tools
