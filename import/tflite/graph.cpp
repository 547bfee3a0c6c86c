#include "import/tflite/graph.hpp"

#include <algorithm>
#include <ranges>
#include <set>
#include <span>
#include <utility>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
TfliteGraph::TfliteGraph(TfliteModel model, std::size_t file_bytes, std::string_view file)
    : GraphWriter(file_bytes, file),
      model_(std::move(model)),
      graph_(&model_.graphs.at(0)),
      operators_left_(file_bytes) {}

std::string TfliteGraph::value(std::int32_t place) {
  if (place < 0) return "";
  const auto found = names_.find(place);
  if (found != names_.end()) return found->second;
  const TfliteTensor& from = tensor(place);
  if (!from.data)
    invalid(file(), "tensor " + in_quotes(from.name),
            from.is_variable ? "is a state that no recurrent operator has" : "is read before an operator gives it");
  const bool is_whole = from.scales.empty() && (from.type == TfliteType::I32 || from.type == TfliteType::I64);
  return names_[place] =
             is_whole ? integers(from.shape, integers_of(from, file())) : floats(from.shape, floats_of(from, file()));
}

void TfliteGraph::add_input(std::int32_t place) {
  if (place < 0) invalid(file(), "", "an input of the graph is missing; convert the model again");
  const TfliteTensor& from = tensor(place);
  const bool is_whole = from.scales.empty() && (from.type == TfliteType::I32 || from.type == TfliteType::I64);
  GraphWriter::add_input(from.name, from.shape, {}, is_whole);
  names_[place] = from.name;
}

void TfliteGraph::write_operator(const TfliteOperator& op) {
  if (op.outputs.empty() || op.outputs[0] < 0) invalid(file(), "", "an operator has no output; convert it again");
  if (operators_left_-- == 0) refuse(ErrorCode::Limit, file(), "", "its loops have more operators than the file bytes");
  now_ = tensor(op.outputs[0]).name;
  for (const std::int32_t place : op.outputs)
    leaves_rounding_out_ = leaves_rounding_out_ || (place >= 0 && !tensor(place).scales.empty());
  TfliteWriter(*this, op).write();
}

OnnxGraph TfliteGraph::write_body(std::int32_t place, std::map<std::int32_t, std::string>& names,
                                  const std::vector<std::int32_t>& wanted) {
  OnnxGraph body;
  const TfliteSubgraph* const around = std::exchange(graph_, &graph(place));
  std::vector<OnnxNode>* const nodes = std::exchange(nodes_, &body.nodes);
  names_.swap(names);
  const std::string now = now_;
  // Operators stand in the order in which they run, so that from the last to the first each is known to be needed.
  std::set<std::int32_t> needed(wanted.begin(), wanted.end());
  std::vector<const TfliteOperator*> operators;
  for (const TfliteOperator& op : graph_->operators | std::views::reverse) {
    if (std::ranges::none_of(op.outputs, [&](std::int32_t output) { return needed.contains(output); })) continue;
    operators.push_back(&op);
    needed.insert(op.inputs.begin(), op.inputs.end());
  }
  for (const TfliteOperator* op : operators | std::views::reverse) write_operator(*op);
  for (const std::int32_t each : wanted) value(each);
  names_.swap(names);
  now_ = now;
  nodes_ = nodes;
  graph_ = around;
  return body;
}

OnnxModel TfliteGraph::write() {
  for (const std::int32_t place : graph_->inputs) add_input(place);
  for (const TfliteOperator& op : graph_->operators) write_operator(op);
  for (const std::int32_t place : graph_->outputs) {
    if (place < 0) invalid(file(), "", "an output of the graph is missing; convert the model again");
    const std::string from = value(place), name = tensor(place).name;
    add_output(from, name);
  }
  return std::move(result_);
}

}  // namespace rnnc::files
