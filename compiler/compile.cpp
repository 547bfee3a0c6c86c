// The public compile(): chooses the network or cell, binds its dims, makes the artifact, links it and loads the weights.
#include <rnnc/compile.hpp>

#include <new>

#include "compiler/cell_code.hpp"
#include "compiler/choose_cell.hpp"
#include "compiler/network.hpp"
#include "ir/environment.hpp"
#include "runtime/program.hpp"

namespace rnnc {
namespace compiler {

Result<ir::Cell> choose_cell(const Model& model, const std::string& name, const ir::DimBindings& dims,
                             const TensorMap& weights) {
  const ir::Module& module = model.module();
  const ir::Cell* cell = nullptr;
  std::string known;
  for (const ir::Cell& each : module.cells) known += (known.empty() ? "" : ", ") + each.name;
  if (!name.empty())
    cell = module.find(name);
  else if (module.cells.size() == 1)
    cell = &module.cells.front();
  if (!cell)
    return Error{ErrorCode::Name,
                 {module.file},
                 name.empty() ? "the model has several cells; choose one of: " + known
                              : "the model has no cell " + name + "; it has: " + known,
                 {}};
  std::map<std::string, Shape> shapes;
  for (const auto& [tensor_name, tensor] : weights) shapes[tensor_name] = tensor.shape;
  Result<ir::DimBindings> bindings = ir::infer_dims(*cell, shapes, dims);
  if (!bindings) return bindings.error();
  return ir::bind_dims(*cell, *bindings);
}

}  // namespace compiler

namespace {

Result<Program> compile_cell(const ir::Cell& cell, const compiler::Target& target, const TensorMap& weights,
                             const CompileOptions& options) try {
  Result<compiler::CellCode> code = compiler::code_of(cell, target, options);
  if (!code) return code.error();
  return runtime::load_program(std::move(code->description), std::move(code->code), weights,
                               {options.threads, options.executor, options.sharing});
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {cell.file}, "not enough memory for the weights of cell " + cell.name, {}};
}

// The network that is meant, or null where a cell is.
Result<const ir::Network*> choose_network(const ir::Module& module, const std::string& name) {
  if (!name.empty()) return module.find_network(name);
  if (module.networks.size() < 2) return module.networks.empty() ? nullptr : &module.networks.front();
  std::string known;
  for (const ir::Network& each : module.networks) known += (known.empty() ? "" : ", ") + each.name;
  return Error{ErrorCode::Name, {module.file}, "the model has several networks; choose one of: " + known, {}};
}

Result<Program> compile_chosen(const ir::Network& network, const compiler::Target& target, const TensorMap& weights,
                               const CompileOptions& options) try {
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : weights) shapes[name] = tensor.shape;
  const Result<ir::DimBindings> dims = ir::infer_dims(network, shapes, options.dims);
  if (!dims) return dims.error();
  const Result<ir::Network> bound = ir::bind_dims(network, *dims);
  if (!bound) return bound.error();
  return compiler::compile_network(*bound, target, weights, options);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {network.file}, "not enough memory for the weights of network " + network.name, {}};
}

}  // namespace

Result<Program> compile(const Model& model, const TensorMap& weights, const CompileOptions& options) {
  if (options.threads < 1 || options.threads > kMaxThreads)
    return Error{
        ErrorCode::Usage,
        {},
        "threads = " + std::to_string(options.threads) + " is not between 1 and " + std::to_string(kMaxThreads),
        {}};
  const std::string cpu = options.cpu.empty() ? read_environment().isa : options.cpu;
  const Result<compiler::Target> target = compiler::resolve_target(cpu);
  if (!target) return target.error();
  const Result<const ir::Network*> network = choose_network(model.module(), options.cell);
  if (!network) return network.error();
  if (*network) return compile_chosen(**network, *target, weights, options);
  const Result<ir::Cell> cell = compiler::choose_cell(model, options.cell, options.dims, weights);
  if (!cell) return cell.error();
  return compile_cell(*cell, *target, weights, options);
}

}  // namespace rnnc
