#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {
namespace {

constexpr ArchFacts kFacts[] = {
#define TARGET(arch, ...) {__VA_ARGS__},
#include "compiler/schedule/targets.def"
#undef TARGET
};

}  // namespace

const ArchFacts& facts(Arch arch) { return kFacts[static_cast<std::size_t>(arch)]; }

Arch arch_of(std::string_view cpu) {
  for (const Arch arch : kArchs)
    if (const std::string_view prefix = facts(arch).prefix; !prefix.empty() && cpu.starts_with(prefix)) return arch;
  return kHostArch;
}

Target baseline(Arch arch) { return {.arch = arch, .cpu = facts(arch).baseline_cpu, .features = {}}; }

std::string name_of(const Target& target) { return facts(target.arch).prefix + target.cpu; }

std::string triple_of(const Target& target) { return facts(target.arch).triple; }

}  // namespace rnnc::compiler
