// A model and its weights become modules of WebAssembly and the script that runs them.
#include <rnnc/ahead.hpp>
#include <rnnc/default_float_environment.hpp>

#include <llvm/IR/IRBuilder.h>

#include <algorithm>
#include <new>

#include "compiler/object/link_wasm.hpp"
#include "compiler/object/murmur_hash.hpp"
#include "compiler/object/parts.hpp"
#include "compiler/object/wasm_script.hpp"
#include "compiler/object/weights_apart.hpp"
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

Result<void> check_wasm(const compiler::Parts& parts, const WasmOptions& wasm) {
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
  if (const std::string reason = unfit_for_worklet(facts_of(parts)); wasm.worklet && !reason.empty())
    return Error{ErrorCode::Unsupported, {}, "an AudioWorklet cannot run the model: " + reason};
  return {};
}

std::vector<std::string> targets_of(const ObjectOptions& options) {
  return options.targets.empty() ? std::vector<std::string>{"wasm32"} : options.targets;
}

std::string stem_of(const std::string& file) {
  return file.ends_with(".wasm") ? file.substr(0, file.size() - std::string(".wasm").size()) : file;
}

// The module for every engine has the name of `wasm.file`, and so has one that is alone.
struct ModuleNames {
  std::string module, weights;

  ModuleNames(const WasmOptions& wasm, std::size_t number)
      : module(number == 0 ? wasm.file : stem_of(wasm.file) + ".relaxed.wasm"),
        weights(wasm.weights_apart ? stem_of(module) + ".weights" : "") {}
};

struct ScriptNames {
  std::string script, types, worklet;

  explicit ScriptNames(const WasmOptions& wasm)
      : script(stem_of(wasm.file) + ".mjs"),
        types(stem_of(wasm.file) + ".d.mts"),
        worklet(wasm.worklet ? stem_of(wasm.file) + ".worklet.js" : "") {}
};

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Compiles and links the module of one target, whose files come behind `files`.
Result<compiler::WasmModule> make_module(const compiler::Parts& parts, const std::string& linker,
                                         const ModuleNames& names, std::vector<WasmFile>& files) {
  compiler::WasmModule made{facts_of(parts), name_of(parts.levels.front().target), names.module};
  std::vector<std::byte> weights;
  const auto change = [&](llvm::Module& module) {
    if (!names.weights.empty()) {
      weights = compiler::take_weights(module, parts.name + "_weights");
      made.weights = compiler::WasmWeights{names.weights, weights.size(), compiler::murmur_hash(weights)};
    }
    export_functions(module, parts.name, id_of(made));
  };
  Result<std::vector<std::byte>> module = compiler::link_wasm(linker, object_of(parts, change, nullptr));
  if (!module) return module.error();
  files.push_back({names.module, std::move(*module)});
  if (made.weights) files.push_back({names.weights, compiler::weights_file(weights, made.weights->hash)});
  return made;
}

Result<std::vector<WasmFile>> wasm_of(const Model& model, const TensorMap& weights, const ObjectOptions& options,
                                      const WasmOptions& wasm) try {
  const DefaultFloatEnvironment environment;
  std::vector<compiler::Parts> all;
  for (const std::string& target : targets_of(options)) {
    ObjectOptions one = options;
    one.targets = {target};
    Result<compiler::Parts> parts = compiler::parts_of(model, weights, one);
    if (!parts) return parts.error();
    if (const Result<void> checked = check_wasm(*parts, wasm); !checked) return checked.error();
    const std::string name = name_of(parts->levels.front().target);
    for (const compiler::Parts& other : all)
      if (name_of(other.levels.front().target) == name)
        return Error{ErrorCode::Usage, {}, "the target " + name + " is given twice; name it once"};
    all.push_back(std::move(*parts));
  }
  const Result<std::string> linker = compiler::find_wasm_linker();
  if (!linker) return linker.error();
  std::vector<WasmFile> files;
  std::vector<compiler::WasmModule> modules;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Result<compiler::WasmModule> module = make_module(all[i], *linker, {wasm, i}, files);
    if (!module) return module.error();
    modules.push_back(std::move(*module));
  }
  const ScriptNames names(wasm);
  const compiler::WasmScript script = compiler::wasm_script(modules, {names.worklet, stem_of(wasm.file)});
  files.push_back({names.script, bytes_of(script.script)});
  files.push_back({names.types, bytes_of(script.types)});
  if (wasm.worklet) files.push_back({names.worklet, bytes_of(script.worklet)});
  return files;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights"};
}

}  // namespace

std::vector<std::string> wasm_file_names(const ObjectOptions& options, const WasmOptions& wasm) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < targets_of(options).size(); ++i) {
    const ModuleNames module(wasm, i);
    names.insert(names.end(), {module.module, module.weights});
  }
  const ScriptNames script(wasm);
  names.insert(names.end(), {script.script, script.types, script.worklet});
  std::erase(names, "");
  return names;
}

Result<std::vector<WasmFile>> compile_wasm(const Model& model, const TensorMap& weights, const ObjectOptions& options,
                                           const WasmOptions& wasm) {
  return wasm_of(model, weights, options, wasm);
}

}  // namespace rnnc
