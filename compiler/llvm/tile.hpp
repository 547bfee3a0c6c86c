// A tile of a stage becomes vector IR: the values of the element-wise graph for a few rows and blocks of units, and the
// stores of the results.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "compiler/llvm/functions.hpp"
#include "compiler/llvm/gates.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/quantized.hpp"

namespace rnnc::compiler {

/// Parked accumulators are kept in memory, as vectors [row][product][block][accumulator] that begin with row
/// `first_row` and block `first_block` of the stage. `base` is null where accumulators stay in registers.
struct Parked {
  llvm::Value* base = nullptr;
  llvm::Value *first_row = nullptr, *first_block = nullptr;
  int blocks = 1;
};

/// Tells whether the last block of a tile is the stage's last one and not full.
enum class Tail : std::uint8_t { None, Maybe, Last };

/// A tile has its first row and block (i64) in the stage.
struct TilePlace {
  int rows = 1;
  int blocks = 1;
  llvm::Value* row = nullptr;
  llvm::Value* block = nullptr;
  Tail tail = Tail::None;
};

/// Holds a vector of values and the vector of their indices.
struct Largest {
  llvm::Value* value = nullptr;
  llvm::Value* index = nullptr;
};

/// Chooses the larger value in each lane, and of equal values the one of smaller index; a NaN is larger than all
/// numbers.
Largest choose_larger(llvm::IRBuilder<>& builder, const Largest& a, const Largest& b);

/// Tells whether the value lies in memory when the stage begins.
bool is_loaded(const StageContext& context, const Stage& stage, ir::Value value);

/// Returns the value that gate `gate` of `product` starts from.
ir::Value start_of(const StageContext& context, ir::Value product, int gate);

class RowScalars;

class Tile {
 public:
  Tile(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const Gates& gates,
       const TilePlace& place, Parked parked = {});

  /// Makes a tile for scalars of a row alone, whose vectors have one lane. Its code has no branches.
  static Tile of_scalars(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage,
                         const Gates& gates, llvm::Value* row);

  /// Emits the value for one row and block of the tile, <lanes x float>; a scalar fills all lanes.
  llvm::Value* value(ir::Value value, int row, int block);

  /// Emits the vectors that the accumulators of a product start from.
  Values starts(ir::Value product, int row, int block);

  /// Sets the accumulators of a product, which are then not read from memory.
  void set_product(ir::Value product, int row, int block, llvm::ArrayRef<llvm::Value*> accumulators);

  /// Sets how the accumulators of a product are made, which is done where the first of their gates is needed: few
  /// registers then hold what is needed later.
  void set_product(ir::Value product, int row, int block, llvm::ArrayRef<Deferred> accumulators);

  /// Computes the address of the start values of a product of integers for the blocks of the tile from `block` on; null
  /// where its sums start from zero.
  llvm::Value* integer_starts(ir::Value product, int block);

  /// Compute the addresses at which the panel of a product begins, and at which the start values of all its blocks do;
  /// the latter is null where its sums start from zero.
  llvm::Value* panel_base(ir::Value product);
  llvm::Value* all_integer_starts(ir::Value product);

  /// Tells whether integers of a vector may be marked as no numbers. A scale that was found in the step is NaN then
  /// instead.
  bool may_be_no_numbers(ir::Value integers) const;

  /// Emits whether all integers of a vector in the tile's `row` are numbers (i1). A tile that is told this does not
  /// look again.
  llvm::Value* is_all_numbers(ir::Value integers, int row);
  void set_all_numbers(ir::Value integers, int row, llvm::Value* all) { all_numbers_[{integers, row}] = all; }

  /// Takes scalars that do not change within the row from there.
  void take_scalars_from(RowScalars* scalars) { scalars_ = scalars; }

  /// Computes the address in memory of a parked accumulator of this tile.
  llvm::Value* slot(int accumulator, int row, int block);

  /// Computes the address of a vector in the tile's `row`.
  llvm::Value* address(const Home& home, int row);

  /// Evaluates all that the stage stores and reduces, and stores it.
  void finish();

 private:
  Tile(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const Gates& gates,
       const TilePlace& place, Parked parked, int lanes);

  struct Element {
    ir::Value value;
    int row = 0;
    int block = 0;
    friend auto operator<=>(const Element&, const Element&) = default;
  };

  bool may_be_tail(int block) const { return place_.tail != Tail::None && block == place_.blocks - 1; }
  bool is_tail(int block) const { return place_.tail == Tail::Last && block == place_.blocks - 1; }
  llvm::Value* row_base(Space space, int row);
  llvm::Value* block_address(const Home& home, int row, int block);
  llvm::Align alignment(const Home& home) const;
  llvm::Value* first_unit(int block);
  llvm::Value* tail_mask(int block);
  bool is_loaded(ir::Value value) const { return compiler::is_loaded(context_, stage_, value); }
  llvm::Value* load(const Element& element);
  Element canonical(Element element) const;
  bool apply(const ir::Node& node, const Element& element, std::vector<Element>& pending);
  bool look_up(const ir::Node& node, const Element& element, std::vector<Element>& pending);
  llvm::Value* gate_value(int gate, int row, int block);
  llvm::Value* made(const Gates::Place& place, int row, int block);
  llvm::Value* behind_panel(const Panel& panel, std::int64_t offset, int count, int block);
  llvm::Value* scaled(llvm::Value* sums, int accumulator, int block);
  llvm::Value* marked(llvm::Value* product, ir::Value node, int row);
  llvm::Value* product_of_step(const ir::Node& node, const Element& element);
  ByteForm byte_form_of(ir::Value integers) const;
  llvm::Value* pack(llvm::ArrayRef<llvm::Value*> gates);
  llvm::Value* from_lane(llvm::Value* vector, int lane);
  void store(const Store& store, llvm::Value* value, int row, int block);
  void store_integers(const Store& store, llvm::Value* scaled, int row, int block);
  llvm::Value* unit_numbers(int block);
  void accumulate(const ReductionStep& step, llvm::Value* value, int row, int block);
  void accumulate_magnitudes(const ReductionStep& step, int row);

  llvm::IRBuilder<>& builder_;
  const StageContext& context_;
  const ir::Cell& cell_;
  const Stage& stage_;
  const Gates& gates_;
  TilePlace place_;
  Parked parked_;
  int lanes_;
  FunctionEmitter functions_;
  llvm::Type* vector_type_;
  std::map<Element, llvm::Value*> values_;
  std::map<std::array<int, 3>, llvm::Value*> gate_values_;  // by gate, row and block
  std::map<std::array<int, 3>, Deferred> deferred_;         // by accumulator, row and block
  std::map<std::array<int, 3>, llvm::Value*> made_;         // of those
  std::map<std::pair<Space, int>, llvm::Value*> row_bases_;
  std::map<std::pair<ir::Value, int>, llvm::Value*> all_numbers_;  // by integers and row
  llvm::Value* tail_mask_ = nullptr;
  RowScalars* scalars_ = nullptr;
};

/// Scalars of a row are computed once, where the builder stands when this is made, and not for each of its blocks.
class RowScalars {
 public:
  RowScalars(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const Gates& gates,
             llvm::Value* row)
      : builder_(builder),
        block_(builder.GetInsertBlock()),
        tile_(Tile::of_scalars(builder, context, stage, gates, row)) {}

  /// Returns a scalar of the row (float).
  llvm::Value* value(ir::Value scalar);

  /// Returns the constant step of a vector of integers, NaN where the vector is not all numbers.
  llvm::Value* step(ir::Value integers, float constant, llvm::Value* all_numbers);

 private:
  void move_to_begin();

  llvm::IRBuilder<>& builder_;
  llvm::BasicBlock* block_;
  Tile tile_;
  std::map<ir::Value, llvm::Value*> values_;
  std::map<std::pair<ir::Value, float>, llvm::Value*> steps_;  // by integers and constant
};

}  // namespace rnnc::compiler
