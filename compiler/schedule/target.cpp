#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

std::string name_of(const Target& target) {
  switch (target.arch) {
    case Arch::X86_64: return target.cpu;
    case Arch::AArch64: return "aarch64-" + target.cpu;
  }
  return target.cpu;
}

std::string triple_of(const Target& target) {
  switch (target.arch) {
    case Arch::X86_64: return "x86_64-unknown-linux-gnu";
    case Arch::AArch64: return "aarch64-unknown-linux-gnu";
  }
  return "";
}

}  // namespace rnnc::compiler
