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

std::string cpu_list_text() {
  const Result<compiler::Target> host = compiler::resolve_target("host");
  std::string text = "host  " + (host ? "this machine, " + compiler::name_of(*host) : host.error().message) + "\n";
  for (const std::string& level : compiler::runnable_levels()) text += level + "  runs here\n";
  text += "all names:";
  for (const std::string& name : compiler::cpu_names()) text += "\n" + name;
  return text;
}

}  // namespace rnnc::tools
