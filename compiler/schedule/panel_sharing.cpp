#include "compiler/schedule/panel_sharing.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/windows.hpp"
#include "compiler/schedule/plan_stage.hpp"

namespace rnnc::compiler {
namespace {

using ir::Value;

// The weights that a product reads are a part of the panel that is packed for the product with number `owner`.
struct PartOfPanel {
  std::size_t owner = 0;
  int first_gate = 0;
  std::int64_t first_column = 0;
};

class PanelSharing {
 public:
  PanelSharing(const Schedule& schedule, std::vector<Panel>& panels) : schedule_(schedule), panels_(panels) {
    for (const Panel& panel : panels) {
      std::vector<MatrixWindow>& gates = gates_.emplace_back();
      for (const Value matrix : matrices_of(schedule.cell, panel.product)) {
        const std::vector<MatrixWindow> windows = windows_of(schedule.cell, matrix);
        const ir::Type& type = schedule.cell[matrix].type;
        const MatrixWindow whole{matrix, 0, type.dims[0].value(), 0, type.dims[1].value()};
        gates.push_back(windows.size() == 1 ? windows[0] : whole);
      }
    }
  }

  void run(std::int64_t& end) {
    for (std::size_t i = 0; i < panels_.size(); ++i)
      if (firsts_.try_emplace(key_of(i), i).second && may_be_read_in_part(i))
        for (const MatrixWindow& gate : gates_[i]) with_rows_[rows_of(gate, panels_[i])].push_back(i);
    std::vector<std::optional<std::int64_t>> offsets(panels_.size());
    for (std::size_t i = 0; i < panels_.size(); ++i) {
      const PartOfPanel part = part_of(i);
      std::optional<std::int64_t>& offset = offsets[part.owner];
      if (!offset) {
        offset = end;
        end = divide_up(end + panels_[part.owner].shape().floats(), kAlign) * kAlign;
      }
      Panel& panel = panels_[i];
      panel.is_shared = part.owner != i;
      panel.offset = *offset;
      panel.first_gate = part.first_gate;
      panel.gates_in_memory = panels_[part.owner].gates;
      panel.first_column = part.first_column;
      panel.columns_in_memory = panels_[part.owner].columns;
    }
  }

 private:
  using Key = std::tuple<std::vector<Value>, int, int, runtime::NumberFormat, bool>;
  using Rows = std::tuple<Value, std::int64_t, std::int64_t, runtime::NumberFormat>;

  Key key_of(std::size_t i) const {
    const Panel& panel = panels_[i];
    return {matrices_of(schedule_.cell, panel.product), panel.together, panel.tail_gates, panel.format, panel.sparse};
  }

  static Rows rows_of(const MatrixWindow& gate, const Panel& panel) {
    return {gate.matrix, gate.row, gate.rows, panel.format};
  }

  // Behind the weights of integers lie numbers that are of all columns.
  bool may_be_read_in_part(std::size_t i) const {
    return !panels_[i].sparse && !runtime::is_integer(panels_[i].format);
  }

  // Returns the largest panel of which panel `i` is a part. No panel is larger than that one and has it as a part.
  PartOfPanel part_of(std::size_t i) const {
    PartOfPanel best{firsts_.at(key_of(i)), 0, 0};
    if (!may_be_read_in_part(i)) return best;
    const auto size = [&](std::size_t panel) { return panels_[panel].gates * panels_[panel].columns; };
    for (const std::size_t owner : with_rows_.at(rows_of(gates_[i][0], panels_[i]))) {
      if (size(owner) <= size(best.owner)) continue;
      if (const std::optional<PartOfPanel> part = find(i, owner)) best = *part;
    }
    return best;
  }

  // Finds the gates of a panel among those of a larger one. Gates that share a vector are read together.
  std::optional<PartOfPanel> find(std::size_t i, std::size_t owner) const {
    const Panel &panel = panels_[i], &whole = panels_[owner];
    if (panel.together != whole.together || panel.tail_gates != whole.tail_gates) return std::nullopt;
    if (panel.gates != whole.gates && panel.tail_gates > 1) return std::nullopt;
    for (int first = 0; first + panel.gates <= whole.gates; ++first) {
      const std::int64_t column = gates_[i][0].column - gates_[owner][static_cast<std::size_t>(first)].column;
      const auto is_part = [&](const MatrixWindow& one, const MatrixWindow& other) {
        return rows_of(one, panel) == rows_of(other, whole) && one.column - other.column == column;
      };
      if (column >= 0 && column + panel.columns <= whole.columns &&
          std::equal(gates_[i].begin(), gates_[i].end(), gates_[owner].begin() + first, is_part))
        return PartOfPanel{owner, first, column};
    }
    return std::nullopt;
  }

  const Schedule& schedule_;
  std::vector<Panel>& panels_;
  std::vector<std::vector<MatrixWindow>> gates_;  // of each panel
  std::map<Key, std::size_t> firsts_;
  std::map<Rows, std::vector<std::size_t>> with_rows_;
};

}  // namespace

void share_panels(const Schedule& schedule, std::vector<Panel>& panels, std::int64_t& end) {
  PanelSharing(schedule, panels).run(end);
}

}  // namespace rnnc::compiler
