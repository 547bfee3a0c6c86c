// A matrix or vector that is joined and cut from others is taken apart into windows of these.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.hpp"

namespace rnnc::compiler {

/// A window of a matrix: `rows` rows from `row` on, and `columns` columns from `column` on. A vector has one column, a
/// scalar one element.
struct MatrixWindow {
  ir::Value matrix;
  std::int64_t row = 0, rows = 0, column = 0, columns = 0;
};

/// Returns the windows that a value of a bound graph consists of, one below the other. They are of values that are
/// neither slices nor concatenations.
std::vector<MatrixWindow> windows_of(const ir::Graph& graph, ir::Value whole);

}  // namespace rnnc::compiler
