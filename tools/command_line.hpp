// The parser of the command line becomes data that describe its verbs and flags. Help, the manual page and shell
// completion are three ways to write these data.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace rnnc::tools {

// Help prints the groups of flags in this order.
inline constexpr const char* kModelGroup = "Model";
inline constexpr const char* kDataGroup = "Data";
inline constexpr const char* kMachineGroup = "Machine";
inline constexpr const char* kOutputGroup = "Output";
inline constexpr const char* kHelpGroup = "Help";
inline constexpr const char* kGroups[] = {kModelGroup, kDataGroup, kMachineGroup, kOutputGroup, kHelpGroup};

struct FlagText {
  std::vector<std::string> names;  // "-o", "--output"; of a positional argument its name alone
  std::string value;               // "y.npy", "CPU", "text|plan"; "" of a switch
  std::string description, group;
  bool positional = false, required = false, repeated = false;
};

struct VerbText {
  std::string name;                   // "" of the program itself
  std::vector<std::string> examples;  // commands that work as they stand where their files are
  std::string what;                   // sentences about what the verb does
  std::vector<FlagText> flags;

  std::string command() const { return name.empty() ? "rnnc" : "rnnc " + name; }
};

struct ProgramText {
  VerbText program;  // what holds without a verb
  std::vector<VerbText> verbs;
};

/// Adds a verb with its examples and what it does; flags that it is given next are of group kModelGroup.
CLI::App& add_verb(CLI::App& program, const std::string& name, const std::vector<std::string>& examples,
                   const std::string& what);

/// Joins examples and sentences to the description that `describe` takes apart.
std::string about(const std::vector<std::string>& examples, const std::string& what);

/// Puts flags that `app` is given from now on into `group`.
void begin_group(CLI::App& app, const char* group);

VerbText describe_verb(const CLI::App& app, const std::string& name);
ProgramText describe(const CLI::App& program);

std::vector<std::string> verb_names(const ProgramText& program);

/// Returns the parts of a text between the characters `at`.
std::vector<std::string> split(const std::string& text, char at);

/// Returns the text's first sentence, without its full stop.
std::string first_sentence(const std::string& text);

/// Holds the name and the meaning of an environment variable or of an exit code.
struct Fact {
  const char *name, *meaning;
};
inline constexpr Fact kVariables[] = {
    {"RNNC_DEBUG",
     "what to show of each compilation on standard error: ir, plan, llvm, asm, time, with commas between"},
    {"RNNC_DUMP_DIR", "the folder that RNNC_DEBUG's texts are written to instead, and repro.rnn of an internal error"},
    {"RNNC_CACHE_DIR",
     "the folder of compiled code and of what was measured (default: rnnc in XDG_CACHE_HOME or ~/.cache)"},
    {"RNNC_CACHE", "off: neither use nor keep compiled code and what was measured; ro: use it only; on (default)"},
    {"RNNC_ISA", "the CPU to compile for where --isa does not say"},
    {"RNNC_PLUGIN_DIR",
     "the folder of the plug-in of bench --against (default: beside rnnc, or LIBDIR/rnnc where installed)"},
};
inline constexpr Fact kExitCodes[] = {
    {"0", "all went well"},
    {"1", "results differ by more than is promised"},
    {"2", "a flag or argument is wrong"},
    {"3", "a model, its data or a file is"},
    {"4", "rnnc or this machine cannot do that"},
};

}  // namespace rnnc::tools
