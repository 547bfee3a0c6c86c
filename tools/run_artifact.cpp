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
                                                {"--backend", flags.model.backend != "jit"}};
  for (const auto& [flag, is_given] : given)
    if (is_given) return usage_error(flag, "an artifact was compiled with its own; leave it out");
  return load_artifact(flags.model.model, {.threads = static_cast<int>(flags.threads)});
}

Result<Interface> interface_of(const Program& program) {
  const auto size_of = [](const Port& port) { return port.shape.empty() ? 1 : port.shape.front(); };
  Interface result{program.input_size(), program.output_size(), {}};
  for (const Port& port : program.states()) result.states.push_back({port.name, size_of(port)});
  for (const NamedPort& input : program.named_inputs()) {
    if (!input.time.empty())
      return Error{ErrorCode::Unsupported,
                   {},
                   "input " + input.port.name + " of the artifact has a time " + input.time +
                       " of its own; run it from C or C++, or the model itself",
                   {}};
    result.vectors.push_back({input.port.name, size_of(input.port)});
  }
  const std::string time = program.output_time();
  if (!time.empty() && time != "T")
    return Error{ErrorCode::Unsupported,
                 {},
                 "the artifact's output has a time " + time + " of its own; run it from C or C++, or the model itself",
                 {}};
  result.output_over_time = !time.empty();
  return result;
}

}  // namespace rnnc::tools
