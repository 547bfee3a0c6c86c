#include "compiler/portable/panels.hpp"

#include <algorithm>

#include "compiler/passes/analysis.hpp"
#include "compiler/schedule/describe.hpp"
#include "runtime/portable.hpp"

namespace rnnc::compiler {

runtime::PanelPacking panel_of(const ir::Cell& cell, ir::Value product, runtime::NumberFormat weights) {
  const ir::Node& node = cell[product];
  runtime::PanelPacking panel{.units = size_of(node),
                              .columns = size_of(cell[node.operands[0]]),
                              .gates = 1,
                              .lanes = runtime::kPortableLanes,
                              .together = runtime::kPortableTogether};
  if (ir::is_of_integers(cell, node))
    panel.format = weights;
  else if (!runtime::is_integer(weights))
    panel.rounding = weights;
  std::int64_t first_row = 0;
  for (const ir::Value matrix : matrices_of(cell, product)) {
    auto pieces = pieces_of(cell, matrix, first_row, 0);
    std::ranges::move(pieces, std::back_inserter(panel.pieces));
    first_row += cell[matrix].type.dims[0].value();
  }
  return panel;
}

}  // namespace rnnc::compiler
