#include "import/tflite/graph.hpp"

#include <algorithm>
#include <ranges>
#include <set>
#include <span>
#include <utility>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

bool is_whole(const TfliteTensor& tensor) {
  return tensor.scales.empty() && (tensor.type == TfliteType::I32 || tensor.type == TfliteType::I64);
}

}  // namespace

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
  return names_[place] = constant(from);
}

std::string TfliteGraph::constant(const TfliteTensor& from) {
  return is_whole(from) ? integers(from.shape, integers_of(from, file())) : floats(from.shape, floats_of(from, file()));
}

const TfliteTensor* TfliteGraph::held(const std::string& handle) const {
  if (!held_) return nullptr;
  const auto found = held_->find(handle);
  return found == held_->end() ? nullptr : found->second;
}

// Keras gives its Embedding floats, which the graph casts to whole numbers first. An input that is read by such casts
// alone has whole numbers, as one of integers has them.
std::set<std::int32_t> TfliteGraph::read_as_whole() const {
  std::set<std::int32_t> cast, others(graph_->outputs.begin(), graph_->outputs.end());
  for (const TfliteOperator& op : graph_->operators) {
    const bool casts = op.code == TfliteOp::Cast && !op.outputs.empty() && op.outputs[0] >= 0;
    (casts && is_whole(tensor(op.outputs[0])) ? cast : others).insert(op.inputs.begin(), op.inputs.end());
  }
  std::erase_if(cast, [&](std::int32_t place) { return others.contains(place); });
  return cast;
}

void TfliteGraph::add_input(std::int32_t place, bool whole) {
  if (place < 0) invalid(file(), "", "an input of the graph is missing; convert the model again");
  const TfliteTensor& from = tensor(place);
  GraphWriter::add_input(from.name, from.shape, {}, whole || is_whole(from));
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

// Operators stand in the order in which they run, so that from the last to the first each is known to be needed.
void TfliteGraph::write_operators(const std::vector<std::int32_t>& wanted) {
  std::set<std::int32_t> needed(wanted.begin(), wanted.end());
  std::vector<const TfliteOperator*> operators;
  for (const TfliteOperator& op : graph_->operators | std::views::reverse) {
    if (std::ranges::none_of(op.outputs, [&](std::int32_t output) { return needed.contains(output); })) continue;
    operators.push_back(&op);
    needed.insert(op.inputs.begin(), op.inputs.end());
  }
  for (const TfliteOperator* op : operators | std::views::reverse) write_operator(*op);
}

OnnxGraph TfliteGraph::write_body(std::int32_t place, std::map<std::int32_t, std::string>& names,
                                  const std::vector<std::int32_t>& wanted) {
  OnnxGraph body;
  const TfliteSubgraph* const around = std::exchange(graph_, &graph(place));
  std::vector<OnnxNode>* const nodes = std::exchange(nodes_, &body.nodes);
  names_.swap(names);
  const std::string now = now_;
  write_operators(wanted);
  for (const std::int32_t each : wanted) value(each);
  names_.swap(names);
  now_ = now;
  nodes_ = nodes;
  graph_ = around;
  return body;
}

OnnxModel TfliteGraph::write() {
  const std::set<std::int32_t> whole = read_as_whole();
  for (const std::int32_t place : graph_->inputs) add_input(place, whole.contains(place));
  write_operators(graph_->outputs);
  for (const std::int32_t place : graph_->outputs) {
    if (place < 0) invalid(file(), "", "an output of the graph is missing; convert the model again");
    const std::string from = value(place), name = tensor(place).name;
    add_output(from, name);
  }
  return std::move(result_);
}

}  // namespace rnnc::files
