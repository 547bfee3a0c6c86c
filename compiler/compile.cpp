// The public compile(): chooses the network or cell, binds its dims, makes the artifact, links it and loads the weights.
#include <rnnc/compile.hpp>

#include <new>

#include "compiler/cell_code.hpp"
#include "compiler/choose_cell.hpp"
#include "compiler/network.hpp"
#include "ir/environment.hpp"
#include "runtime/program.hpp"

namespace rnnc {
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

Result<Program> compile_bound(const ir::Network& network, const compiler::Target& target, const TensorMap& weights,
                              const CompileOptions& options) try {
  return compiler::compile_network(network, target, weights, options);
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
  const auto network = compiler::choose_network(model, options.cell, options.dims, weights);
  if (!network) return network.error();
  if (*network) return compile_bound(**network, *target, weights, options);
  const Result<ir::Cell> cell = compiler::choose_cell(model, options.cell, options.dims, weights);
  if (!cell) return cell.error();
  return compile_cell(*cell, *target, weights, options);
}

}  // namespace rnnc
