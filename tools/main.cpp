// The command line program: hands its arguments to a verb and turns what comes back into an exit code. No exception and
// no error leaves it in any other way.
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "tools/exit_code.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

constexpr const char* kExample =
    "Example: rnnc verify --cell lstm --dim I=64 --dim H=128\n\n"
    "rnnc compiles recurrent cells, written as the equations of one step, to machine code that runs whole sequences.";

// A verb's description is its example and, after an empty line, what it does: its own help shows both, the list of
// verbs the latter.
class ExampleFirst : public CLI::Formatter {
  std::string make_subcommand(const CLI::App* verb) const override {
    const std::string description = verb->get_description();
    const std::string name = "  " + verb->get_name();
    return name + std::string(12 - name.size(), ' ') + description.substr(description.find("\n\n") + 2) + "\n";
  }
};

int report(const Error& error) {
  std::cerr << "rnnc: " << error.to_string() << "\n";
  return exit_code(error.code);
}

// The usage mistake as CLI11 words it, and where to read more.
int report(const CLI::ParseError& error, const CLI::App& program) {
  const auto chosen = program.get_subcommands();
  std::cerr << "rnnc: " << error.what() << "\nsee: rnnc " << (chosen.empty() ? "" : chosen.front()->get_name() + " ")
            << "--help\n";
  return kUsage;
}

int run(int argc, char** argv) {
  CLI::App program(kExample, "rnnc");
  program.require_subcommand(1);
  program.formatter(std::make_shared<ExampleFirst>());
  const std::vector<Verb> verbs = {add_run(program),     add_bench(program),  add_verify(program), add_inspect(program),
                                   add_compile(program), add_import(program), add_cache(program)};
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return program.exit(help);
  } catch (const CLI::ParseError& error) {
    return report(error, program);
  }
  for (const Verb& verb : verbs) {
    if (!verb.flags->parsed()) continue;
    const Result<int> code = verb.work();
    return code ? *code : report(code.error());
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
