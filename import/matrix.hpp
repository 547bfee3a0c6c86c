// A matrix holds weights between a file's layout and ours: row-major f32.
#pragma once

#include <cstdint>
#include <vector>

#include <rnnc/tensor.hpp>

namespace rnnc::files {

struct Matrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<float> values;

  Matrix transposed() const;
  Matrix row_range(std::int64_t begin, std::int64_t end) const;
  Matrix column_range(std::int64_t begin, std::int64_t end) const;
  Tensor tensor() const { return Tensor::from_f32({rows, columns}, values); }
};

}  // namespace rnnc::files
