// rnnc completion prints a script for a shell. The shell does not run rnnc when it completes a word.
#include "tools/completion.hpp"

#include <iostream>
#include <memory>

#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {

Verb add_completion(CLI::App& program) {
  CLI::App& app =
      add_verb(program, "completion",
               {"rnnc completion bash > rnnc.bash", "rnnc completion zsh > _rnnc", "rnnc completion fish > rnnc.fish"},
               "Prints a script that makes a shell complete verbs, flags and their values. For bash, source "
               "it; for zsh, put it into a folder of $fpath; for fish, into ~/.config/fish/completions. An "
               "installed rnnc comes with all three.");
  auto shell = std::make_shared<std::string>();
  add_choice(app, "SHELL", *shell, {"bash", "zsh", "fish"}, "which shell's script")->required();
  return {&app, [&program, shell]() -> Result<int> {
            const ProgramText text = describe(program);
            std::cout << (*shell == "bash"  ? bash_completion(text)
                          : *shell == "zsh" ? zsh_completion(text)
                                            : fish_completion(text));
            return kOk;
          }};
}

}  // namespace rnnc::tools
