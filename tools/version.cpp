#include "tools/version.hpp"

#include <rnnc/version.hpp>

#include "compiler/llvm/cpu_names.hpp"
#include "compiler/llvm/resolve_target.hpp"

namespace rnnc::tools {

std::string version_text() {
  const Result<compiler::Target> host = compiler::resolve_target("host");
  return "rnnc " + std::string(kVersion) + "\nLLVM " + compiler::llvm_version() + "\nCPU " +
         (host ? compiler::name_of(*host) + ", " + std::to_string(host->lanes) + " lanes of f32"
               : host.error().to_string());
}

}  // namespace rnnc::tools
