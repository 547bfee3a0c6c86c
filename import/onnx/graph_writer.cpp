#include "import/onnx/graph_writer.hpp"

#include <algorithm>
#include <utility>

#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kMostCopies = 64, kSlackBytes = std::size_t{1} << 20;  // of the file, as constants
constexpr int kFloat = 1, kInteger = 2, kText = 3, kGraph = 5, kFloats = 6, kIntegers = 7,
              kTexts = 8;                      // of AttributeProto.AttributeType
constexpr int kTensorF32 = 1, kTensorI64 = 7;  // of TensorProto.DataType
constexpr std::int64_t kOpset = 18;
const std::string kFresh = "value ";  // the names of values begin so

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
std::string_view data_of(const std::vector<T>& values) {
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
NodeAttributes& NodeAttributes::reals(const std::string& name, std::vector<float> values) {
  add(name, kFloats).floats = std::move(values);
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

GraphWriter::GraphWriter(std::size_t file_bytes, std::string_view file)
    : file_(file), bytes_left_(kMostCopies * file_bytes + kSlackBytes) {
  result_.opset = kOpset;
}

std::string GraphWriter::fresh() {
  std::string name;
  do name = kFresh + std::to_string(next_++);
  while (result_.graph.details.contains(name));
  return name;
}

std::string GraphWriter::constant(const Shape& shape, int type, std::string_view bytes) {
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

std::string GraphWriter::floats(const Shape& shape, const std::vector<float>& values) {
  return constant(shape, kTensorF32, data_of(values));
}

std::string GraphWriter::integers(const Shape& shape, const std::vector<std::int64_t>& values) {
  return constant(shape, kTensorI64, data_of(values));
}

std::string GraphWriter::node(const std::string& op, std::vector<std::string> inputs, const NodeAttributes& attributes,
                              const std::string& domain) {
  return nodes(op, std::move(inputs), 1, attributes, domain)[0];
}

std::vector<std::string> GraphWriter::nodes(const std::string& op, std::vector<std::string> inputs, std::size_t outputs,
                                            const NodeAttributes& attributes, const std::string& domain) {
  OnnxNode node;
  node.name = now_;
  node.op = op;
  node.domain = domain;
  node.inputs = std::move(inputs);
  for (std::size_t i = 0; i < outputs; ++i) node.outputs.push_back(fresh());
  node.attributes = attributes.all();
  nodes_->push_back(std::move(node));
  return nodes_->back().outputs;
}

void GraphWriter::add_input(const std::string& name, const Shape& dims, const std::vector<std::string>& names,
                            bool is_whole) {
  OnnxInput input;
  for (const std::int64_t dim : dims) input.dims.push_back(dim < 1 ? -1 : dim);
  input.names = names;
  input.names.resize(dims.size());
  input.has_shape = true;
  input.type = is_whole ? kTensorI64 : kTensorF32;
  result_.graph.inputs.push_back(name);
  result_.graph.details[name] = std::move(input);
}

void GraphWriter::add_output(const std::string& from, const std::string& name) {
  OnnxNode identity;
  identity.name = identity.op = "Identity";
  identity.inputs = {from};
  std::string own = name.starts_with(kFresh) ? "_" + name : name;
  while (std::ranges::count(result_.graph.inputs, own) + std::ranges::count(result_.graph.outputs, own) > 0) own += "_";
  identity.outputs = {own};
  result_.graph.outputs.push_back(own);
  result_.graph.nodes.push_back(std::move(identity));
}

}  // namespace rnnc::files
