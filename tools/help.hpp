// The description of a verb or of the program becomes help as text: examples first, then what it does and all flags by
// groups, in lines that fit.
#pragma once

#include <string>

#include "tools/command_line.hpp"

namespace rnnc::tools {

inline constexpr std::size_t kWidestHelp = 100;

/// Returns the columns for help on standard output: those of the terminal, at most kWidestHelp. Where standard output
/// is no terminal, there are kWidestHelp.
std::size_t help_width();

std::string help_of(const VerbText& verb, std::size_t width);

/// Returns help with the list of verbs, the environment and the exit codes.
std::string help_of(const ProgramText& program, std::size_t width);

/// Returns a line such as "rnnc run [MODEL] [FLAGS] --output y.npy".
std::string usage_of(const VerbText& verb);

/// Returns what help says of a flag.
std::string description_of(const FlagText& flag);

/// Returns a label such as "-o, --output m.o".
std::string label_of(const FlagText& flag);

}  // namespace rnnc::tools
