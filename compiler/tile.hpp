// One tile of a stage: the values of its element-wise graph for a few rows and blocks of units, and what is stored of
// them.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "compiler/functions.hpp"
#include "compiler/loops.hpp"
#include "compiler/plan.hpp"
#include "compiler/stages.hpp"
#include "compiler/target.hpp"

namespace rnnc::compiler {

/// Where the rows of a space begin, and how many floats lie between two of them.
struct Rows {
  llvm::Value* base = nullptr;
  llvm::Value* stride = nullptr;
};

using RowSpaces = std::array<Rows, kSpaces>;

struct StageContext {
  const Schedule& schedule;
  const Plan& plan;
  const Target& target;
  const RowSpaces& spaces;
};

/// The gates of all products of a stage, product after product: the values that accumulators become.
class Gates {
 public:
  Gates(const StageContext& context, const Stage& stage);

  int count() const { return count_; }
  int first_of(ir::Value product) const { return first_.at(product); }
  /// The gate that `value` is, or -1.
  int find(ir::Value value) const;

 private:
  int count_ = 0;
  std::map<ir::Value, int> first_;
  std::map<ir::Value, int> gate_;
};

/// Accumulators parked in memory: [row][block][gate] vectors; `base` is null where they stay in registers.
struct Parked {
  llvm::Value* base = nullptr;
  llvm::Value* first_row = nullptr;  // the row of the stage that slot row 0 belongs to
};

/// A tile in place: its first row and block (i64). `has_tail` tells that its last block is the stage's last and not
/// full.
struct TilePlace {
  int rows = 1;
  int blocks = 1;
  llvm::Value* row = nullptr;
  llvm::Value* block = nullptr;
  bool has_tail = false;
};

/// What a reduction begins with in every lane.
float reduction_start(bool is_sum);

class Tile {
 public:
  Tile(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const Gates& gates,
       const TilePlace& place, Parked parked = {});

  /// The value for one row and block of the tile, <lanes x float>; a scalar is spread.
  llvm::Value* value(ir::Value value, int row, int block);

  /// Tells the value of a gate, which then is not read from where it is parked.
  void set_gate(int gate, int row, int block, llvm::Value* value);

  /// Where an accumulator of this tile is parked.
  llvm::Value* slot(int gate, int row, int block);

  /// The first float of a vector in the tile's `row`.
  llvm::Value* address(const Home& home, int row);

  /// Evaluates all that the stage stores and reduces, and stores it.
  void finish();

 private:
  struct Part {
    ir::Value value;
    int row = 0;
    int block = 0;
    friend auto operator<=>(const Part&, const Part&) = default;
  };

  bool is_tail(int block) const { return place_.has_tail && block == place_.blocks - 1; }
  llvm::Value* row_base(Space space, int row);
  llvm::Value* block_address(const Home& home, int row, int block);
  llvm::Align alignment(const Home& home) const;
  llvm::Constant* tail_mask();
  bool is_loaded(ir::Value value) const;
  llvm::Value* load(const Part& part);
  Part canonical(Part part) const;
  bool apply(const ir::Node& node, const Part& part, std::vector<Part>& pending);
  bool shares_division(const ir::Node& product) const;
  bool is_deferred(ir::Value value) const;
  llvm::Value* divide_once(const ir::Node& product, const Values& operands);
  llvm::Value* gate_value(int gate, int row, int block);
  void store(const Store& store, llvm::Value* value, int row, int block);
  void accumulate(const ReductionStep& step, llvm::Value* value, int row, int block);

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
  std::map<Part, llvm::Value*> values_;
  std::map<std::array<int, 3>, llvm::Value*> gate_values_;  // gate, row, block
  std::map<std::pair<Space, int>, llvm::Value*> row_bases_;
};

}  // namespace rnnc::compiler
