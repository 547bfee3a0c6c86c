#include "tools/run_artifact.hpp"

#include <rnnc/artifact.hpp>

#include "tools/exit_code.hpp"

namespace rnnc::tools {

bool names_artifact(const ModelFlags& flags) { return flags.model.ends_with(".rnnc"); }

Result<Program> load_program(const RunFlags& flags) {
  const std::pair<const char*, bool> given[] = {{"--weights", !flags.model.weights.empty()},
                                                {"--cell", !flags.model.cell.empty()},
                                                {"--dim", !flags.model.dims.empty()},
                                                {"--isa", !flags.model.isa.empty()},
                                                {"--backend", flags.backend != "jit"}};
  for (const auto& [flag, is_given] : given)
    if (is_given) return usage_error(flag, "an artifact was compiled with its own; leave it out");
  return load_artifact(flags.model.model, {.threads = static_cast<int>(flags.threads)});
}

Interface interface_of(const Program& program) {
  Interface result{program.input_size(), program.output_size(), {}};
  for (const Port& port : program.states())
    result.states.push_back({port.name, port.shape.empty() ? 1 : port.shape.front()});
  return result;
}

}  // namespace rnnc::tools
