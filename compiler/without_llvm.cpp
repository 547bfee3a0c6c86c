// In a build without LLVM, every request for code becomes an error that says what is missing.
#include <rnnc/ahead.hpp>

#include "compiler/llvm/code_of.hpp"
#include "compiler/llvm/resolve_target.hpp"

namespace rnnc {
namespace {

Error no_compiler() {
  return {ErrorCode::Unsupported, {}, "this build of rnnc has no LLVM: it runs models, and compiles none"};
}

}  // namespace

namespace compiler {

bool can_generate_code() { return false; }

Result<Target> resolve_target(const std::string&, bool) { return no_compiler(); }

bool shows_stages() { return false; }

Result<PendingCode> plan_code(const ir::Cell&, const Target&, const CompileOptions&, bool) { return no_compiler(); }

}  // namespace compiler

Result<ObjectFiles> compile_object(const Model&, const TensorMap&, const ObjectOptions&) { return no_compiler(); }

std::vector<std::string> wasm_file_names(const ObjectOptions&, const WasmOptions&) { return {}; }

Result<std::vector<WasmFile>> compile_wasm(const Model&, const TensorMap&, const ObjectOptions&, const WasmOptions&) {
  return no_compiler();
}

Result<std::vector<std::byte>> compile_artifact(const Model&, const TensorMap&, const ArtifactOptions&) {
  return no_compiler();
}

}  // namespace rnnc
