// Values of a network lie as [T, B, O], those of an ONNX graph in the order of its own dims. This is the way between
// the two.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <rnnc/import.hpp>
#include <rnnc/tensor.hpp>

#include "tools/interface.hpp"

namespace rnnc::tools {

struct GraphSizes {
  std::int64_t steps = 1, sequences = 1;
};

/// Returns the dims as numbers.
Shape shape_of(const GraphValue& value, GraphSizes sizes);

/// Returns, for each element of [T, B, O] or [B, O] in this order, its place among those of the graph's value. A value
/// without the batch is of one sequence.
std::vector<std::size_t> places_in_graph(const GraphValue& value, GraphSizes sizes);

/// Returns [B, O] of a tensor that lies as the graph's value, which is no sequence; nothing where its shape is another
/// one.
std::optional<Tensor> rows_of(const GraphValue& value, const Tensor& tensor, std::int64_t size);

/// Tells whether the graph is called once for each step of a stream: it is one step, or it is exported at one step, and
/// takes its states and gives them. Then the file's sizes say nothing of how many steps and streams there are.
bool is_called_each_step(const ImportedGraph& graph, const Interface& interface);

}  // namespace rnnc::tools
