#include "import/matrix.hpp"

namespace rnnc::files {

Matrix Matrix::transposed() const {
  Matrix result{columns, rows, std::vector<float>(values.size())};
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      result.values[static_cast<std::size_t>(c * rows + r)] = values[static_cast<std::size_t>(r * columns + c)];
  return result;
}

Matrix Matrix::row_range(std::int64_t begin, std::int64_t end) const {
  return {end - begin, columns, {values.begin() + begin * columns, values.begin() + end * columns}};
}

Matrix Matrix::column_range(std::int64_t begin, std::int64_t end) const {
  Matrix result{rows, end - begin, {}};
  result.values.reserve(static_cast<std::size_t>(rows * (end - begin)));
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto row = values.begin() + r * columns;
    result.values.insert(result.values.end(), row + begin, row + end);
  }
  return result;
}

}  // namespace rnnc::files
