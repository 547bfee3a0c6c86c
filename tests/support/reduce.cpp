#include "tests/support/reduce.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/support/rewrite.hpp"
#include "tests/support/shrink_dims.hpp"

namespace rnnc::test {
namespace {

using ir::Op;
using ir::Statement;

using Candidates = std::vector<ir::Graph>;

bool is_scan_of(const ir::Graph& graph, const Statement& statement) {
  return statement.kind == Statement::Kind::Let && graph[statement.value].op == Op::Scan &&
         graph[statement.value].name == statement.name;
}

// A declaration, or a number, of the node's type.
ir::Node fresh(const ir::Node& node, Op op, std::size_t i) {
  ir::Node result;
  result.op = op;
  if (op == Op::Constant) {
    result.constant = 0.5f;
    return result;
  }
  result.name = (op == Op::Input ? "free_" : "given_") + std::to_string(i);
  result.type = node.type;
  if (op == Op::Param) result.type.axis.clear();
  return result;
}

// One edit each, of one graph. Those that do not verify are left out.
class Edits {
 public:
  Edits(const ir::Graph& graph, bool inner) : graph_(graph), inner_(inner) {}

  Candidates all() {
    outputs();
    statements();
    states();
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) node(static_cast<std::uint32_t>(i));
    return std::move(found_);
  }

 private:
  Rewrite begin() const { return {{}, {}, graph_.statements, inner_}; }

  void keep(const Rewrite& edit) {
    auto result = rewrite(graph_, edit);
    if (result && (!inner_ || same_interface(*result))) found_.push_back(std::move(*result));
  }

  bool same_interface(const ir::Graph& other) const {
    return other[other.output()].type == graph_[graph_.output()].type;
  }

  void outputs() {
    for (std::size_t s = 0; s < graph_.statements.size(); ++s) {
      if (graph_.statements[s].kind != Statement::Kind::Output) continue;
      if (graph_.outputs().size() > 1) {
        Rewrite edit = begin();
        edit.statements.erase(edit.statements.begin() + static_cast<std::ptrdiff_t>(s));
        keep(edit);
      }
      for (std::uint32_t i = 0; i < graph_.statements[s].value.index; ++i) {
        if (graph_.nodes[i].type.rank() == 2) continue;
        Rewrite edit = begin();
        edit.statements[s].value = {i};
        keep(edit);
      }
    }
  }

  void statements() {
    for (std::size_t s = 0; s < graph_.statements.size(); ++s) {
      if (graph_.statements[s].kind != Statement::Kind::Let) continue;
      for (const bool as_output : {false, true}) {
        Rewrite edit = begin();
        if (as_output) put_out(edit, graph_.statements[s].value);
        edit.statements.erase(edit.statements.begin() + static_cast<std::ptrdiff_t>(s));
        keep(edit);
      }
    }
  }

  static void put_out(Rewrite& edit, ir::Value value) {
    for (Statement& statement : edit.statements)
      if (statement.kind == Statement::Kind::Output) statement.value = value;
  }

  // A state becomes an input or a parameter; its next value goes, or is the output.
  void states() {
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].op != Op::State) continue;
      const auto is_next = [&](const Statement& statement) {
        return statement.kind == Statement::Kind::Next && statement.name == graph_.nodes[i].name;
      };
      for (const Op op : {Op::Param, Op::Input})
        for (const bool as_output : {false, true}) {
          if (op == Op::Input && inner_) continue;
          Rewrite edit = begin();
          edit.nodes[i] = fresh(graph_.nodes[i], op, i);
          if (as_output) put_out(edit, std::ranges::find_if(graph_.statements, is_next)->value);
          std::erase_if(edit.statements, is_next);
          keep(edit);
        }
    }
  }

  void node(std::uint32_t i) {
    const ir::Node& node = graph_.nodes[i];
    if (ir::is_declaration(node) || node.op == Op::Constant) return;
    for (const ir::Value operand : node.operands)
      if (graph_[operand].type == node.type) replace(i, operand);
    for (const Op op : {Op::Constant, Op::Param, Op::Input}) {
      if (op == Op::Constant && node.type.rank() != 0) continue;
      if (op == Op::Input && (inner_ || node.type.rank() == 2)) continue;
      if (op == Op::Param && node.type.is_rows) continue;  // a parameter is a matrix, which other nodes take
      Rewrite edit = begin();
      edit.nodes[i] = fresh(node, op, i);
      drop_scan(edit, i);
      keep(edit);
    }
    shorten(i);
    if (node.op == Op::Scan) simplify_scan(i);
  }

  void replace(std::uint32_t i, ir::Value by) {
    Rewrite edit = begin();
    edit.aliases[i] = by;
    drop_scan(edit, i);
    keep(edit);
  }

  void drop_scan(Rewrite& edit, std::uint32_t i) const {
    std::erase_if(edit.statements, [&](const Statement& statement) {
      return statement.value.index == i && is_scan_of(graph_, statement);
    });
  }

  // Fewer parts of what has a number of them.
  void shorten(std::uint32_t i) {
    const ir::Node& node = graph_.nodes[i];
    const std::size_t stride = node.op == Op::Project ? 2 : 1, begin_at = node.op == Op::Project ? 1 : 0;
    if ((node.op != Op::Concat && node.op != Op::Project) || node.operands.size() <= begin_at + stride) return;
    for (std::size_t k = begin_at; k < node.operands.size(); k += stride) {
      Rewrite edit = begin();
      ir::Node fewer = node;
      const auto first = fewer.operands.begin() + static_cast<std::ptrdiff_t>(k);
      fewer.operands.erase(first, first + static_cast<std::ptrdiff_t>(stride));
      edit.nodes[i] = std::move(fewer);
      keep(edit);
    }
  }

  void with_scan(std::uint32_t i, ir::Node node, ir::Scan scan) {
    Rewrite edit = begin();
    node.scan = std::make_shared<const ir::Scan>(std::move(scan));
    edit.nodes[i] = std::move(node);
    keep(edit);
  }

  void simplify_scan(std::uint32_t i) {
    const ir::Node& node = graph_.nodes[i];
    for (const ir::Value operand : node.operands) {
      Rewrite edit = begin();
      put_out(edit, operand);
      drop_scan(edit, i);
      keep(edit);
    }
    if (node.scan->direction != Direction::Forward) {
      ir::Scan scan = *node.scan;
      scan.direction = Direction::Forward;
      scan.merge = Merge::Concat;
      for (std::string& path : scan.initial)
        path = path.substr(path.find('.') == std::string::npos ? 0 : path.find('.') + 1);
      with_scan(i, node, std::move(scan));
    }
    for (std::size_t k = 0; k < node.scan->initial.size(); ++k) {
      ir::Scan scan = *node.scan;
      ir::Node fewer = node;
      fewer.operands.erase(fewer.operands.begin() + static_cast<std::ptrdiff_t>(scan.arguments(node) + k));
      scan.initial.erase(scan.initial.begin() + static_cast<std::ptrdiff_t>(k));
      with_scan(i, std::move(fewer), std::move(scan));
    }
    const bool own = node.scan->cell->name == node.name + "_cell";
    if (!own) {  // a cell of its own, with numbers, is what the steps below can work on
      ir::Scan scan = *node.scan;
      ir::Cell cell = ir::scan_cell(graph_, node).value();
      cell.name = node.name + "_cell";
      scan.cell = std::make_shared<const ir::Cell>(std::move(cell));
      scan.dims.clear();
      with_scan(i, node, std::move(scan));
      return;
    }
    drop_arguments(i);
    for (ir::Graph& cell : Edits(*node.scan->cell, true).all()) {
      ir::Scan scan = *node.scan;
      scan.cell = std::make_shared<const ir::Cell>(std::move(cell));
      with_scan(i, node, std::move(scan));
    }
  }

  // An input of the cell becomes a parameter, or goes where nothing reads it.
  void drop_arguments(std::uint32_t i) {
    const ir::Node& node = graph_.nodes[i];
    const ir::Cell& cell = *node.scan->cell;
    std::size_t argument = 0;
    for (std::uint32_t k = 0; k < cell.nodes.size(); ++k) {
      if (cell.nodes[k].op != Op::Input) continue;
      Rewrite edit{{}, {}, cell.statements, true};
      edit.nodes[k] = fresh(cell.nodes[k], Op::Param, k);
      ir::Node fewer = node;
      fewer.operands.erase(fewer.operands.begin() + static_cast<std::ptrdiff_t>(argument++));
      auto without = rewrite(cell, edit);
      if (!without) continue;
      ir::Scan scan = *node.scan;
      scan.cell = std::make_shared<const ir::Cell>(std::move(*without));
      with_scan(i, std::move(fewer), std::move(scan));
    }
  }

  const ir::Graph& graph_;
  bool inner_;
  Candidates found_;
};

class Reducer {
 public:
  Reducer(Case start, const Fails& fails, int most_tries) : now_(std::move(start)), fails_(fails), left_(most_tries) {}

  Case run() {
    for (bool smaller = true; smaller && left_ > 0;) {
      smaller = shrink_setting();
      smaller = take_a_cell() || smaller;
      smaller = edit() || smaller;
      smaller = shrink_sizes() || smaller;
    }
    return std::move(now_);
  }

 private:
  bool accept(Case next) {
    if (left_-- <= 0 || !fails_(next)) return false;
    now_ = std::move(next);
    return true;
  }

  template <class Field, class Number>
  bool shrink(Field Setting::*field, Number least, std::initializer_list<Number> to) {
    for (const auto& value : to) {
      if (value < least || !(static_cast<Field>(value) < now_.setting.*field)) continue;
      Case next = now_;
      next.setting.*field = static_cast<Field>(value);
      if (accept(std::move(next))) return true;
    }
    return false;
  }

  bool shrink_setting() {
    bool any = false;
    while (shrink(&Setting::steps, std::int64_t{1}, {std::int64_t{1}, now_.setting.steps / 2, now_.setting.steps - 1}))
      any = true;
    while (shrink(&Setting::batch, std::int64_t{1}, {std::int64_t{1}, now_.setting.batch / 2, now_.setting.batch - 1}))
      any = true;
    while (shrink(&Setting::threads, 1, {1, now_.setting.threads - 1})) any = true;
    any = shrink(&Setting::ragged, false, {false}) || any;
    return shrink(&Setting::sharing, Sharing::Auto, {Sharing::Auto}) || any;
  }

  bool take_a_cell() {
    const ir::Graph graph = now_.subject.graph;
    for (const ir::Node& node : graph.nodes) {
      if (node.op != Op::Scan) continue;
      ir::Cell cell = ir::scan_cell(graph, node).value();
      const std::string prefix = ir::scan_prefixes(node)[0];
      Weights weights;
      for (const auto& [name, values] : now_.subject.weights)
        if (name.starts_with(prefix)) weights[name.substr(prefix.size())] = values;
      if (accept({with_weights(std::move(cell), weights), now_.setting})) return true;
    }
    auto cell = as_cell(graph);
    return cell && accept({{std::move(*cell), now_.subject.weights}, now_.setting});
  }

  // A network that is one lifted expression says what a cell says.
  static std::optional<ir::Graph> as_cell(ir::Graph graph) {
    if (graph.kind == ir::Graph::Kind::Cell) return std::nullopt;
    graph.kind = ir::Graph::Kind::Cell;
    for (ir::Node& node : graph.nodes) {
      node.type.axis.clear();
      if (node.op == Op::Scan || node.op == Op::FinalState || node.op == Op::OverTime) return std::nullopt;
    }
    if (!ir::verify(graph)) return std::nullopt;
    return graph;
  }

  bool edit() {
    bool any = false;
    for (bool again = true; again && left_ > 0;) {
      again = false;
      for (ir::Graph& graph : Edits(now_.subject.graph, false).all()) {
        if (!accept({with_weights(std::move(graph), now_.subject.weights), now_.setting})) continue;
        any = again = true;
        break;
      }
    }
    return any;
  }

  bool shrink_sizes() {
    bool any = false;
    for (std::size_t i = 0; left_ > 0; ++i) {
      const Sizes sizes(now_.subject);
      if (i >= sizes.count()) return any;
      const std::int64_t size = sizes.size(i);
      for (const std::int64_t less : {std::int64_t{1}, size / 2, size - 1}) {
        auto subject = less >= 1 && less < size ? sizes.with(i, less) : std::nullopt;
        if (!subject || !accept({std::move(*subject), now_.setting})) continue;
        any = true;
        i = static_cast<std::size_t>(-1);  // from the beginning: the sizes are others now
        break;
      }
    }
    return any;
  }

  Case now_;
  const Fails& fails_;
  int left_;
};

}  // namespace

Case reduce(Case start, const Fails& fails, int most_tries) {
  return Reducer(std::move(start), fails, most_tries).run();
}

}  // namespace rnnc::test
