// The ranges that `rnnc calibrate` has measured go from its file into the options of a compilation.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

namespace RNNC_API rnnc {

/// The ranges of vectors that matrices multiply, for formats of integers (WeightFormat). A vector in a range has a
/// scale that is a constant; a product with a value beyond the range is NaN.
struct Ranges {
  std::string model;                    // tells a model and its weights from others; "" where there are no ranges
  double margin = 1;                    // a bound over the largest magnitude that was measured
  std::map<std::string, float> bounds;  // value, such as "x" or "encoder.h" -> it stays within -bound to bound

  bool empty() const { return model.empty(); }
  friend bool operator==(const Ranges&, const Ranges&) = default;
};

/// Reads the text of a file of ranges; docs/formats.md describes it. Errors: InvalidData, with `file` as its place.
Result<Ranges> parse_ranges(std::string_view text, std::string_view file = "<text>");

/// Returns the text of a file of ranges, which parse_ranges reads back.
std::string to_text(const Ranges& ranges);

}  // namespace rnnc
