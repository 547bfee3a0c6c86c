#include "tools/command_line.hpp"

#include <sstream>

namespace rnnc::tools {
namespace {

FlagText flag_of(const CLI::Option& option) {
  FlagText flag;
  flag.positional = option.nonpositional() ? false : option.get_positional();
  if (flag.positional) {
    flag.names = {option.get_single_name()};
  } else {
    for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  }
  flag.value = option.get_type_name();
  flag.description = option.get_description();
  flag.group = option.get_group();
  flag.required = option.get_required();
  flag.repeated = option.get_items_expected_max() > 1;
  return flag;
}

}  // namespace

std::string about(const std::vector<std::string>& examples, const std::string& what) {
  std::string text;
  for (const std::string& example : examples) text += example + "\n";
  return text + "\n" + what;
}

CLI::App& add_verb(CLI::App& program, const std::string& name, const std::vector<std::string>& examples,
                   const std::string& what) {
  CLI::App& app = *program.add_subcommand(name, about(examples, what));
  app.get_help_ptr()->group(kHelpGroup);
  app.option_defaults()->disable_flag_override();  // --json=3 is a mistake
  begin_group(app, kModelGroup);
  return app;
}

void begin_group(CLI::App& app, const char* group) { app.option_defaults()->group(group); }

VerbText describe_verb(const CLI::App& app, const std::string& name) {
  VerbText verb;
  verb.name = name;
  const std::string text = app.get_description();
  const std::size_t empty_line = text.find("\n\n");
  verb.examples = split(text.substr(0, empty_line), '\n');
  verb.what = text.substr(empty_line + 2);
  for (const CLI::Option* option : app.get_options())
    if (!option->get_group().empty()) verb.flags.push_back(flag_of(*option));
  return verb;
}

ProgramText describe(const CLI::App& program) {
  ProgramText text;
  text.program = describe_verb(program, "");
  for (const CLI::App* verb : program.get_subcommands([](const CLI::App*) { return true; }))
    text.verbs.push_back(describe_verb(*verb, verb->get_name()));
  return text;
}

std::vector<std::string> verb_names(const ProgramText& program) {
  std::vector<std::string> names;
  for (const VerbText& verb : program.verbs) names.push_back(verb.name);
  return names;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text + at);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

std::string first_sentence(const std::string& text) {
  const std::size_t end = text.find(". ");
  const std::string first = text.substr(0, end);
  return first.ends_with('.') ? first.substr(0, first.size() - 1) : first;
}

}  // namespace rnnc::tools
