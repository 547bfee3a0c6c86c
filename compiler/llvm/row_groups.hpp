// A stage of many rows becomes loops over tiles of rows: the accumulators of a group of rows are kept in memory, and
// the tiles of the group pass over a part of the panel while it is in a near cache.
#pragma once

#include "compiler/llvm/block_groups.hpp"

namespace rnnc::compiler {

class RowGroups {
 public:
  RowGroups(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const StagePlan& plan,
            const Gates& gates);

  /// Tells whether the stage does nothing with its product but store it, so that a single row is no special case.
  bool is_only_stored() const;

  void emit(llvm::Value* rows);

 private:
  // Rows are split into as few tiles as possible, of sizes as equal as possible: `longer` tiles of `size` + 1 rows,
  // then tiles of `size` rows.
  struct Split {
    llvm::Value* tiles = nullptr;
    llvm::Value* size = nullptr;
    llvm::Value* longer = nullptr;
  };

  // A group is a range of tiles with their rows.
  struct Group {
    llvm::Value *first_tile = nullptr, *end_tile = nullptr;
    llvm::Value *first_row = nullptr, *rows = nullptr;
  };

  // The vectors of all gates of a product lie in memory, `distance` floats apart.
  struct Strided {
    Home first;
    std::int64_t distance = 0;
  };

  // A product of one group of blocks, whose weights begin at `weights`. Its tiles may read their start values and store
  // their results in place.
  struct TiledProduct {
    ir::Value product;
    const Panel& panel;
    const TilePlace& place;
    const Parked& parked;
    std::optional<Strided> start = {}, end = {};
    llvm::Value* weights = nullptr;
  };

  llvm::Value* number(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }
  Split split(llvm::Value* rows, int most);
  llvm::Value* first_row(const Split& split, llvm::Value* tile);
  Group group_of(const Split& split, llvm::Value* tile);
  std::optional<Strided> strided(const std::vector<Home>& homes) const;
  std::optional<Strided> starts_in_memory(ir::Value product) const;
  std::optional<Strided> stores_of(ir::Value product) const;
  void emit_group(const TilePlace& place, const Group& group, const Split& tiles, const Parked& parked);
  void emit_product(ir::Value product, const TilePlace& place, const Group& group, const Split& tiles,
                    const Parked& parked);
  void emit_sparse_product(ir::Value product, const TilePlace& place, const Group& group, const Parked& parked);
  void emit_sparse_rows(ir::Value product, const TilePlace& place, const Parked& parked, llvm::Value* first,
                        std::int64_t rows);
  void emit_tile(const TiledProduct& tiled, const Split& tiles, llvm::Value* tile, llvm::Value* first,
                 llvm::Value* last);
  void call_tiles(const TileForm& form, const TileCall& call);
  void park_starts(ir::Value product, const TilePlace& place, const Parked& parked);
  Accumulators in_memory(const Strided& vectors, const TilePlace& place, llvm::Value* row);
  Accumulators in_slots(ir::Value product, const TilePlace& place, const Parked& parked, llvm::Value* row);
  Accumulators choose(llvm::Value* condition, const Accumulators& then, const Accumulators& otherwise);
  void for_each_part(const TilePlace& place, llvm::Value* rows, llvm::function_ref<void(const TilePlace&)> body);
  llvm::Value* at(const Home& home, llvm::Value* row);

  llvm::IRBuilder<>& builder_;
  const StageContext& context_;
  const Stage& stage_;
  const StagePlan& plan_;
  const Gates& gates_;
};

}  // namespace rnnc::compiler
