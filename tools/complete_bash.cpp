// The description of the command line becomes completion for bash, which cuts words at `=`, so that `--dim H=1` and
// `--cell=lstm` come as several words.
#include <map>

#include <rnnc/join.hpp>

#include "tools/completion.hpp"

namespace rnnc::tools {
namespace {

constexpr const char* kHead = R"(# Completion of rnnc for bash, printed by `rnnc completion bash`.
_rnnc() {
  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
  local flag=$before prefix= named= words= suffixes= lists= flags= positional= at=-1 file suffix
  COMPREPLY=()
  if [[ $cur == = ]]; then
    at=$COMP_CWORD cur=
  elif [[ $before == = ]]; then
    at=$((COMP_CWORD - 1))
  elif [[ $cur == *=* ]]; then
    prefix=${cur%%=*}= cur=${cur#*=}
    if [[ $prefix == -* ]]; then flag=${prefix%=}; else named=yes; fi
  fi
  if ((at > 1)); then
    flag=${COMP_WORDS[at-1]}
    if [[ $flag != -* ]]; then
      named=yes flag=${COMP_WORDS[at-2]}
      [[ $flag == = ]] && flag=${COMP_WORDS[at-3]}
    fi
  fi
)";

constexpr const char* kTail = R"(
  if ((COMP_CWORD > 1)) && [[ -n $words$suffixes || $lists == none ]]; then
    [[ $lists == named && -z $named ]] && return
  elif [[ $cur == -* || -z $positional ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
    return
  elif [[ $positional == .* ]]; then
    suffixes=$positional
  else
    words=$positional
  fi
  if [[ $lists == commas && $cur == *,* ]]; then prefix=$prefix${cur%,*}, cur=${cur##*,}; fi
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -P "$prefix" -W "$words" -- "$cur"))
    return
  fi
  [[ -n $suffixes ]] || return
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do
    if [[ -d $file ]]; then
      COMPREPLY+=("$prefix$file")
      continue
    fi
    for suffix in $suffixes; do
      [[ $file == *"$suffix" ]] && COMPREPLY+=("$prefix$file")
    done
  done < <(compgen -f -- "$cur")
}
complete -F _rnnc rnnc
)";

std::string assignments(const Values& values) {
  std::string text;
  if (!values.words.empty()) text += " words='" + join(values.words, " ") + "'";
  if (!values.suffixes.empty()) text += " suffixes='" + join(values.suffixes, " ") + "'";
  if (!values.any()) return " lists=none";
  if (values.is_named) return text + " lists=named";
  return text + (values.is_list ? " lists=commas" : "");
}

std::string flags_case(const VerbText& verb, const std::vector<std::string>& verbs, const std::string& pattern) {
  std::vector<std::string> names;
  Values positional;
  for (const FlagText& flag : verb.flags) {
    if (flag.positional)
      positional = values_of(flag, verbs);
    else
      names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  std::string text = "    " + pattern + ") flags='" + join(names, " ") + "'";
  const auto& first = positional.words.empty() ? positional.suffixes : positional.words;
  if (!first.empty()) text += " positional='" + join(first, " ") + "'";
  return text + " ;;\n";
}

}  // namespace

std::string bash_completion(const ProgramText& program) {
  const std::vector<std::string> verbs = verb_names(program);
  std::map<std::string, std::string> patterns;  // the patterns of flags, by what the flags assign
  for (const VerbText& verb : program.verbs)
    for (const FlagText& flag : verb.flags) {
      if (flag.positional || flag.value.empty()) continue;
      for (const std::string& name : flag.names) {
        std::string& list = patterns[assignments(values_of(flag, verbs))];
        list += (list.empty() ? "" : "|") + ("'" + verb.name + " " + name + "'");
      }
    }
  std::string text = kHead;
  text += "  case \"$verb $flag\" in\n";
  for (const auto& [assigned, list] : patterns) text += "    " + list + ")" + assigned + " ;;\n";
  text += "  esac\n  case $((COMP_CWORD > 1)):$verb in\n";
  VerbText first = program.program;
  first.flags.push_back({{"VERB"}, "VERB", "", "", true, true, false});
  text += flags_case(first, verbs, "0:*");
  for (const VerbText& verb : program.verbs) text += flags_case(verb, verbs, "1:" + verb.name);
  return text + "  esac\n" + (kTail + 1);
}

}  // namespace rnnc::tools
