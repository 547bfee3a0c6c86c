// These functions write ONNX files field by field, so that a test can write each of them wrongly.
#pragma once

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace rnnc::test::onnx {

using Dims = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

inline std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>((value & 0x7f) | 0x80);
  return text + static_cast<char>(value);
}
inline std::string key(int field, int wire) {
  return varint(static_cast<std::uint64_t>(field) << 3 | static_cast<unsigned>(wire));
}
inline std::string number(int field, std::int64_t value) {
  return key(field, 0) + varint(static_cast<std::uint64_t>(value));
}
inline std::string bytes(int field, const std::string& content) {
  return key(field, 2) + varint(content.size()) + content;
}
inline std::string raw(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}
inline std::string real(int field, float value) { return key(field, 5) + raw({value}); }

// Attributes, each as the node's field 5.
inline std::string attribute(const std::string& name, int type, const std::string& value) {
  return bytes(5, bytes(1, name) + value + number(20, type));
}
inline std::string integer(const std::string& name, std::int64_t value) { return attribute(name, 2, number(3, value)); }
inline std::string real(const std::string& name, float value) { return attribute(name, 1, real(2, value)); }
inline std::string text(const std::string& name, const std::string& value) {
  return attribute(name, 3, bytes(4, value));
}
inline std::string texts(const std::string& name, const Names& values) {
  std::string all;
  for (const std::string& value : values) all += bytes(9, value);
  return attribute(name, 8, all);
}
inline std::string reals(const std::string& name, const std::vector<float>& values) {
  std::string all;
  for (const float value : values) all += real(7, value);
  return attribute(name, 6, all);
}
inline std::string integers(const std::string& name, const Dims& values) {
  std::string all;
  for (const std::int64_t value : values) all += number(8, value);
  return attribute(name, 7, all);
}

/// The graph's field 1.
inline std::string node(const std::string& op, const Names& inputs, const Names& outputs,
                        const std::string& attributes = "") {
  std::string content;
  for (const std::string& input : inputs) content += bytes(1, input);
  for (const std::string& output : outputs) content += bytes(2, output);
  return bytes(1, content + bytes(3, "n_" + outputs.at(0)) + bytes(4, op) + attributes);
}

/// The content of a TensorProto; `type` 1 is float, 7 int64.
inline std::string tensor(const std::string& name, const Dims& dims, const std::string& data, int type = 1) {
  std::string content;
  for (const std::int64_t dim : dims) content += number(1, dim);
  return content + number(2, type) + bytes(8, name) + bytes(9, data);
}
inline std::string zeros(const Dims& dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) count *= dim;
  return std::string(static_cast<std::size_t>(count) * sizeof(float), '\0');
}
inline std::string whole(const Dims& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(std::int64_t)};
}
/// The graph's field 5.
inline std::string initializer(const std::string& name, const Dims& dims) {
  return bytes(5, tensor(name, dims, zeros(dims)));
}
inline std::string initializer(const std::string& name, const Dims& dims, const Dims& values) {
  return bytes(5, tensor(name, dims, whole(values), 7));
}

/// A ValueInfoProto, of floats unless `type` is another TensorProto.DataType; -1 for a dim by name.
inline std::string value(const std::string& name, const Dims& dims, int type = 1) {
  std::string shape;
  for (const std::int64_t dim : dims) shape += bytes(1, dim < 0 ? bytes(2, "N") : number(1, dim));
  return bytes(1, name) + bytes(2, bytes(1, number(1, type) + bytes(2, shape)));
}
inline std::string input(const std::string& name, const Dims& dims, int type = 1) {
  return bytes(11, value(name, dims, type));
}
inline std::string output(const std::string& name) { return bytes(12, bytes(1, name)); }

inline std::string model(const std::string& graph, std::int64_t opset = 14) {
  return number(1, 8) + bytes(7, graph) + bytes(8, number(2, opset));
}

}  // namespace rnnc::test::onnx
