// A model and its weights become an object file and the C header that goes with it.
#include <rnnc/ahead.hpp>
#include <rnnc/default_float_environment.hpp>

#include <new>

#include "compiler/object/object_llvm.hpp"
#include "compiler/object/object_sizes.hpp"
#include "compiler/object/parts.hpp"

namespace rnnc {
namespace {

void hide_functions(llvm::Module& module) {
  for (llvm::Function& function : module)
    if (compiler::is_public(function)) function.setVisibility(llvm::GlobalValue::HiddenVisibility);
}

Result<ObjectFiles> files_of(const Model& model, const TensorMap& weights, const ObjectOptions& options,
                             std::string* llvm) try {
  const DefaultFloatEnvironment environment;
  const Result<compiler::Parts> parts = compiler::parts_of(model, weights, options);
  if (!parts) return parts.error();
  if (!llvm && parts->levels.front().target.arch == compiler::Arch::Wasm32)
    return Error{ErrorCode::Usage, {}, "code for WebAssembly becomes a module, not an object; name -o FILE.wasm"};
  const auto change = [&](llvm::Module& module) {
    if (options.hidden) hide_functions(module);
  };
  std::vector<std::byte> object = object_of(*parts, change, llvm);
  compiler::HeaderFacts facts = facts_of(*parts);
  const compiler::ObjectSizes sizes = compiler::sizes_of(object);
  facts.code_bytes = sizes.read_only_bytes - facts.weights_bytes;
  facts.stack_bytes = sizes.stack_bytes;
  return ObjectFiles{std::move(object), compiler::c_header(facts)};
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights"};
}

}  // namespace

Result<ObjectFiles> compile_object(const Model& model, const TensorMap& weights, const ObjectOptions& options) {
  return files_of(model, weights, options, nullptr);
}

Result<std::string> compiler::object_llvm(const Model& model, const TensorMap& weights, const ObjectOptions& options) {
  std::string text;
  if (const auto files = files_of(model, weights, options, &text); !files) return files.error();
  return text;
}

}  // namespace rnnc
