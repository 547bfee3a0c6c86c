// A TensorFlow Lite file becomes structs: the tensors and operators of its graph, and of the graphs that its loops
// name, with the numbers of TensorFlow's schema.fbs. The data of a tensor stay in the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/tensor.hpp>
#include "import/tflite/flat_table.hpp"

namespace rnnc::files {

/// TensorType of the schema.
enum class TfliteType : std::uint8_t {
  F32 = 0,
  F16 = 1,
  I32 = 2,
  U8 = 3,
  I64 = 4,
  Bool = 6,
  I16 = 7,
  I8 = 9,
  F64 = 10,
  Resource = 13,  // of a variable, its handle
  Variant = 14    // a list of tensors
};

struct TfliteTensor {
  std::string name;
  Shape shape;  // as declared: a dim that is open has -1
  TfliteType type = TfliteType::F32;
  bool is_variable = false;  // a state, which begins with 0
  std::optional<std::string_view> data;
  std::vector<float> scales;  // of integers that stand for floats: one, or one for each place of a dim
  std::vector<std::int64_t> zero_points;
  std::size_t scaled_dim = 0;
};

/// BuiltinOperator of the schema. A file may have numbers that are none of these.
enum class TfliteOp : std::int32_t {
#define TFLITE_OPERATOR(enumerator, number, options, name) enumerator = number,
#include "import/tflite/operators.def"
};

// The fields of a loop's options that name its graphs.
constexpr std::size_t kCondition = 0, kBody = 1;
// The field of CALL_ONCE that names its graph.
constexpr std::size_t kFirstCall = 0;

/// Returns the name that the schema has for an operator, or its number.
std::string name(TfliteOp op);

struct TfliteOperator {
  TfliteOp code{};
  std::string custom;                         // the name of an operator that is not built in
  std::vector<std::int32_t> inputs, outputs;  // places in the list of tensors; -1 for one that is left out
  std::optional<FlatTable> options;

  /// Returns a number of the options.
  template <class T>
  T option(std::size_t field, T standard) const {
    return options ? options->number<T>(field, standard) : standard;
  }
};

struct TfliteSubgraph {
  std::vector<TfliteTensor> tensors;
  std::vector<TfliteOperator> operators;
  std::vector<std::int32_t> inputs, outputs;
};

/// The graphs by their place in the file; those that no operator names are not there.
struct TfliteModel {
  std::map<std::int32_t, TfliteSubgraph> graphs;
};

/// Throws Refusal.
TfliteModel parse_tflite(std::string_view content, std::string_view file);

/// Returns the elements of a tensor with data as floats, or as whole numbers. Integers that stand for floats are
/// multiplied by their scale. Throws Refusal.
std::vector<float> floats_of(const TfliteTensor& tensor, std::string_view file);
std::vector<std::int64_t> integers_of(const TfliteTensor& tensor, std::string_view file);

}  // namespace rnnc::files
