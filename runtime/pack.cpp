#include "runtime/pack.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "runtime/check_weights.hpp"
#include "runtime/half.hpp"
#include "runtime/pack_integers.hpp"
#include "runtime/sparse_panel.hpp"
#include "runtime/transpose.hpp"

namespace rnnc::runtime {
namespace {

const TensorInfo& find(const std::vector<TensorInfo>& tensors, const std::string& tensor_name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const TensorInfo& t) { return t.name == tensor_name; });
}

// The elements of tensors as f32: those of a tensor itself where it has this type, and else a copy.
class Floats {
 public:
  explicit Floats(const TensorRefs& tensors) : tensors_(tensors), converted_(tensors.size()) {
    std::size_t i = 0;
    for (const auto& [name, tensor] : tensors) {
      if (tensor->type != ElementType::F32) converted_[i] = tensor->to_f32();
      ++i;
    }
  }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;

  std::span<const float> of(const std::string& name) const {
    const auto found = tensors_.find(name);
    const Tensor& tensor = *found->second;
    if (tensor.type != ElementType::F32)
      return converted_[static_cast<std::size_t>(std::distance(tensors_.begin(), found))];
    return {reinterpret_cast<const float*>(tensor.bytes.data()), tensor.bytes.size() / sizeof(float)};
  }

 private:
  const TensorRefs& tensors_;
  std::vector<std::vector<float>> converted_;
};

// Copies a piece of a matrix into the panel. `store` writes the weights in the format of the panel.
template <class Store>
void scatter(const PanelPacking& panel, const MatrixPiece& piece, std::span<const float> source, std::int64_t width,
             const Store& store) {
  const PanelShape shape = panel.shape();
  for (std::int64_t r = 0; r < piece.rows; ++r) {
    const float* from = source.data() + (piece.row + r) * width + piece.column;
    const UnitPlace to = place_of(shape, piece.gate, piece.first_row + r);
    const std::int64_t first = to.before * panel.columns + to.position;
    for (std::int64_t k = 0; k < panel.columns; ++k) store(first + k * to.together, from[k]);
  }
}

// The same for weights that stay as they are: rows whose units are neighbouring lanes are copied at once.
void copy(const PanelPacking& panel, const MatrixPiece& piece, std::span<const float> source, std::int64_t width,
          float* begin) {
  const PanelShape shape = panel.shape();
  for (std::int64_t row = 0, count = 0; row < piece.rows; row += count) {
    const UnitPlace to = place_of(shape, piece.gate, piece.first_row + row);
    for (count = 1; row + count < piece.rows; ++count) {
      const UnitPlace next = place_of(shape, piece.gate, piece.first_row + row + count);
      if (next.before != to.before || next.position != to.position + count) break;
    }
    transpose(source.data() + (piece.row + row) * width + piece.column, width, count, panel.columns,
              begin + to.before * panel.columns + to.position, to.together);
  }
}

// Packs a piece into the panel at `begin`.
void pack_piece(const PanelPacking& panel, const MatrixPiece& piece, std::span<const float> source, std::int64_t width,
                float* begin) {
  const auto halves = [begin](std::int64_t at, std::uint16_t half) {
    std::memcpy(reinterpret_cast<std::byte*>(begin) + at * std::int64_t{sizeof half}, &half, sizeof half);
  };
  switch (panel.format) {
    case NumberFormat::F32:
      if (panel.rounding == NumberFormat::F32) return copy(panel, piece, source, width, begin);
      return scatter(panel, piece, source, width,
                     [&](std::int64_t at, float weight) { begin[at] = rounded(weight, panel.rounding); });
    case NumberFormat::F16:
      return scatter(panel, piece, source, width, [&](std::int64_t at, float weight) { halves(at, to_f16(weight)); });
    case NumberFormat::BF16:
      return scatter(panel, piece, source, width, [&](std::int64_t at, float weight) { halves(at, to_bf16(weight)); });
    case NumberFormat::W16:
    case NumberFormat::W8A16:
    case NumberFormat::W8:
      for (std::int64_t r = 0; r < piece.rows; ++r)
        pack_integers(panel.shape(), piece.gate, piece.first_row + r,
                      source.subspan(static_cast<std::size_t>((piece.row + r) * width + piece.column),
                                     static_cast<std::size_t>(panel.columns)),
                      begin);
      return;
  }
}

// Packs all pieces of a panel at `begin`. Errors: those of check_range.
Result<void> pack_pieces(const Description& description, const PanelPacking& panel, const Floats& tensors,
                         float* begin) {
  for (const MatrixPiece& piece : panel.pieces) {
    const std::span<const float> source = tensors.of(piece.param);
    const std::int64_t width = find(description.params, piece.param).shape[1];
    if (const Result<void> checked = check_range(panel, piece, source, width); !checked) return checked.error();
    pack_piece(panel, piece, source, width, begin);
  }
  return {};
}

}  // namespace

Result<void> pack_weights(const Description& description, const TensorRefs& weights, AlignedBuffer& block) {
  if (const Result<void> checked = check_weights(description, weights); !checked) return checked.error();
  const Floats tensors(weights);
  if (block.size() == description.weights_size) {
    // Values that are computed of weights once lie with the vectors, before the panels, and their code reads zeros
    // behind the ends.
    std::int64_t rows = block.size();
    for (const PanelPacking& panel : description.panels) rows = std::min(rows, panel.offset);
    std::fill_n(block.data(), rows, 0.0F);
  } else {
    block = AlignedBuffer(description.weights_size);
  }
  for (const VectorPacking& vector : description.vectors) {
    const std::span<const float> source = tensors.of(vector.param);
    std::copy(source.begin(), source.end(), block.data() + vector.offset);
  }
  std::vector<SparseEntries> entries;
  for (const PanelPacking& panel : description.panels) {
    float* const begin = block.data() + panel.offset;
    if (!panel.sparse) {
      if (const Result<void> packed = pack_pieces(description, panel, tensors, begin); !packed) return packed.error();
      continue;
    }
    const PanelPacking whole = dense_form(panel);
    const AlignedBuffer dense(whole.shape().floats());
    if (const Result<void> packed = pack_pieces(description, whole, tensors, dense.data()); !packed)
      return packed.error();
    entries.push_back(leave_out_zeros(panel, dense.data(), begin));
  }
  if (!entries.empty()) block = append_entries(description, block, entries);
  return {};
}

}  // namespace rnnc::runtime
