// The description of the command line becomes completion for zsh: specifications for its function _arguments.
#include <rnnc/join.hpp>

#include "tools/completion.hpp"

namespace rnnc::tools {
namespace {

// Escapes text for single quotes, inside which a description ends at `]` and a message at `:`.
std::string zsh_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\'')
      result += "'\\''";
    else if (c == '[' || c == ']' || c == ':' || c == '\\')
      result += std::string("\\") + c;
    else
      result += c;
  }
  return result;
}

std::string action_of(const Values& values) {
  if (!values.words.empty() && values.is_list) return "_sequence compadd - " + join(values.words, " ");
  if (!values.words.empty()) return "(" + join(values.words, " ") + ")";
  if (values.suffixes.empty()) return " ";
  std::string suffixes;
  for (const std::string& suffix : values.suffixes) suffixes += (suffixes.empty() ? "" : "|") + suffix.substr(1);
  const std::string files = "_files -g \"*.(" + suffixes + ")\"";
  return values.is_named ? "{compset -P \"*=\" && " + files + "}" : files;
}

std::string specification(const FlagText& flag, const std::vector<std::string>& verbs) {
  const std::string value =
      flag.value.empty() ? "" : ":" + zsh_escaped(flag.value) + ":" + action_of(values_of(flag, verbs));
  if (flag.positional)
    return "'" + std::string(flag.required ? ":" : "::") + flag.names.front() + value.substr(value.find(':', 1)) + "'";
  const std::string rest = "'[" + zsh_escaped(flag.description) + "]" + value + "'";
  if (flag.names.size() == 1) return (flag.repeated ? "'*'" : "") + flag.names.front() + rest;
  return "'(" + join(flag.names, " ") + ")'{" + join(flag.names, ",") + "}" + rest;
}

}  // namespace

std::string zsh_completion(const ProgramText& program) {
  const std::vector<std::string> names = verb_names(program);
  std::string text =
      "#compdef rnnc\n# Completion of rnnc for zsh, printed by `rnnc completion zsh`.\n_rnnc() {\n"
      "  local curcontext=$curcontext context state state_descr line\n  typeset -A opt_args\n  local -a verbs\n"
      "  _arguments -C '(-h --help)'{-h,--help}'[print help]' '--version[print the version]' ':verb:->verb' "
      "'*::argument:->rest'\n"
      "  case $state in\n    verb)\n      verbs=(\n";
  for (const VerbText& verb : program.verbs)
    text += "        '" + verb.name + ":" + zsh_escaped(first_sentence(verb.what)) + "'\n";
  text += "      )\n      _describe -t verbs verb verbs ;;\n    rest)\n      case $words[1] in\n";
  for (const VerbText& verb : program.verbs) {
    text += "        " + verb.name + ") _arguments";
    for (const FlagText& flag : verb.flags) text += " \\\n          " + specification(flag, names);
    text += " ;;\n";
  }
  return text + "      esac ;;\n  esac\n}\n_rnnc \"$@\"\n";
}

}  // namespace rnnc::tools
