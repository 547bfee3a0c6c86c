// rnnc man turns the description of the command line into the manual page, in roff.
#include <iostream>

#include <rnnc/version.hpp>

#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/help.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

// roff reads a line that begins with a point or an apostrophe as a request, `-` as a hyphen, and `\` as an escape.
std::string roff_escaped(const std::string& text) {
  std::string result = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else
      result += c;
  }
  return result;
}

std::string examples_of(const VerbText& verb) {
  std::string text = ".EX\n";
  for (const std::string& example : verb.examples) text += roff_escaped(example) + "\n";
  return text + ".EE\n";
}

std::string entry(const std::string& label, const std::string& meaning) {
  return ".TP\n.B " + roff_escaped(label) + "\n" + roff_escaped(meaning) + "\n";
}

std::string flags_of(const VerbText& verb) {
  std::string text;
  for (const FlagText& flag : verb.flags) text += entry(label_of(flag), description_of(flag));
  return text;
}

std::string page_of(const ProgramText& program) {
  std::string text = ".\\\" Printed by `rnnc man`.\n.TH RNNC 1 \"\" \"rnnc " + std::string(kVersion) +
                     "\" \"User Commands\"\n.SH NAME\nrnnc \\- compiler of recurrent neural network cells\n"
                     ".SH SYNOPSIS\n";
  for (const VerbText& verb : program.verbs)
    text += (&verb == &program.verbs.front() ? "" : ".br\n") + (".B " + roff_escaped(usage_of(verb)) + "\n");
  text += ".SH DESCRIPTION\n" + roff_escaped(program.program.what) + "\n.SH EXAMPLES\n" + examples_of(program.program) +
          ".SH OPTIONS\n" + flags_of(program.program) + ".SH VERBS\n";
  for (const VerbText& verb : program.verbs)
    text += ".SS rnnc " + roff_escaped(verb.name) + "\n" + roff_escaped(verb.what) + "\n.PP\n" + examples_of(verb) +
            flags_of(verb);
  text += ".SH ENVIRONMENT\n";
  for (const Fact& variable : kVariables) text += entry(variable.name, variable.meaning);
  text += ".SH EXIT STATUS\n";
  for (const Fact& code : kExitCodes) text += entry(code.name, code.meaning);
  return text;
}

}  // namespace

Verb add_man(CLI::App& program) {
  CLI::App& app =
      add_verb(program, "man", {"rnnc man > rnnc.1"},
               "Prints the manual page, in roff. `man -l rnnc.1` shows it; an installed rnnc comes with it.");
  return {&app, [&program]() -> Result<int> {
            std::cout << page_of(describe(program));
            return kOk;
          }};
}

}  // namespace rnnc::tools
