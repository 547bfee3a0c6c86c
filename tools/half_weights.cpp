#include "tools/half_weights.hpp"

#include <cstring>
#include <set>
#include <string>

#include "compiler/network/network.hpp"
#include "compiler/portable/translate.hpp"
#include "runtime/half.hpp"

namespace rnnc::tools {
namespace {

Tensor rounded(const Tensor& tensor, WeightFormat format) {
  const std::vector<float> values = tensor.to_f32();
  Tensor halves{format == WeightFormat::F16 ? ElementType::F16 : ElementType::BF16, tensor.shape, {}};
  halves.bytes.resize(values.size() * sizeof(std::uint16_t));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = format == WeightFormat::F16 ? runtime::to_f16(values[i]) : runtime::to_bf16(values[i]);
    std::memcpy(halves.bytes.data() + i * sizeof half, &half, sizeof half);
  }
  return Tensor::from_f32(tensor.shape, halves.to_f32());
}

}  // namespace

Result<TensorMap> rounded_weights(const ir::Network& network, TensorMap weights, WeightFormat format) {
  if (format == WeightFormat::F32) return weights;
  std::set<std::string> read;
  for (const compiler::Call& call : compiler::calls_of(network).list.calls) {
    const auto* cell = std::get_if<compiler::CellCall>(&call);
    if (!cell) continue;
    const auto code = compiler::portable_code_of(cell->cell, *runtime::portable_kernels(""));
    if (!code) return code.error();
    for (const runtime::PanelPacking& panel : code->description.panels)
      for (const runtime::MatrixPiece& piece : panel.pieces) {
        const auto found = cell->weights.find(piece.param);
        if (found != cell->weights.end()) read.insert(found->second);
      }
  }
  for (const std::string& name : read)
    if (const auto found = weights.find(name); found != weights.end()) found->second = rounded(found->second, format);
  return weights;
}

}  // namespace rnnc::tools
