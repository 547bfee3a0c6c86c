// A standard cell with numbers for its dims and random weights of the size that trained ones have.
#pragma once

#include <cmath>
#include <random>
#include <string>

#include <rnnc/compile.hpp>

#include "compiler/network/choose_cell.hpp"

namespace rnnc::bench {

struct StandardCell {
  Model model;
  ir::Cell cell;
  TensorMap weights;
};

inline StandardCell make_standard_cell(const std::string& name, std::int64_t input_size, std::int64_t hidden_size) {
  Model model = standard_cell(name).value();
  ir::Cell cell = compiler::bind(model.module().cells[0], {{"I", input_size}, {"H", hidden_size}}, {}).value();
  std::mt19937 random(1);
  TensorMap weights;
  for (const ir::Node& node : cell.nodes) {
    if (node.op != ir::Op::Param) continue;
    Tensor tensor;
    for (const ir::Dim& dim : node.type.dims) tensor.shape.push_back(dim.value());
    const float most = 1 / std::sqrt(static_cast<float>(tensor.shape.back()));
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    for (float& value : values) value = std::uniform_real_distribution<float>(-most, most)(random);
    weights[node.name] = Tensor::from_f32(tensor.shape, values);
  }
  return {std::move(model), std::move(cell), std::move(weights)};
}

}  // namespace rnnc::bench
