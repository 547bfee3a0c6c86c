#include "tools/artifact.hpp"

#include <limits>
#include <utility>

#include <rnnc/artifact.hpp>
#include <rnnc/join.hpp>

#include "import/file_content.hpp"
#include "runtime/choose_level.hpp"
#include "tools/exit_code.hpp"

namespace rnnc::tools {

bool is_artifact(const std::string& path) { return path.ends_with(".rnnc"); }

Result<void> check_artifact_flags(const ModelFlags& flags) {
  const std::pair<const char*, bool> given[] = {{"--weights", !flags.weights.empty()},
                                                {"--cell", !flags.cell.empty()},
                                                {"--dim", !flags.dims.empty()},
                                                {"--backend", flags.backend != "jit"},
                                                {"--layers", flags.stack.layers != 1},
                                                {"--bidirectional", flags.stack.bidirectional},
                                                {"--node", !flags.part.node.empty()},
                                                {"--prefix", !flags.part.prefix.empty()},
                                                {"--relu", flags.part.relu},
                                                {"--plan", !flags.plan.empty()},
                                                {"--weights-as", flags.weights_as != "f32"},
                                                {"--sparse", flags.sparse},
                                                {"--ranges", !flags.ranges.empty()},
                                                {"--const", !flags.part.constants.empty()},
                                                {"--shape", !flags.part.shapes.empty()},
                                                {"--carry", !flags.part.carried.empty()},
                                                {"--take", !flags.part.output.empty()},
                                                {"--like", !flags.part.like.empty()}};
  for (const auto& [flag, is_given] : given)
    if (is_given) return usage_error(flag, "an artifact was compiled with its own; leave it out");
  return {};
}

Result<std::string> describe_artifact(const std::string& path) {
  const Result<files::FileContent> file = files::FileContent::open(path, std::numeric_limits<std::uint64_t>::max());
  if (!file) return file.error();
  const Result<runtime::StoredProgram> stored = runtime::read_artifact(file->bytes(), path);
  if (!stored) return stored.error();
  const Result<std::size_t> taken = runtime::choose_level(stored->levels, "");
  std::string text = "artifact of " + stored->description.cell + "\n";
  const auto title_of = [&](const runtime::Output& output) {
    const std::vector<std::string>& times = stored->list.times;
    return output.port.name +
           (output.time == runtime::kNoTime ? "" : " over " + times[static_cast<std::size_t>(output.time)]);
  };
  if (stored->list.outputs.size() > 1) text += "outputs " + join(stored->list.outputs, title_of) + "\n";
  for (std::size_t i = 0; i < stored->levels.size(); ++i) {
    const std::string missing = missing_features(stored->levels[i]);
    text += stored->levels[i].cpu +
            (taken && *taken == i ? ": is taken here"
             : missing.empty()    ? ": runs here"
                                  : ": this CPU lacks " + missing) +
            "\n";
  }
  return text;
}

Result<Program> load_program(const ModelFlags& flags, std::int64_t threads) {
  if (const auto checked = check_artifact_flags(flags); !checked) return checked.error();
  auto program = load_artifact(flags.model, {.threads = static_cast<int>(threads), .cpu = flags.isa});
  if (!program && !flags.isa.empty() && program.error().code == ErrorCode::Usage)
    return usage_error("--isa", program.error().message);
  return program;
}

}  // namespace rnnc::tools
