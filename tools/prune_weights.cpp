#include "tools/prune_weights.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include <rnnc/join.hpp>

#include "compiler/network/network.hpp"
#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/schedule/describe.hpp"
#include "tools/exit_code.hpp"

namespace rnnc::tools {
namespace {

/// Rows and columns of a matrix, of which row 0 is unit `first_unit` of a gate.
struct Part {
  std::string name;
  std::int64_t row = 0, rows = 0, column = 0, columns = 0, first_unit = 0;
  friend auto operator<=>(const Part&, const Part&) = default;
};

// Adds the parts of matrices that products in the step of a cell read. `names` are those of its parameters.
void add_parts(const ir::Cell& cell, const std::map<std::string, std::string>& names, std::set<Part>& parts) {
  const ir::Cell passed = compiler::run_passes(cell, {}, {}, compiler::kPasses, WeightFormat::W8);
  const std::vector<bool> live = compiler::live_nodes(passed);
  const std::vector<compiler::Phase> phases = compiler::phases(passed);
  for (std::uint32_t i = 0; i < passed.nodes.size(); ++i) {
    const ir::Node& node = passed.nodes[i];
    if (!live[i] || node.op != ir::Op::Project || phases[i] != compiler::Phase::Step) continue;
    const std::int64_t columns = passed[node.operands[0]].type.dims[0].value();
    for (const ir::Value matrix : compiler::matrices_of(passed, ir::Value{i}))
      for (const runtime::MatrixPiece& piece : compiler::pieces_of(passed, matrix, 0, 0))
        parts.insert({names.at(piece.param), piece.row, piece.rows, piece.column, columns, piece.first_row});
  }
}

// The weights of a part, of which one row of blocks after the other loses all but its largest blocks.
class Blocks {
 public:
  Blocks(const Part& part, std::int64_t width, const Pruning& pruning, std::vector<float>& weights)
      : part_(part), width_(width), pruning_(pruning), weights_(weights) {}

  void prune(PrunedMatrix& result) {
    for (std::int64_t row = 0; row < part_.rows;) {
      const std::int64_t unit = part_.first_unit + row;
      const std::int64_t end = std::min(part_.rows, row + pruning_.rows - unit % pruning_.rows);
      prune_row(row, end, result);
      row = end;
    }
  }

 private:
  void prune_row(std::int64_t row, std::int64_t end, PrunedMatrix& result) {
    std::vector<double> squares;
    for (std::int64_t column = 0; column < part_.columns; column += pruning_.columns) {
      double sum = 0;
      for_each_weight(row, end, column,
                      [&](float weight) { sum += static_cast<double>(weight) * static_cast<double>(weight); });
      squares.push_back(sum);
    }
    std::vector<std::size_t> order(squares.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater(), [&](std::size_t block) { return squares[block]; });
    const auto kept = static_cast<std::size_t>(
        std::max<long long>(1, std::llround(pruning_.keep * static_cast<double>(squares.size()))));
    for (std::size_t i = 0; i < order.size(); ++i) {
      result.squares += squares[order[i]];
      if (i < kept)
        result.squares_kept += squares[order[i]];
      else
        for_each_weight(row, end, static_cast<std::int64_t>(order[i]) * pruning_.columns,
                        [](float& weight) { weight = 0; });
    }
    result.blocks += std::ssize(order);
    result.kept += static_cast<std::int64_t>(std::min(kept, order.size()));
  }

  template <class Visit>
  void for_each_weight(std::int64_t row, std::int64_t end, std::int64_t column, const Visit& visit) {
    const std::int64_t last = std::min(column + pruning_.columns, part_.columns);
    for (std::int64_t r = part_.row + row; r < part_.row + end; ++r)
      for (std::int64_t c = part_.column + column; c < part_.column + last; ++c)
        visit(weights_[static_cast<std::size_t>(r * width_ + c)]);
  }

  const Part& part_;
  std::int64_t width_;
  const Pruning& pruning_;
  std::vector<float>& weights_;
};

std::vector<std::string> names_of(const std::set<Part>& parts) {
  std::set<std::string> names;
  for (const Part& part : parts) names.insert(part.name);
  return {names.begin(), names.end()};
}

}  // namespace

Result<std::vector<PrunedMatrix>> prune(const ir::Network& network, TensorMap& weights, const Pruning& pruning) {
  std::set<Part> parts;
  for (const compiler::Call& call : compiler::calls_of(network).list.calls)
    if (const auto* cell = std::get_if<compiler::CellCall>(&call)) add_parts(cell->cell, cell->weights, parts);
  const std::vector<std::string> names = names_of(parts);
  if (names.empty())
    return Error{ErrorCode::Usage, network.place(network.location),
                 network.name + " has no matrix that a step multiplies by a state"};
  for (const std::string& name : pruning.only)
    if (!std::ranges::binary_search(names, name))
      return usage_error("--only", name + " is no matrix that a step multiplies by a state; those are " + join(names));
  std::map<std::string, PrunedMatrix> results;
  for (const Part& part : parts) {
    if (!pruning.only.empty() && std::ranges::find(pruning.only, part.name) == pruning.only.end()) continue;
    Tensor& tensor = weights.at(part.name);
    std::vector<float> values = tensor.to_f32();
    PrunedMatrix& result = results[part.name];
    result.name = part.name;
    Blocks(part, tensor.shape[1], pruning, values).prune(result);
    tensor = Tensor::from_f32(tensor.shape, values);
  }
  std::vector<PrunedMatrix> list;
  for (auto& [name, result] : results) list.push_back(std::move(result));
  return list;
}

}  // namespace rnnc::tools
