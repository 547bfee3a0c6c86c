// A dim is an integer, a name that is bound at compile time, or a sum or product of dims (`4*H`, `I + H`). It is kept
// as a polynomial with integer coefficients in a fixed order of terms, so equal dims compare equal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rnnc::ir {

using DimBindings = std::map<std::string, std::int64_t>;

inline constexpr std::size_t kMaxDimSize = 64;

class Dim;
using DimValues = std::map<std::string, Dim>;

class Dim {
 public:
  Dim(std::int64_t value = 0);
  static Dim symbol(std::string name);

  bool is_constant() const;
  std::int64_t value() const;  // of a constant dim

  /// Replaces the names that `bindings` has; the others stay. Sums and products saturate at +-2^62, far past every
  /// limit.
  Dim substitute(const DimBindings& bindings) const;

  /// Replaces names by dims. A result that grows past kMaxDimSize is cut short, so callers check its size().
  Dim replace(const DimValues& values) const;

  /// Returns the value of `name` with which this dim is `value`; nullopt if the dim is no multiple of the name plus
  /// other terms, or if the value would be no whole dim or grow past kMaxDimSize.
  std::optional<Dim> solve(const std::string& name, const Dim& value) const;

  /// Returns the dim that times `divisor` is this one; nullopt if there is none, or if one grows past kMaxDimSize.
  std::optional<Dim> divide(const Dim& divisor) const;

  /// Returns the name if the dim is `coefficient * name + offset` with one name, to the first power; otherwise "".
  std::string linear_symbol() const;
  std::vector<std::string> symbols() const;

  /// Returns the number of terms and names. Text may come from an attacker, so its readers refuse a dim above
  /// kMaxDimSize.
  std::size_t size() const;

  std::string to_string() const;  // text that the parser reads back as the same dim

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  friend bool operator==(const Dim&, const Dim&) = default;

 private:
  // Each entry is a term: its sorted names, repeated for powers, and its coefficient, which is never 0. The constant
  // term has no names.
  std::map<std::vector<std::string>, std::int64_t> terms_;
};

}  // namespace rnnc::ir
