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

constexpr std::size_t kMostCopies = 64, kSlackBytes = std::size_t{1} << 20;  // of the file, as constants
constexpr int kFloat = 1, kInteger = 2, kText = 3, kGraph = 5, kIntegers = 7,
              kTexts = 8;                      // of AttributeProto.AttributeType
constexpr int kTensorF32 = 1, kTensorI64 = 7;  // of TensorProto.DataType
constexpr std::int64_t kOpset = 18;

void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

void put_field(std::string& to, unsigned number, std::string_view bytes) {
  put_varint(to, number << 3 | 2);
  put_varint(to, bytes.size());
  to += bytes;
}

template <class T>
std::string_view text_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

OnnxAttribute& NodeAttributes::add(const std::string& name, int type) {
  OnnxAttribute& attribute = all_[name];
  attribute.name = name;
  attribute.type = type;
  return attribute;
}
NodeAttributes& NodeAttributes::integer(const std::string& name, std::int64_t value) {
  add(name, kInteger).i = value;
  return *this;
}
NodeAttributes& NodeAttributes::real(const std::string& name, float value) {
  add(name, kFloat).f = value;
  return *this;
}
NodeAttributes& NodeAttributes::text(const std::string& name, const std::string& value) {
  add(name, kText).s = value;
  return *this;
}
NodeAttributes& NodeAttributes::integers(const std::string& name, std::vector<std::int64_t> values) {
  add(name, kIntegers).ints = std::move(values);
  return *this;
}
NodeAttributes& NodeAttributes::texts(const std::string& name, std::vector<std::string> values) {
  add(name, kTexts).strings = std::move(values);
  return *this;
}

NodeAttributes& NodeAttributes::graph(const std::string& name, OnnxGraph value) {
  add(name, kGraph).graph = std::make_shared<const OnnxGraph>(std::move(value));
  return *this;
}

TfliteGraph::TfliteGraph(TfliteModel model, std::size_t file_bytes, std::string_view file)
    : model_(std::move(model)),
      graph_(&model_.graphs.at(0)),
      file_(file),
      bytes_left_(kMostCopies * file_bytes + kSlackBytes),
      operators_left_(file_bytes) {
  result_.opset = kOpset;
}

std::string TfliteGraph::constant(Shape shape, int type, std::string_view bytes) {
  if (bytes.size() > bytes_left_)
    refuse(ErrorCode::Limit, file_, "", "its constants take more than 64 times the bytes of the file");
  bytes_left_ -= bytes.size();
  std::string dims, proto;
  for (const std::int64_t dim : shape) put_varint(dims, static_cast<std::uint64_t>(dim));
  if (!shape.empty()) put_field(proto, 1, dims);
  put_varint(proto, 2 << 3);
  put_varint(proto, static_cast<std::uint64_t>(type));
  put_field(proto, 9, bytes);
  const std::string name = fresh();
  result_.own.push_back(std::make_shared<const std::string>(std::move(proto)));
  result_.graph.initializers[name] = *result_.own.back();
  return name;
}

std::string TfliteGraph::floats(Shape shape, const std::vector<float>& values) {
  return constant(std::move(shape), kTensorF32, text_of(values));
}

std::string TfliteGraph::integers(Shape shape, const std::vector<std::int64_t>& values) {
  return constant(std::move(shape), kTensorI64, text_of(values));
}

std::string TfliteGraph::value(std::int32_t place) {
  if (place < 0) return "";
  const auto found = names_.find(place);
  if (found != names_.end()) return found->second;
  const TfliteTensor& from = tensor(place);
  if (!from.data)
    invalid(file_, "tensor " + in_quotes(from.name),
            from.is_variable ? "is a state that no recurrent operator has" : "is read before an operator gives it");
  const bool is_whole = from.scales.empty() && (from.type == TfliteType::I32 || from.type == TfliteType::I64);
  return names_[place] =
             is_whole ? integers(from.shape, integers_of(from, file_)) : floats(from.shape, floats_of(from, file_));
}

std::string TfliteGraph::node(const std::string& op, std::vector<std::string> inputs, const NodeAttributes& attributes,
                              const std::string& domain) {
  const std::string name = nodes(op, std::move(inputs), 1, attributes)[0];
  nodes_->back().domain = domain;
  return name;
}

std::vector<std::string> TfliteGraph::nodes(const std::string& op, std::vector<std::string> inputs, std::size_t outputs,
                                            const NodeAttributes& attributes) {
  OnnxNode node;
  node.name = now_;
  node.op = op;
  node.inputs = std::move(inputs);
  for (std::size_t i = 0; i < outputs; ++i) node.outputs.push_back(fresh());
  node.attributes = attributes.all();
  nodes_->push_back(std::move(node));
  return nodes_->back().outputs;
}

void TfliteGraph::add_input(std::int32_t place) {
  if (place < 0) invalid(file_, "", "an input of the graph is missing; convert the model again");
  const TfliteTensor& from = tensor(place);
  OnnxInput input;
  for (const std::int64_t dim : from.shape) input.dims.push_back(dim < 1 ? -1 : dim);
  input.names.assign(input.dims.size(), "");
  input.has_shape = true;
  const bool is_whole = from.scales.empty() && (from.type == TfliteType::I32 || from.type == TfliteType::I64);
  input.type = is_whole ? kTensorI64 : kTensorF32;
  result_.graph.inputs.push_back(from.name);
  result_.graph.details[from.name] = std::move(input);
  names_[place] = from.name;
}

void TfliteGraph::write_operator(const TfliteOperator& op) {
  if (op.outputs.empty() || op.outputs[0] < 0) invalid(file_, "", "an operator has no output; convert it again");
  if (operators_left_-- == 0) refuse(ErrorCode::Limit, file_, "", "its loops have more operators than the file bytes");
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
    if (place < 0) invalid(file_, "", "an output of the graph is missing; convert the model again");
    const std::string from = value(place), name = tensor(place).name;
    now_ = name;
    OnnxNode identity;
    identity.name = identity.op = "Identity";
    identity.inputs = {from};
    identity.outputs = {std::ranges::find(result_.graph.inputs, name) == result_.graph.inputs.end() ? name
                                                                                                    : name + "_"};
    result_.graph.outputs.push_back(identity.outputs[0]);
    result_.graph.nodes.push_back(std::move(identity));
  }
  return std::move(result_);
}

}  // namespace rnnc::files
