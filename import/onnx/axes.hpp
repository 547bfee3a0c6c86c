// The dims of an ONNX value, symbolically: an axis is a product of atoms, each a number, the time T or the batch B. A
// network has neither T nor B, so a value keeps where they stand, and a reshape by ONNX's row-major order regroups the
// atoms or is refused.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rnnc/tensor.hpp>

namespace rnnc::files {

using rnnc::to_string;  // of a Shape, beside that of Axes

struct Atom {
  char symbol = 0;        // 'T' or 'B'; 0 for a number
  std::int64_t size = 1;  // the number, 2 or more; of a symbol what the file declares, 0 for nothing
  friend bool operator==(const Atom&, const Atom&) = default;
};

/// One dim. Its atoms stand in row-major order; no atom is 1, and no two numbers stand side by side.
struct Axis {
  std::vector<Atom> atoms;

  static Axis of(std::int64_t size) { return size == 1 ? Axis{} : Axis{{{0, size}}}; }
  static Axis of(char symbol, std::int64_t declared) { return {{{symbol, declared}}}; }

  std::int64_t fixed() const;  // the product of its numbers
  bool is_number() const { return atoms.empty() || (atoms.size() == 1 && atoms[0].symbol == 0); }
  bool is(char symbol) const { return atoms.size() == 1 && atoms[0].symbol == symbol; }
  bool is_one() const { return atoms.empty(); }
  bool has(char symbol) const;
  friend bool operator==(const Axis&, const Axis&) = default;
};

using Axes = std::vector<Axis>;

bool has(const Axes& axes, char symbol);
std::int64_t fixed(const Axes& axes);  // the number of elements of one step of one sequence
std::vector<std::int64_t> fixed_shape(const Axes& axes);
std::vector<std::int64_t> strides_of(const Axes& axes);  // row-major, over the numbers
std::string to_string(const Axes& axes);                 // "[T,B,8]", for messages

/// A whole number that may depend on T and B: a polynomial.
class Count {
 public:
  Count() = default;
  Count(std::int64_t number) { add({0, 0}, number); }  // NOLINT: numbers are counts
  static Count of(const Axis& axis);

  std::optional<std::int64_t> number() const;  // nullopt if T or B are in it
  Count operator+(const Count& other) const;
  Count operator-(const Count& other) const;
  Count operator*(const Count& other) const;
  std::optional<Count> divided_by(const Count& other) const;  // nullopt if that is no polynomial of one term
  friend bool operator==(const Count&, const Count&) = default;

  struct Term {
    std::int64_t factor = 0;
    int times = 0, batches = 0;  // the powers of T and B
  };
  std::optional<Term> term() const;  // nullopt if there are several

 private:
  void add(std::pair<int, int> powers, std::int64_t factor);

  std::map<std::pair<int, int>, std::int64_t> terms_;
};

/// Regroups the atoms of `axes` to dims of these sizes; nullopt in `to` is the dim that takes what is left, -1 in ONNX.
/// Returns nullopt if a dim of the result is no product of neighbouring atoms.
std::optional<Axes> regroup(const Axes& axes, const std::vector<std::optional<Count>>& to);

/// Returns the axes to which both broadcast; nullopt if they differ in more than dims of 1.
std::optional<Axes> broadcast(const Axes& a, const Axes& b);

/// Returns for each element of `to`, in row-major order, the element of `from` that broadcasts to it.
std::vector<std::int64_t> spread(const Axes& from, const Axes& to);

}  // namespace rnnc::files
