// The command line becomes a choice of verbs, a file each. Every verb adds itself to the command line and says what to
// do when it is chosen.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

#include <rnnc/result.hpp>

namespace rnnc::tools {

struct Verb {
  CLI::App* flags = nullptr;
  std::function<Result<int>()> work;  // the exit code, or what went wrong
};

Verb add_run(CLI::App& program);
/// `command` is the command line, for a page that tells how it was made.
Verb add_bench(CLI::App& program, const std::string& command);
Verb add_verify(CLI::App& program);
Verb add_calibrate(CLI::App& program);
Verb add_inspect(CLI::App& program);
Verb add_describe(CLI::App& program);
Verb add_explain(CLI::App& program, const std::string& command);
Verb add_compile(CLI::App& program);
Verb add_import(CLI::App& program);
Verb add_prune(CLI::App& program);
Verb add_cells(CLI::App& program);
Verb add_cache(CLI::App& program);
Verb add_completion(CLI::App& program);
Verb add_man(CLI::App& program);

}  // namespace rnnc::tools
