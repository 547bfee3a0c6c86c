// A model and its weights become a module of WebAssembly and the script that runs it.
#include <rnnc/ahead.hpp>
#include <rnnc/default_float_environment.hpp>

#include <llvm/IR/IRBuilder.h>

#include <new>

#include "compiler/object/link_wasm.hpp"
#include "compiler/object/parts.hpp"
#include "compiler/object/wasm_script.hpp"
#include "ir/check.hpp"

namespace rnnc {
namespace {

// The functions are exported under names that are the same for every program, without the program's own.
void export_functions(llvm::Module& module, const std::string& name, std::uint32_t id) {
  llvm::IRBuilder<> builder(module.getContext());
  auto* facts = llvm::Function::Create(llvm::FunctionType::get(builder.getInt32Ty(), false),
                                       llvm::Function::ExternalLinkage, name + "_facts", module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", facts));
  builder.CreateRet(builder.getInt32(id));
  for (llvm::Function& function : module)
    if (compiler::is_public(function))
      function.addFnAttr("wasm-export-name", function.getName().substr(name.size() + 1));
}

Result<void> check_wasm(const compiler::Parts& parts) {
  if (const compiler::Target& target = parts.levels.front().target; target.arch != compiler::Arch::Wasm32)
    return Error{
        ErrorCode::Usage,
        {},
        "a module is code for WebAssembly, not for " + name_of(target) + "; leave --target out, or use wasm32"};
  if (const std::vector<std::string> times = compiler::other_times(parts.program.list); !times.empty())
    return Error{ErrorCode::Unsupported,
                 {},
                 "the network has sequences of time " + times.front() +
                     ", and a module takes those of time T alone; compile it to an object "
                     "(-o m.o) or an artifact (-o m.rnnc)"};
  for (const NamedPort& input : parts.program.list.inputs) RNNC_ASSERT(input.time.empty(), nullptr);
  return {};
}

Result<WasmFiles> wasm_of(const Model& model, const TensorMap& weights, ObjectOptions options,
                          const std::string& file) try {
  const DefaultFloatEnvironment environment;
  if (options.targets.empty()) options.targets = {"wasm32"};
  const Result<compiler::Parts> parts = compiler::parts_of(model, weights, options);
  if (!parts) return parts.error();
  if (const Result<void> checked = check_wasm(*parts); !checked) return checked.error();
  const Result<std::string> linker = compiler::find_wasm_linker();
  if (!linker) return linker.error();
  compiler::WasmScript script = compiler::wasm_script(facts_of(*parts), file);
  const auto change = [&](llvm::Module& module) { export_functions(module, parts->name, script.id); };
  Result<std::vector<std::byte>> module = compiler::link_wasm(*linker, object_of(*parts, change, nullptr));
  if (!module) return module.error();
  return WasmFiles{std::move(*module), std::move(script.script), std::move(script.types)};
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights"};
}

}  // namespace

Result<WasmFiles> compile_wasm(const Model& model, const TensorMap& weights, const ObjectOptions& options,
                               const std::string& file) {
  return wasm_of(model, weights, options, file);
}

}  // namespace rnnc
