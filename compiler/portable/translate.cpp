#include "compiler/portable/translate.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/portable/panels.hpp"
#include "compiler/portable/places.hpp"
#include "compiler/schedule/describe.hpp"
#include "compiler/schedule/stages.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Statement;
using ir::Value;
using runtime::PortableOp;
using runtime::PortablePlace;
using runtime::PortableSpace;

// The hoisted values of a chunk stay in L2 next to the weights: 256 KiB is a quarter of an L2 of 1 MiB.
constexpr std::int64_t kChunkBytes = 256 * 1024;

class Translator {
 public:
  Translator(Cell cell, const runtime::PortableKernels& kernels, runtime::NumberFormat weights)
      : cell_(std::move(cell)),
        weights_(weights),
        live_(live_nodes(cell_)),
        phases_(phases_of_hoisted(cell_)),
        last_(last_readers(cell_, live_, phases_)),
        places_(cell_.nodes.size()) {
    program_.kernels = &kernels;
  }

  CellCode run() {
    describe_declarations(cell_, description_);
    for (std::uint32_t i = 0; i < cell_.nodes.size(); ++i) declare(i);
    describe_bounds(cell_, description_);
    find_states();
    find_next_places();
    for (std::uint32_t i = 0; i < cell_.nodes.size(); ++i) {
      if (!live_[i] || cell_.nodes[i].type.rank() == 2) continue;
      compute(Value{i});
      give_back(i);
    }
    for (const Statement& statement : cell_.statements) finish(statement);
    return put_together();
  }

 private:
  const Node& node(Value value) const { return cell_[value]; }
  Phase phase(Value value) const { return phases_[value.index]; }
  PortableRowPlan& row(PortableSpace space) { return rows_[static_cast<std::size_t>(space)]; }

  std::vector<PortableOp>& ops(Phase phase) {
    switch (phase) {
      case Phase::Once: return program_.once;
      case Phase::Sequence: return program_.sequence;
      case Phase::Step: return program_.step;
    }
    return program_.step;
  }

  PortablePlace take(PortableSpace space, const Node& of) {
    return {space, of.type.rank() == 0, row(space).take(floats_of(of))};
  }

  // Integers take a byte for each digit.
  std::int64_t floats_of(const Node& node) const {
    if (node.op != Op::Quantize) return size_of(node);
    return runtime::floats_of_digits(size_of(node), runtime::vector_digits(weights_));
  }

  // ---- values that are there before anything runs

  void declare(std::uint32_t i) {
    const Node& n = cell_.nodes[i];
    const bool scalar = n.type.rank() == 0;
    if (n.op == Op::Input) {
      places_[i] = PortablePlace{PortableSpace::Input, scalar, description_.input_size};
      description_.input_size += size_of(n);
    } else if (n.op == Op::State) {
      places_[i] = take(PortableSpace::Current, n);
      description_.states.push_back(
          {{n.name, scalar ? Shape{} : Shape{size_of(n)}}, true, places_[i]->offset, size_of(n)});
    } else if (n.op == Op::Constant) {
      places_[i] = PortablePlace{PortableSpace::Constants, true, std::ssize(program_.constants)};
      program_.constants.push_back(n.constant);
    } else if (n.op == Op::Param && n.type.rank() < 2) {
      places_[i] = take(PortableSpace::Weights, n);
      description_.vectors.push_back({n.name, places_[i]->offset, size_of(n)});
    } else if (n.op == Op::Lookup && live_[i]) {
      declare_table(table_of(cell_, n).param);
    }
  }

  void declare_table(Value param) {
    if (places_[param.index]) return;
    const ir::Type& type = node(param).type;
    const std::int64_t size = type.dims[0].value() * type.dims[1].value();
    places_[param.index] = PortablePlace{PortableSpace::Weights, false, row(PortableSpace::Weights).take(size)};
    description_.vectors.push_back({node(param).name, places_[param.index]->offset, size});
  }

  // A value that becomes a state is computed directly into the new value of the state.
  void find_next_places() {
    next_places_.resize(cell_.nodes.size());
    for (const Statement& statement : cell_.statements) {
      if (statement.kind != Statement::Kind::Next) continue;
      std::optional<PortablePlace>& place = next_places_[statement.value.index];
      if (!place && phase(statement.value) == Phase::Step) place = next_place(statement.name);
    }
  }

  void find_states() {
    for (std::uint32_t i = 0; i < cell_.nodes.size(); ++i)
      if (cell_.nodes[i].op == Op::State) states_.emplace(cell_.nodes[i].name, i);
  }

  PortablePlace next_place(const std::string& state) const {
    const std::optional<PortablePlace>& place = places_[states_.at(state)];
    return {PortableSpace::Next, place->spread, place->offset};
  }

  // ---- values

  void compute(Value value) {
    switch (node(value).op) {
      case Op::Input:
      case Op::State:
      case Op::Param:
      case Op::Constant: return;
      case Op::Slice: return view(value, node(value).ranges[0].begin.value());
      case Op::Hoist: return view(value, 0);
      case Op::Fill: return fill(value);
      case Op::Concat: return concat(value);
      case Op::Lookup: return lookup(value);
      case Op::Project: return project(value);
      case Op::Map: return map(value);
      case Op::Reduce: return reduce(value);
      case Op::Quantize: return quantize(value);
      case Op::Matvec:
      case Op::Rows:
      case Op::Scan:
      case Op::FinalState:
      case Op::OverTime: break;  // chain() leaves no Matvec, rows() no rows, and a cell has none of the others
    }
    ir::internal_error(&cell_, "an operation that no pass leaves");
  }

  void fill(Value value) { copy(node(value).operands[0], phase(value), new_place(value), size_of(node(value))); }

  void view(Value value, std::int64_t offset) {
    PortablePlace place = place_of(node(value).operands[0]);
    place.offset += offset;
    places_[value.index] = place;
  }

  PortablePlace place_of(Value value) const {
    RNNC_ASSERT(places_[value.index].has_value(), &cell_);
    return *places_[value.index];
  }

  PortablePlace new_place(Value value) {
    const std::optional<PortablePlace>& next = next_places_[value.index];
    places_[value.index] = next ? *next : take(space_of_phase(phase(value)), node(value));
    return *places_[value.index];
  }

  void give_back(std::uint32_t reader) {
    for (const Value operand : cell_.nodes[reader].operands) {
      const std::uint32_t owner = memory_of(cell_, operand).index;
      const std::optional<PortablePlace>& place = places_[owner];
      // Weights are packed before anything is computed, so no place among them is given back.
      const bool is_kept =
          !place || last_[owner] != reader || is_declared(owner) || place->space == PortableSpace::Weights;
      if (is_kept || next_places_[owner]) continue;
      row(place->space).give_back(place->offset, floats_of(cell_.nodes[owner]));
      last_[owner] = kForEver;  // an operand may be named twice
    }
  }

  bool is_declared(std::uint32_t i) const {
    return ir::is_declaration(cell_.nodes[i]) || cell_.nodes[i].op == Op::Constant;
  }

  // Returns a place from which full vectors may be read. A row of the caller has no space after its end, so values of
  // the caller are copied first.
  PortablePlace in_lanes(Value value, Phase user) {
    const PortablePlace place = place_of(value);
    if (place.space != PortableSpace::Input || place.spread) return place;
    std::optional<PortablePlace>& copied = copies_[{value.index, user}];
    if (!copied) {
      copied = PortablePlace{space_of_phase(user), false, row(space_of_phase(user)).take(size_of(node(value)))};
      copy(value, user, *copied);
    }
    return *copied;
  }

  void copy(Value value, Phase user, const PortablePlace& to) { copy(value, user, to, size_of(node(value))); }

  // Each element of the copy of a scalar is the scalar.
  void copy(Value value, Phase user, const PortablePlace& to, std::int64_t size) {
    ops(user).push_back({PortableOp::Kind::Copy, {}, {place_of(value)}, to, size, 0, 0});
  }

  void map(Value value) {
    const Node& n = node(value);
    PortableOp op{PortableOp::Kind::Map, n.function, {}, {}, size_of(n), 0, 0};
    for (std::size_t k = 0; k < n.operands.size(); ++k) op.operands[k] = in_lanes(n.operands[k], phase(value));
    // For Min and Max of zeros with different signs, generated code returns the zero that the formula returns if the
    // constant comes first.
    const bool has_order = n.function == ir::Function::Min || n.function == ir::Function::Max;
    if (has_order && node(n.operands[1]).op == Op::Constant) std::swap(op.operands[0], op.operands[1]);
    op.to = new_place(value);
    ops(phase(value)).push_back(op);
  }

  void reduce(Value value) {
    const Node& n = node(value);
    PortableOp op{kind_of(n.reduction), {}, {place_of(n.operands[0])}, {}, size_of(node(n.operands[0])), 0, 0};
    op.to = new_place(value);
    ops(phase(value)).push_back(op);
  }

  PortableOp::Kind kind_of(ir::Reduction reduction) const {
    switch (reduction) {
      case ir::Reduction::Sum: return PortableOp::Kind::Sum;
      case ir::Reduction::Max: return PortableOp::Kind::Max;
      case ir::Reduction::Argmax: return PortableOp::Kind::Argmax;
      case ir::Reduction::Mean:
      case ir::Reduction::Softmax:
      case ir::Reduction::LayerNorm: break;  // expand() leaves none of these
    }
    ir::internal_error(&cell_, "a reduction that no pass leaves");
  }

  void concat(Value value) {
    PortablePlace to = new_place(value);
    to.spread = false;
    for (const Value part : node(value).operands) {
      copy(part, phase(value), to);
      to.offset += size_of(node(part));
    }
  }

  void lookup(Value value) {
    const Node& n = node(value);
    const Table table = table_of(cell_, n);
    const std::int64_t columns = node(table.param).type.dims[1].value();
    PortablePlace rows = place_of(table.param);
    rows.offset += table.first_row * columns + table.first_column;
    PortableOp op{PortableOp::Kind::Lookup, {}, {rows, place_of(n.operands[1])}, {}, size_of(n), columns, table.rows};
    op.to = new_place(value);
    ops(phase(value)).push_back(op);
  }

  // ---- products: the matrices of a stacked product are one below the other

  void quantize(Value value) {
    const Node& n = node(value);
    PortableOp op{PortableOp::Kind::Quantize, {}, {place_of(n.operands[0]), place_of(n.operands[1])}, {}, size_of(n)};
    op.format = weights_;
    op.to = new_place(value);
    ops(phase(value)).push_back(op);
  }

  void project(Value value) {
    const Node& n = node(value);
    const bool integers = ir::is_of_integers(cell_, n);
    PortableOp op{PortableOp::Kind::Product, {}, {place_of(n.operands[0])}, {}, size_of(n), 0, 0};
    if (integers) op.kind = PortableOp::Kind::IntegerProduct, op.format = weights_;
    op.columns = size_of(node(n.operands[0]));
    op.operands[2] = add_panel(value);
    if (integers) {
      op.to = new_place(value);
    } else {
      const std::optional<PortablePlace> start = common_start(value);
      op.to = new_place(value);
      op.operands[1] = start ? *start : gather_starts(value, op.to);
    }
    ops(phase(value)).push_back(op);
    add_product(phase(value), op.size * op.columns, op.format, description_);
    if (phase(value) == Phase::Step) ++description_.step_stages;
  }

  PortablePlace add_panel(Value value) {
    const auto [packed, is_new] =
        packed_.try_emplace({matrices_of(cell_, value), ir::is_of_integers(cell_, node(value))});
    if (!is_new) return packed->second;
    runtime::PanelPacking panel = panel_of(cell_, value, weights_);
    panel.offset = row(PortableSpace::Weights).take(panel.shape().floats());
    description_.panels.push_back(std::move(panel));
    return packed->second = {PortableSpace::Weights, false, description_.panels.back().offset};
  }

  // Returns the place of all start values, if they follow each other in the order of the units or are all the same
  // number.
  std::optional<PortablePlace> common_start(Value value) {
    const Node& n = node(value);
    const PortablePlace first = in_lanes(n.operands[2], phase(value));
    PortablePlace expected = first;
    for (std::size_t k = 2; k < n.operands.size(); k += 2) {
      if (in_lanes(n.operands[k], phase(value)) != expected) return std::nullopt;
      if (!first.spread) expected.offset += node(n.operands[k - 1]).type.dims[0].value();
    }
    return first;
  }

  PortablePlace gather_starts(Value value, const PortablePlace& to) {
    const Node& n = node(value);
    PortablePlace part = to;
    for (std::size_t k = 2; k < n.operands.size(); k += 2) {
      const std::int64_t rows = node(n.operands[k - 1]).type.dims[0].value();
      ops(phase(value)).push_back({PortableOp::Kind::Copy, {}, {place_of(n.operands[k])}, part, rows, 0, 0});
      part.offset += rows;
    }
    return to;
  }

  // ---- results

  void finish(const Statement& statement) {
    const Value value = statement.value;
    switch (statement.kind) {
      case Statement::Kind::Let:
      case Statement::Kind::Within: return;
      case Statement::Kind::Output: return copy(value, Phase::Step, {PortableSpace::Output, false, 0});
      case Statement::Kind::Next: {
        const PortablePlace to = next_place(statement.name);
        if (place_of(value) != to) copy(value, Phase::Step, to);
        return;
      }
    }
  }

  CellCode put_together() {
    description_.cell = cell_.name;
    description_.cpu = portable_cpu(*program_.kernels);
    description_.output_size = size_of(node(cell_.output()));
    description_.doubled_row = program_.doubled_row = row(PortableSpace::Current).size();
    description_.sequence_row = program_.sequence_row = row(PortableSpace::Sequence).size();
    description_.step_row = program_.step_row = row(PortableSpace::Step).size();
    description_.weights_size = row(PortableSpace::Weights).size();
    const std::int64_t row_bytes =
        std::max<std::int64_t>(1, runtime::bytes_of(runtime::kRowFormat, description_.sequence_row));
    description_.chunk_rows = std::clamp<std::int64_t>(kChunkBytes / row_bytes, 8, 1024);
    estimate_times(machine_of({.cpu = runtime::name(*program_.kernels), .features = {}}), 1, description_);
    CellCode code{std::move(description_), {}};
    code.code.portable = std::make_shared<const runtime::PortableProgram>(std::move(program_));
    return code;
  }

  Cell cell_;
  runtime::NumberFormat weights_;
  std::vector<bool> live_;
  std::vector<Phase> phases_;
  std::vector<std::uint32_t> last_;
  std::unordered_map<std::string, std::uint32_t> states_;
  std::vector<std::optional<PortablePlace>> places_, next_places_;  // the places of each node
  // The panels of matrices one below the other, and whether their weights are integers.
  std::map<std::pair<std::vector<Value>, bool>, PortablePlace> packed_;
  std::map<std::pair<std::uint32_t, Phase>, std::optional<PortablePlace>> copies_;
  std::array<PortableRowPlan, runtime::kPortableSpaces> rows_;
  runtime::PortableProgram program_;
  runtime::Description description_;
};

}  // namespace

std::string portable_cpu(const runtime::PortableKernels& kernels) { return std::string("portable ") + name(kernels); }

Result<CellCode> portable_code_of(const Cell& cell, const runtime::PortableKernels& kernels,
                                  runtime::NumberFormat weights) {
  Cell passed = run_passes(cell, {}, {}, kPasses, weights);
  if (const Result<void> fits = check_integer_sums(passed); !fits) return fits.error();
  const runtime::PortableKernels& own = runtime::is_integer(weights) ? *runtime::unfused_kernels() : kernels;
  CellCode code = Translator(std::move(passed), own, weights).run();
  if (const Result<void> fits = check_weights_size(cell, code.description.weights_size); !fits) return fits.error();
  return code;
}

Result<PendingCode> plan_portable(const Cell& cell, const runtime::PortableKernels& kernels,
                                  runtime::NumberFormat weights) {
  Result<CellCode> made = portable_code_of(cell, kernels, weights);
  if (!made) return made.error();
  return PendingCode{std::move(made->description), [code = std::move(made->code)] { return code; }, true};
}

}  // namespace rnnc::compiler
