#include "tools/help.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include <rnnc/join.hpp>

namespace rnnc::tools {
namespace {

constexpr std::size_t kNarrowestHelp = 40, kLabelColumns = 28;

// Breaks `text` into lines of at most `width` columns, all but the first behind `indent` spaces; the first begins in
// column `used`. `joint` stands at the end of each line that another follows.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent, std::size_t used,
                    const std::string& joint = "") {
  std::istringstream words(text);
  std::string result;
  std::size_t column = used;
  bool first_of_line = true;
  for (std::string word; words >> word;) {
    if (!first_of_line && column + 1 + word.size() + joint.size() > width) {
      result += joint + "\n" + std::string(indent, ' ');
      column = indent;
      first_of_line = true;
    }
    if (!first_of_line) ++column, result += ' ';
    result += word;
    column += word.size();
    first_of_line = false;
  }
  return result + "\n";
}

std::string paragraph(const std::string& text, std::size_t width) { return wrapped(text, width, 0, 0); }

// Writes a name in a column of its own and its meaning beside it, or below it where the name is long.
std::string entry(const std::string& label, const std::string& meaning, std::size_t columns, std::size_t width) {
  columns = std::min(columns, width / 2);
  std::string line = "  " + label;
  if (line.size() + 2 > columns)
    line += "\n" + std::string(columns, ' ');
  else
    line += std::string(columns - line.size(), ' ');
  return line + wrapped(meaning, width, columns, columns);
}

// A command that is too long for a line goes on in the next, so that a shell takes it as it stands.
std::string examples_of(const VerbText& verb, std::size_t width) {
  std::string text = "Examples:\n";
  for (const std::string& example : verb.examples) text += "  " + wrapped(example, width, 6, 2, " \\");
  return text + "\n";
}

std::string flags_of(const VerbText& verb, const std::string& group, std::size_t width) {
  std::string text;
  for (const FlagText& flag : verb.flags)
    if (flag.group == group) text += entry(label_of(flag), description_of(flag), kLabelColumns, width);
  return text.empty() ? "" : "\n" + group + ":\n" + text;
}

std::string all_flags_of(const VerbText& verb, std::size_t width) {
  std::vector<std::string> groups;
  const auto add = [&](const std::string& group) {
    if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  };
  for (const char* group : kGroups)
    if (group != std::string(kHelpGroup)) add(group);
  for (const FlagText& flag : verb.flags)
    if (flag.group != kHelpGroup) add(flag.group);
  add(kHelpGroup);
  std::string text;
  for (const std::string& group : groups) text += flags_of(verb, group, width);
  return text;
}

}  // namespace

std::size_t help_width() {
  winsize size{};
  if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kWidestHelp;
  return std::clamp<std::size_t>(size.ws_col, kNarrowestHelp, kWidestHelp);
}

std::string description_of(const FlagText& flag) {
  return flag.description + (flag.repeated ? "; may be repeated" : "") + (flag.required ? " (required)" : "");
}

std::string label_of(const FlagText& flag) {
  const std::string text = join(flag.names);
  if (flag.value.empty()) return text;
  return flag.positional && flag.value == "FILE" ? text : text + " " + flag.value;
}

std::string usage_of(const VerbText& verb) {
  std::string text = verb.command();
  for (const FlagText& flag : verb.flags)
    if (flag.positional) text += " " + (flag.required ? flag.names.front() : "[" + flag.names.front() + "]");
  text += " [FLAGS]";
  for (const FlagText& flag : verb.flags)
    if (!flag.positional && flag.required) text += " " + flag.names.front() + " " + flag.value;
  return text;
}

std::string help_of(const VerbText& verb, std::size_t width) {
  return examples_of(verb, width) + paragraph(verb.what, width) + "\nUsage: " + wrapped(usage_of(verb), width, 7, 7) +
         all_flags_of(verb, width);
}

std::string help_of(const ProgramText& program, std::size_t width) {
  std::string text = examples_of(program.program, width) + paragraph(program.program.what, width) +
                     "\nUsage: rnnc VERB [FLAGS]\n\nVerbs:\n";
  for (const VerbText& verb : program.verbs) text += entry(verb.name, first_sentence(verb.what), 14, width);
  text += all_flags_of(program.program, width);
  text += "\nEnvironment:\n";
  for (const Fact& variable : kVariables) text += entry(variable.name, variable.meaning, 18, width);
  text += "\nExit codes:\n";
  for (const Fact& code : kExitCodes) text += entry(code.name, code.meaning, 6, width);
  return text;
}

}  // namespace rnnc::tools
