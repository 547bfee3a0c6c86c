#include "tools/graph_layout.hpp"

#include <algorithm>

namespace rnnc::tools {
namespace {

std::int64_t size_of(std::int64_t factor, GraphSizes sizes) {
  return factor == GraphValue::kSteps ? sizes.steps : factor == GraphValue::kSequences ? sizes.sequences : factor;
}

struct Factor {
  std::int64_t kind = 1, stride = 1;
};

}  // namespace

Shape shape_of(const GraphValue& value, GraphSizes sizes) {
  Shape shape;
  for (const std::vector<std::int64_t>& factors : value.dims) {
    shape.push_back(1);
    for (const std::int64_t factor : factors) shape.back() *= size_of(factor, sizes);
  }
  return shape;
}

std::vector<std::size_t> places_in_graph(const GraphValue& value, GraphSizes sizes) {
  std::vector<Factor> factors;
  for (const auto& dim : value.dims)
    for (const std::int64_t factor : dim) factors.push_back({factor, 1});
  std::int64_t stride = 1, elements = 1, steps = 1, sequences = 1;
  for (auto factor = factors.rbegin(); factor != factors.rend(); ++factor) {
    factor->stride = stride;
    const std::int64_t size = size_of(factor->kind, sizes);
    stride *= size;
    (factor->kind == GraphValue::kSteps       ? steps
     : factor->kind == GraphValue::kSequences ? sequences
                                              : elements) *= size;
  }
  std::vector<std::size_t> places;
  places.reserve(static_cast<std::size_t>(steps * sequences * elements));
  for (std::int64_t t = 0; t < steps; ++t)
    for (std::int64_t b = 0; b < sequences; ++b)
      for (std::int64_t o = 0; o < elements; ++o) {
        std::int64_t place = 0, rest = o;
        for (auto factor = factors.rbegin(); factor != factors.rend(); ++factor) {
          if (factor->kind == GraphValue::kSteps) {
            place += t * factor->stride;
          } else if (factor->kind == GraphValue::kSequences) {
            place += b * factor->stride;
          } else {
            place += rest % factor->kind * factor->stride;
            rest /= factor->kind;
          }
        }
        places.push_back(static_cast<std::size_t>(place));
      }
  return places;
}

std::optional<Tensor> rows_of(const GraphValue& value, const Tensor& tensor, std::int64_t size) {
  if (tensor.shape.size() != value.dims.size()) return std::nullopt;
  GraphSizes sizes;
  for (std::size_t d = 0; d < value.dims.size(); ++d)
    if (value.dims[d] == std::vector{GraphValue::kSequences}) sizes.sequences = tensor.shape[d];
  if (shape_of(value, sizes) != tensor.shape) return std::nullopt;
  const std::vector<float> given = tensor.to_f32();
  std::vector<float> values;
  for (const std::size_t place : places_in_graph(value, sizes)) values.push_back(given[place]);
  return Tensor::from_f32({sizes.sequences, size}, values);
}

bool is_called_each_step(const ImportedGraph& graph, const Interface& interface) {
  if (graph.is_step) return true;
  const auto is_initial = [&](const GraphValue& value) {
    const std::string& name = value.as.empty() ? value.name : value.as;
    const bool is_input = std::ranges::find(interface.inputs, name, &NamedType::name) != interface.inputs.end();
    return value.dims.size() > 1 && !is_input;  // lengths have one dim
  };
  return graph.steps == 1 && !graph.finals.empty() && std::ranges::any_of(graph.inputs, is_initial);
}

}  // namespace rnnc::tools
