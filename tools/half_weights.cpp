#include "tools/half_weights.hpp"

#include <set>
#include <string>

#include "compiler/network/network.hpp"
#include "compiler/portable/translate.hpp"
#include "runtime/half.hpp"

namespace rnnc::tools {
namespace {

Tensor rounded(const Tensor& tensor, WeightFormat format) {
  std::vector<float> values = tensor.to_f32();
  for (float& value : values) value = runtime::rounded(value, format);
  return Tensor::from_f32(tensor.shape, values);
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
