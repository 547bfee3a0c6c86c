#include "compiler/network/choose_cell.hpp"

#include <rnnc/join.hpp>

#include "ir/check.hpp"
#include "ir/scan.hpp"

namespace rnnc::compiler {
namespace {

std::map<std::string, Shape> shapes_of(const TensorMap& weights) {
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : weights) shapes[name] = tensor.shape;
  return shapes;
}

}  // namespace

Result<ir::Cell> choose_cell(const Model& model, const std::string& name, const ir::DimBindings& dims,
                             const TensorMap& weights) {
  const ir::Module& module = model.module();
  const ir::Cell* cell = nullptr;
  const std::string known = join(module.cells, &ir::Cell::name);
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
  Result<ir::DimBindings> bindings = ir::infer_dims(*cell, shapes_of(weights), dims);
  if (!bindings) return bindings.error();
  return ir::bind_dims(*cell, *bindings);
}

Result<std::optional<ir::Network>> choose_network(const Model& model, const std::string& name,
                                                  const ir::DimBindings& dims, const TensorMap& weights) {
  const ir::Module& module = model.module();
  const ir::Network* network = name.empty() ? nullptr : module.find_network(name);
  if (name.empty() && module.networks.size() == 1) network = &module.networks.front();
  if (name.empty() && module.networks.size() > 1)
    return Error{ErrorCode::Name,
                 {module.file},
                 "the model has several networks; choose one of: " + join(module.networks, &ir::Network::name),
                 {}};
  if (!network) return std::optional<ir::Network>();
  const Result<ir::DimBindings> bindings = ir::infer_dims(*network, shapes_of(weights), dims);
  if (!bindings) return bindings.error();
  Result<ir::Network> bound = ir::bind_dims(*network, *bindings);
  if (!bound) return bound.error();
  return std::optional<ir::Network>(std::move(*bound));
}

Result<ir::Network> choose_program(const Model& model, const std::string& name, const ir::DimBindings& dims,
                                   const TensorMap& weights) {
  Result<std::optional<ir::Network>> network = choose_network(model, name, dims, weights);
  if (!network) return network.error();
  if (*network) return std::move(**network);
  const Result<ir::Cell> cell = choose_cell(model, name, dims, weights);
  if (!cell) return cell.error();
  return ir::network_of(*cell);
}

}  // namespace rnnc::compiler
