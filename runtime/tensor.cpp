// This file implements include/rnnc/tensor.hpp; the conversions are in convert.cpp.
#include <rnnc/default_float_environment.hpp>
#include <rnnc/tensor.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/convert.hpp"

namespace rnnc {

std::size_t size_bytes(ElementType type) {
  switch (type) {
    case ElementType::F64:
    case ElementType::I64:
    case ElementType::U64: return 8;
    case ElementType::F32:
    case ElementType::I32:
    case ElementType::U32: return 4;
    case ElementType::F16:
    case ElementType::BF16:
    case ElementType::I16:
    case ElementType::U16: return 2;
    case ElementType::I8:
    case ElementType::U8:
    case ElementType::Bool: return 1;
  }
  return 0;
}

std::string_view name(ElementType type) {
  switch (type) {
    case ElementType::F64: return "F64";
    case ElementType::F32: return "F32";
    case ElementType::F16: return "F16";
    case ElementType::BF16: return "BF16";
    case ElementType::I64: return "I64";
    case ElementType::I32: return "I32";
    case ElementType::I16: return "I16";
    case ElementType::I8: return "I8";
    case ElementType::U64: return "U64";
    case ElementType::U32: return "U32";
    case ElementType::U16: return "U16";
    case ElementType::U8: return "U8";
    case ElementType::Bool: return "BOOL";
  }
  return "?";
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(shape[i]);
  }
  return text + ']';
}

std::int64_t Tensor::elements() const {
  // A zero is looked for first: [2^40,2^40,0] has no elements, but the product of its other dims overflows.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::int64_t product = 1;
  for (const std::int64_t dim : shape) product *= dim;
  return product;
}

Tensor Tensor::from_f32(Shape shape, const std::vector<float>& values) {
  Tensor tensor{ElementType::F32, std::move(shape), {}};
  if (tensor.elements() != static_cast<std::int64_t>(values.size())) {
    std::fprintf(stderr, "rnnc: Tensor::from_f32: %zu values for shape %s\n", values.size(),
                 to_string(tensor.shape).c_str());
    std::abort();
  }
  tensor.bytes.resize(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

std::vector<float> Tensor::to_f32() const {
  const DefaultFloatEnvironment environment;
  std::vector<float> values(bytes.size() / size_bytes(type));
  convert_to_f32(type, bytes.data(), values.size(), values.data());
  return values;
}

}  // namespace rnnc
