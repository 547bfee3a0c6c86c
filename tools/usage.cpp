#include "tools/usage.hpp"

#include <algorithm>
#include <string_view>

#include <rnnc/join.hpp>

#include "ir/syntax.hpp"
#include "tools/help.hpp"

namespace rnnc::tools {
namespace {

bool is_flag(const std::string& word) { return word.size() > 1 && word.front() == '-'; }

std::vector<std::string> flag_names(const VerbText& verb) {
  std::vector<std::string> names;
  for (const FlagText& flag : verb.flags)
    if (!flag.positional) names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

std::string no_such_flag(const std::string& word, const VerbText& verb, const ProgramText& program) {
  const std::string name = word.substr(0, word.find('='));
  const std::string message = verb.command() + " has no flag " + name;
  std::vector<std::string> known;  // without their dashes, since a wrong number of dashes is a misspelling too
  for (const std::string& flag : flag_names(verb))
    if (flag.starts_with("--")) known.push_back(flag.substr(2));
  const std::string bare =
      name.substr(name.find_first_not_of('-') == std::string::npos ? 0 : name.find_first_not_of('-'));
  const std::string meant = ir::closest(bare, known);
  if (!meant.empty()) return message + "; did you mean --" + meant + "?";
  // A flag that another verb takes is no misspelling.
  std::vector<std::string> takers;
  for (const VerbText& other : program.verbs) {
    const auto names = flag_names(other);
    if (std::ranges::find(names, name) != names.end()) takers.push_back(other.command());
  }
  return message + (takers.empty() ? "" : "; it is one of " + join(takers));
}

const VerbText* find_verb(const ProgramText& program, const std::string& name) {
  const auto found = std::ranges::find(program.verbs, name, &VerbText::name);
  return found == program.verbs.end() ? nullptr : &*found;
}

// Complains about words that nothing takes. A misspelt flag goes first, since other mistakes may follow from it.
std::string unexpected(const std::vector<std::string>& words, const VerbText* verb, const ProgramText& program) {
  const auto flag = std::ranges::find_if(words, is_flag);
  if (!verb && !is_flag(words.front())) return no_such_verb(words.front(), program);
  if (flag != words.end()) return no_such_flag(*flag, verb ? *verb : program.program, program);
  return "'" + words.front() + "' is one argument too many; " + usage_of(*verb);
}

}  // namespace

std::string no_such_verb(const std::string& word, const ProgramText& program) {
  const std::vector<std::string> names = verb_names(program);
  const std::string meant = ir::did_you_mean(word, names);
  return "there is no verb '" + word + "'" + (meant.empty() ? "; there are " + join(names) : meant);
}

namespace {

// The message is made here, since CLI11's words for a wrong number of values differ from version to version.
std::string wrong_count(const CLI::ParseError& error, const CLI::App& app) {
  const std::string message = error.what();
  const std::string name = message.substr(0, message.find(':'));
  const CLI::Option* option = app.get_option_no_throw(name);
  if (!option) {  // a switch got a value: "json was given a disallowed flag override"
    const std::string flag = "--" + message.substr(0, message.find(' '));
    return app.get_option_no_throw(flag) ? flag + ": takes no value; leave it out" : message;
  }
  if (option->count() > 1) return name + ": given " + std::to_string(option->count()) + " times; it takes one value";
  return name + ": a value is missing; give " + name + " " + option->get_type_name();
}

}  // namespace

std::string usage_mistake(const CLI::ParseError& error, const CLI::App& program) {
  const ProgramText text = describe(program);
  const auto chosen = program.get_subcommands();
  const VerbText* verb = chosen.empty() ? nullptr : find_verb(text, chosen.front()->get_name());
  std::string message = error.what();
  const std::vector<std::string> words = program.remaining(true);
  const bool is_lack = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (!words.empty() && (is_lack || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr))
    message = unexpected(words, verb, text);
  else if (is_lack && !verb)
    message = "a verb is missing; the first argument says what to do: " + join(verb_names(text));
  else if (verb && dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    message = wrong_count(error, *chosen.front());
  return message + "\nsee: rnnc " + (verb ? verb->name + " " : "") + "--help";
}

}  // namespace rnnc::tools
