// The description of the command line becomes completion for fish: a `complete` command for each verb and flag.
#include <rnnc/join.hpp>

#include "tools/completion.hpp"

namespace rnnc::tools {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return result + "'";
}

std::string arguments_of(const FlagText& flag, const std::vector<std::string>& verbs) {
  const Values values = values_of(flag, verbs);
  if (!values.words.empty()) return " -a " + quoted(join(values.words, " "));
  if (values.suffixes.empty() || values.is_named) return "";
  std::string commands;
  for (const std::string& suffix : values.suffixes)
    commands += (commands.empty() ? "" : "; ") + ("__fish_complete_suffix " + suffix);
  return " -k -a " + quoted("(" + commands + ")");
}

std::string names_of(const FlagText& flag) {
  std::string text;
  for (const std::string& name : flag.names)
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return text;
}

}  // namespace

std::string fish_completion(const ProgramText& program) {
  const std::vector<std::string> verbs = verb_names(program);
  std::string text = "# Completion of rnnc for fish, printed by `rnnc completion fish`.\ncomplete -c rnnc -f\n";
  for (const FlagText& flag : program.program.flags)
    text += "complete -c rnnc -n __fish_use_subcommand" + names_of(flag) + " -d " + quoted(flag.description) + "\n";
  for (const VerbText& verb : program.verbs)
    text +=
        "complete -c rnnc -n __fish_use_subcommand -a " + verb.name + " -d " + quoted(first_sentence(verb.what)) + "\n";
  for (const VerbText& verb : program.verbs)
    for (const FlagText& flag : verb.flags) {
      text += "complete -c rnnc -n " + quoted("__fish_seen_subcommand_from " + verb.name);
      if (!flag.positional) text += names_of(flag) + (flag.value.empty() ? "" : " -x");
      text += arguments_of(flag, verbs);
      text += (flag.positional ? "" : " -d " + quoted(flag.description)) + "\n";
    }
  return text;
}

}  // namespace rnnc::tools
