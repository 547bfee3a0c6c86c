// Help as text: examples first, then what is done and all flags by groups, in lines that fit.
#pragma once

#include <string>

#include "tools/command_line.hpp"

namespace rnnc::tools {

inline constexpr std::size_t kWidestHelp = 100;

/// Columns for help on standard output: the terminal's, at most kWidestHelp; that many where it is none.
std::size_t help_width();

std::string help_of(const VerbText& verb, std::size_t width);

/// With the list of verbs, the environment and the exit codes.
std::string help_of(const ProgramText& program, std::size_t width);

/// "rnnc run [MODEL] [FLAGS] --output y.npy"
std::string usage_of(const VerbText& verb);

/// "-o, --output m.o"
std::string label_of(const FlagText& flag);

}  // namespace rnnc::tools
