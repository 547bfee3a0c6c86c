// A value of an ONNX graph that depends on the graph's inputs. Its dims may hold the time and the batch, which a
// network does not have; the rest of it is a list of elements, each a feature of a value of the text or a constant. So
// whatever moves elements only permutes this list, exactly, and the text is written where something is computed of
// them.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "import/onnx/axes.hpp"

namespace rnnc::files {

/// A feature `index` of the text's value `source`, or the constant with the bits `index` where source is -1.
struct Element {
  std::int32_t source = -1;
  std::int32_t index = 0;

  static Element of(float constant) { return {-1, std::bit_cast<std::int32_t>(constant)}; }
  bool is_constant() const { return source < 0; }
  bool is_zero() const { return source < 0 && constant() == 0; }
  float constant() const { return std::bit_cast<float>(index); }
  friend auto operator<=>(const Element&, const Element&) = default;
};

using Elements = std::vector<Element>;

constexpr std::int64_t kMostElements = std::int64_t{1} << 20;  // of a value

struct OnnxValue {
  Axes axes;
  Elements elements;  // of one step of one sequence: row-major over the numbers among the axes
  bool integer = false;
  bool wraps = false;                              // integers, narrow or without a sign: ONNX computes modulo 2^n
  bool turned = false;                             // the steps stand in reverse
  std::int64_t zeros_before = 0, zeros_after = 0;  // steps of zeros around the time, which only a convolution takes
};

/// Returns the value with the time or the batch where it has, along a dim, as many equal elements as the file declares
/// of them: exporters write constants for the batch of their example. `to` has the dims beside it, the last with the
/// last.
OnnxValue with_symbols(OnnxValue value, const Axes& to);

/// Returns the value without all but the first place of a dim; nullopt if the places differ.
std::optional<OnnxValue> first_of_equal(const OnnxValue& value, std::size_t axis);

}  // namespace rnnc::files
