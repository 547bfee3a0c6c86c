// This class tells what a step of a loop does with a variable: it counts, or it writes one row of a tensor or one item
// of a list. TensorFlow's lists (TensorListReserve, TensorListSetItem) stand in files that keep TensorFlow's own
// operators, under the same names with Flex before them.
#pragma once

#include "import/tflite/graph.hpp"

namespace rnnc::files {

/// Returns the operator of a graph that gives a tensor; null where none does.
const TfliteOperator* producer_of(const TfliteSubgraph& graph, std::int32_t place);
/// Returns null for a tensor that is left out.
const TfliteTensor* tensor_at(const TfliteSubgraph& graph, std::int32_t place);
/// Returns -1 for an input that is left out.
std::int32_t input_of(const TfliteOperator& op, std::size_t i);
/// Returns the whole numbers of a constant; nothing for any other tensor.
std::optional<std::vector<std::int64_t>> numbers_of(const TfliteSubgraph& graph, std::int32_t place,
                                                    std::string_view file);
bool is_number(const TfliteSubgraph& graph, std::int32_t place, std::int64_t value, std::string_view file);
/// Returns the number that a list of one, [n], was made of, or the tensor itself.
std::int32_t behind_list(const TfliteSubgraph& graph, std::int32_t place);
/// Tells whether an operator is TensorFlow's of this name, such as TensorListReserve.
bool is_list_operator(const TfliteOperator* op, std::string_view name);
[[noreturn]] void refuse_loop(std::string_view file, const std::string& why);

class TfliteLoopBody {
 public:
  // A row that is written: the number of the step's, or row 0 at each step.
  enum class Row { OfStep, First };

  /// `op` is the loop, of graph `around`.
  TfliteLoopBody(const TfliteSubgraph& around, const TfliteOperator& op, const TfliteSubgraph& body,
                 std::string_view file)
      : around_(around), op_(op), body_(body), file_(file) {}

  /// Tells whether variable i counts the steps, by ones from 0.
  bool counts(std::size_t i) const;
  /// Returns what a step writes into its row of variable i, and into no other; nothing where it does something else.
  std::optional<std::int32_t> row_written(std::size_t i, Row row) const;
  /// Returns the tensor [...] that [1, ...] was made of; -1 for another.
  std::int32_t item_of(std::int32_t expanded) const;
  /// Returns how often the step reads or gives a tensor.
  std::int64_t readers(std::int32_t place) const;

 private:
  bool is_counter(std::int32_t place) const;
  bool is_next(std::int32_t place) const;
  bool is_row(std::int32_t index, Row row) const;
  bool is_begin(std::int32_t place, bool next, Row row) const;
  bool is_part(std::int32_t place, std::int32_t rows, bool before, Row row) const;

  const TfliteSubgraph& around_;
  const TfliteOperator& op_;
  const TfliteSubgraph& body_;
  std::string_view file_;
};

}  // namespace rnnc::files
