#include "import/dnn_blob.hpp"

#include <algorithm>
#include <cstring>

#include "import/file_error.hpp"
#include "import/refusal.hpp"
#include "import/scaled_integers.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kHeadBytes = 64, kNameAt = 20, kNameBytes = 44;
constexpr std::int64_t kBlockOutputs = 8, kBlockInputs = 4;
// A sparse matrix is written out in full, so that a small file could ask for much. RNNoise has 1024 units at the most.
constexpr std::size_t kMostElements = std::size_t{1} << 22;
// Integers multiply inputs in steps of 1/127, and the scales of a file are of the products.
constexpr double kSteps = 127;

std::int32_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  std::int32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

using Arrays = std::map<std::string, TensorView>;

const TensorView* find(const Arrays& arrays, const std::string& name, ElementType type, std::string_view file) {
  const auto found = arrays.find(name);
  if (found == arrays.end()) return nullptr;
  if (found->second.type != type)
    invalid(
        file, name,
        "is of " + std::string(rnnc::name(found->second.type)) + " but must be of " + std::string(rnnc::name(type)));
  return &found->second;
}

const TensorView& get(const Arrays& arrays, const std::string& name, ElementType type, std::int64_t size,
                      std::string_view file) {
  const TensorView* found = find(arrays, name, type, file);
  if (found == nullptr) invalid(file, name, "is missing; write the weights again");
  if (found->elements() != size)
    invalid(file, name, "has " + std::to_string(found->elements()) + " numbers but must have " + std::to_string(size));
  return *found;
}

// The places at which the elements of an array stand in the matrix [outputs, inputs].
struct Order {
  std::vector<std::int64_t> places;
  std::int64_t inputs = 0, outputs = 0;
};

// Floats of a dense matrix stand input by input; integers in blocks of 8 outputs and 4 inputs.
Order dense_order(std::int64_t inputs, std::int64_t outputs, bool integers) {
  Order order{{}, inputs, outputs};
  if (!integers) {
    for (std::int64_t i = 0; i < inputs; ++i)
      for (std::int64_t o = 0; o < outputs; ++o) order.places.push_back(o * inputs + i);
    return order;
  }
  for (std::int64_t o = 0; o < outputs; o += kBlockOutputs)
    for (std::int64_t i = 0; i < inputs; i += kBlockInputs)
      for (std::int64_t row = 0; row < kBlockOutputs; ++row)
        for (std::int64_t column = 0; column < kBlockInputs; ++column)
          order.places.push_back((o + row) * inputs + i + column);
  return order;
}

// For each 8 outputs the list has a number of blocks, and for each block its first input. Within a block floats stand
// input by input, integers output by output.
Order sparse_order(const std::vector<double>& list, std::int64_t inputs, std::int64_t outputs, bool integers,
                   std::string_view file, const std::string& name) {
  Order order{{}, inputs, outputs};
  std::size_t next = 0;
  for (std::int64_t o = 0; o < outputs; o += kBlockOutputs) {
    if (next == list.size()) invalid(file, name, "ends before the last of " + std::to_string(outputs) + " outputs");
    const double count = list[next++];
    if (count < 0 || count > static_cast<double>(list.size() - next))
      invalid(file, name,
              "tells " + std::to_string(static_cast<std::int64_t>(count)) +
                  " blocks, which it does not have; write the weights again");
    std::int64_t before = -kBlockInputs;
    for (auto block = static_cast<std::int64_t>(count); block > 0; --block) {
      const auto i = static_cast<std::int64_t>(list[next++]);
      if (i < before + kBlockInputs || i % kBlockInputs != 0 || i + kBlockInputs > inputs)
        invalid(file, name,
                "has a block at input " + std::to_string(i) +
                    ", where none may be; blocks are in order, at multiples of 4 below " + std::to_string(inputs));
      before = i;
      const std::int64_t outer = integers ? kBlockOutputs : kBlockInputs,
                         inner = integers ? kBlockInputs : kBlockOutputs;
      for (std::int64_t a = 0; a < outer; ++a)
        for (std::int64_t b = 0; b < inner; ++b)
          order.places.push_back((o + (integers ? a : b)) * inputs + i + (integers ? b : a));
    }
  }
  if (next != list.size()) invalid(file, name, "has more than its " + std::to_string(outputs) + " outputs need");
  return order;
}

// An element that no block holds is 0.
TensorView arranged(const TensorView& stored, const Order& order) {
  const std::size_t size = size_bytes(stored.type);
  std::vector<std::byte> bytes(static_cast<std::size_t>(order.inputs * order.outputs) * size);
  for (std::size_t k = 0; k < order.places.size(); ++k)
    std::memcpy(bytes.data() + static_cast<std::size_t>(order.places[k]) * size, stored.bytes.data() + k * size, size);
  return TensorView::own(stored.type, {order.outputs, order.inputs}, std::move(bytes));
}

}  // namespace

Arrays read_dnn_blob(const FileContent& content, std::string_view file) {
  Arrays arrays;
  std::span<const std::byte> rest = content.bytes();
  while (!rest.empty()) {
    const std::string what = "array " + std::to_string(arrays.size());
    if (rest.size() < kHeadBytes || std::memcmp(rest.data(), kDnnHead.data(), kDnnHead.size()) != 0)
      invalid(file, what, "does not begin with a head of 64 bytes and \"DNNw\"; copy the file again");
    const std::int32_t version = number_at(rest, 4), type = number_at(rest, 8), size = number_at(rest, 12),
                       block = number_at(rest, 16);
    const char* const name = reinterpret_cast<const char*>(rest.data()) + kNameAt;
    if (name[kNameBytes - 1] != '\0') invalid(file, what, "has a name without an end");
    if (version != 0) unsupported(file, name, "is of version " + std::to_string(version) + "; known is 0");
    if (size < 1 || block < size || static_cast<std::size_t>(block) > rest.size() - kHeadBytes)
      invalid(file, name,
              "has " + std::to_string(size) + " bytes in a block of " + std::to_string(block) + ", but the file has " +
                  std::to_string(rest.size() - kHeadBytes) + "; copy it again");
    constexpr ElementType kTypes[] = {ElementType::F32, ElementType::I32, ElementType::I8, ElementType::I8};
    if (type < 0 || type >= std::ssize(kTypes))
      unsupported(file, name, "is of type " + std::to_string(type) + "; known are 0 to 3");
    const std::size_t element = size_bytes(kTypes[type]), bytes = static_cast<std::size_t>(size);
    if (bytes % element != 0) invalid(file, name, "has " + std::to_string(size) + " bytes, no whole numbers");
    TensorView view{
        kTypes[type], {static_cast<std::int64_t>(bytes / element)}, rest.subspan(kHeadBytes, bytes), nullptr, &content};
    if (!arrays.emplace(name, std::move(view)).second) invalid(file, name, "stands there twice; keep one");
    rest = rest.subspan(kHeadBytes + static_cast<std::size_t>(block));
  }
  return arrays;
}

std::int64_t dnn_outputs(const Arrays& arrays, const std::string& name, std::string_view file) {
  const TensorView* bias = find(arrays, name + "_bias", ElementType::F32, file);
  if (bias == nullptr) invalid(file, name + "_bias", "is missing; write the weights again");
  return bias->elements();
}

DnnLayer read_dnn_layer(const Arrays& arrays, const std::string& name, std::int64_t inputs, std::string_view file) {
  DnnLayer layer;
  const std::int64_t outputs = dnn_outputs(arrays, name, file);
  layer.bias = get(arrays, name + "_bias", ElementType::F32, outputs, file).to_f32();
  const std::string weights = name + "_weights", kind = arrays.contains(weights + "_float") ? "_float" : "_int8";
  layer.integers = kind == "_int8";
  const ElementType type = layer.integers ? ElementType::I8 : ElementType::F32;
  const TensorView* list = find(arrays, weights + "_idx", ElementType::I32, file);
  if ((list != nullptr || layer.integers) && outputs % kBlockOutputs != 0)
    invalid(file, weights + kind, "has blocks of 8 outputs, but there are " + std::to_string(outputs));
  if (layer.integers && inputs % kBlockInputs != 0)
    invalid(file, weights + kind, "has blocks of 4 inputs, but there are " + std::to_string(inputs));
  if (static_cast<std::size_t>(inputs) > kMostElements / static_cast<std::size_t>(outputs))
    refuse(ErrorCode::Limit, file, weights + kind, "has more than 4 million weights; RNNoise has fewer");
  if (list == nullptr) static_cast<void>(get(arrays, weights + kind, type, inputs * outputs, file));
  const Order order = list == nullptr
                          ? dense_order(inputs, outputs, layer.integers)
                          : sparse_order(doubles_of(*list), inputs, outputs, layer.integers, file, weights + "_idx");
  layer.matrix = arranged(get(arrays, weights + kind, type, std::ssize(order.places), file), order);
  if (layer.integers) {
    std::vector<double> scales = doubles_of(get(arrays, name + "_scale", ElementType::F32, outputs, file));
    if (const std::optional<std::string> fault = fault_of(scales)) invalid(file, name + "_scale", *fault);
    for (double& scale : scales) scale *= kSteps;
    const auto columns = static_cast<std::size_t>(inputs);
    layer.matrix = floats_of(layer.matrix, {scales, std::vector<double>(scales.size(), 0),
                                            [columns](std::size_t element) { return element / columns; }});
  }
  if (arrays.contains(weights + "_diag"))
    layer.diagonal = get(arrays, weights + "_diag", ElementType::F32, outputs, file).to_f32();
  return layer;
}

}  // namespace rnnc::files
