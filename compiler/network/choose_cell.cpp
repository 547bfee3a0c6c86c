#include "compiler/network/choose_cell.hpp"

#include "ir/scan.hpp"
#include "ir/verify.hpp"

namespace rnnc::compiler {
namespace {

template <class AnyGraph>
Result<AnyGraph> bind_graph(const AnyGraph& graph, const ir::DimBindings& dims, const TensorMap& weights) {
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : weights) shapes[name] = tensor.shape;
  const Result<ir::DimBindings> bindings = ir::infer_dims(graph, shapes, dims);
  if (!bindings) return bindings.error();
  return ir::bind_dims(graph, *bindings);
}

}  // namespace

Result<ir::Cell> bind(const ir::Cell& cell, const ir::DimBindings& dims, const TensorMap& weights) {
  return bind_graph(cell, dims, weights);
}

Result<ir::Network> choose_program(const Model& model, const std::string& name, const ir::DimBindings& dims,
                                   const TensorMap& weights) {
  const Result<const ir::Graph*> graph = model.module().choose(name);
  if (!graph) return graph.error();
  if ((*graph)->kind == ir::Graph::Kind::Network)
    return bind_graph(static_cast<const ir::Network&>(**graph), dims, weights);
  const Result<ir::Cell> cell = bind(static_cast<const ir::Cell&>(**graph), dims, weights);
  if (!cell) return cell.error();
  return ir::network_of(*cell);
}

}  // namespace rnnc::compiler
