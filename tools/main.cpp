// The arguments of the program become a call of a verb, and the verb's result becomes an exit code. No exception and no
// error leaves the program in any other way.
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "ir/environment.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/help.hpp"
#include "tools/usage.hpp"
#include "tools/verbs.hpp"
#include "tools/version.hpp"

namespace rnnc::tools {
namespace {

const std::vector<std::string> kExamples = {
    "rnnc inspect --cell lstm", "rnnc verify --cell lstm --dim I=64 --dim H=128",
    "rnnc run lstm.rnn --weights lstm.safetensors --input x.npy --output y.npy",
    "rnnc bench --cell lstm --steps 100 --batch 1 --input-size 64 --hidden-size 64 --against onednn", "rnnc help run"};
constexpr const char* kWhat =
    "rnnc compiles recurrent cells, written as the equations of one step, to machine code that runs whole sequences.";

int report(const Error& error) {
  std::cerr << "rnnc: " << error.to_string() << "\n";
  return exit_code(error.code);
}

int report_usage(const std::string& message) {
  std::cerr << "rnnc: " << message << "\n";
  return kUsage;
}

// Returns `code` if all that was printed has arrived; else the program has failed.
int finish(int code) {
  const bool written = std::cout.flush().good() && std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written) return code;
  errno = 0;
  const bool can_write = ::write(STDOUT_FILENO, "\n", 1) == 1;  // asks again for the reason
  return report(Error{ErrorCode::File,
                      {"standard output"},
                      "cannot write it" + (can_write ? "" : std::string(": ") + std::strerror(errno))});
}

std::string help_text(const CLI::App* app, std::string, CLI::AppFormatMode) {
  return app->get_parent() ? help_of(describe_verb(*app, app->get_name()), help_width())
                           : help_of(describe(*app), help_width());
}

Verb add_help(CLI::App& program) {
  CLI::App& app =
      add_verb(program, "help", {"rnnc help", "rnnc help run"}, "Explains the program or one of its verbs.");
  auto name = std::make_shared<std::string>();
  app.add_option("VERB", *name, "what to explain; without it, the program")->type_name("VERB");
  return {&app, [&program, name]() -> Result<int> {
            const ProgramText text = describe(program);
            if (!name->empty() && std::ranges::find(text.verbs, *name, &VerbText::name) == text.verbs.end())
              return Error{ErrorCode::Usage, {}, no_such_verb(*name, text)};
            const CLI::App* verb = name->empty() ? &program : program.get_subcommand(*name);
            std::cout << help_text(verb, "", CLI::AppFormatMode::Normal);
            return kOk;
          }};
}

Verb add_version(CLI::App& program) {
  CLI::App& app = add_verb(program, "version", {"rnnc version"}, "Prints the versions of rnnc and LLVM, and this CPU.");
  return {&app, []() -> Result<int> {
            std::cout << version_text() << "\n";
            return kOk;
          }};
}

// Returns the command line as it can be typed into a shell.
std::string command_of(int argc, char** argv) {
  std::string command = "rnnc";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool is_plain = !argument.empty() && std::ranges::all_of(argument, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
             std::string_view("-_./,:=+@%").find(c) != std::string_view::npos;
    });
    std::string quoted;
    for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    command += " " + (is_plain ? argument : "'" + quoted + "'");
  }
  return command;
}

int run(int argc, char** argv) {
  CLI::App program(about(kExamples, kWhat), "rnnc");
  begin_group(program, kHelpGroup);
  program.set_help_flag("-h,--help", "print this help");
  program.set_version_flag("--version", version_text, "print the versions of rnnc and LLVM, and this machine's CPU");
  program.require_subcommand(1);
  program.formatter_fn(help_text);
  const std::string command = command_of(argc, argv);
  const std::vector<Verb> verbs = {add_run(program),
                                   add_bench(program, command),
                                   add_verify(program),
                                   add_calibrate(program),
                                   add_inspect(program),
                                   add_describe(program),
                                   add_explain(program, command),
                                   add_compile(program),
                                   add_import(program),
                                   add_prune(program),
                                   add_cells(program),
                                   add_cache(program),
                                   add_help(program),
                                   add_version(program),
                                   add_completion(program),
                                   add_man(program)};
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return finish(program.exit(help));
  } catch (const CLI::CallForVersion& version) {
    return finish(program.exit(version));
  } catch (const CLI::ParseError& error) {
    return report_usage(usage_mistake(error, program));
  }
  for (const std::string& warning : read_environment().warnings) std::cerr << "rnnc: warning: " << warning << "\n";
  for (const Verb& verb : verbs) {
    if (!verb.flags->parsed()) continue;
    const Result<int> code = verb.work();
    return code ? finish(*code) : report(code.error());
  }
  return kUsage;
}

}  // namespace
}  // namespace rnnc::tools

int main(int argc, char** argv) try { return rnnc::tools::run(argc, argv); } catch (const std::bad_alloc&) {
  std::cerr << "rnnc: not enough memory\n";
  return rnnc::tools::kInvalid;
} catch (const std::exception& error) {
  std::cerr << "rnnc: " << error.what() << "\n";
  return rnnc::tools::kInvalid;
}
