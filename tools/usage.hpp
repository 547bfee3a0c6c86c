// Mistakes in the command line become messages that say how to mend them.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "tools/command_line.hpp"

namespace rnnc::tools {

/// Says what went wrong when `program` parsed its arguments, and where to read more.
std::string usage_mistake(const CLI::ParseError& error, const CLI::App& program);

/// Says "there is no verb 'rum'; did you mean run?", or names all verbs there are.
std::string no_such_verb(const std::string& word, const ProgramText& program);

}  // namespace rnnc::tools
