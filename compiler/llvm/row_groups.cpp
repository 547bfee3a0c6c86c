#include "compiler/llvm/row_groups.hpp"

#include <algorithm>

#include "compiler/llvm/sparse_sums.hpp"
#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {
namespace {

// Gates may share vectors only in the stage's last block.
bool is_tail(const TilePlace& place) { return place.tail == Tail::Last; }

}  // namespace

RowGroups::RowGroups(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const StagePlan& plan,
                     const Gates& gates)
    : builder_(builder), context_(context), stage_(stage), plan_(plan), gates_(gates) {}

RowGroups::Split RowGroups::split(llvm::Value* rows, int most) {
  llvm::Value* tiles = builder_.CreateUDiv(builder_.CreateAdd(rows, number(most - 1)), number(most));
  return {tiles, builder_.CreateUDiv(rows, tiles), builder_.CreateURem(rows, tiles)};
}

llvm::Value* RowGroups::first_row(const Split& split, llvm::Value* tile) {
  llvm::Value* longer_before = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, tile, split.longer);
  return builder_.CreateAdd(builder_.CreateMul(tile, split.size), longer_before);
}

RowGroups::Group RowGroups::group_of(const Split& split, llvm::Value* tile) {
  const int tiles = plan_.group_rows / plan_.batch_rows;
  llvm::Value* end =
      builder_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, builder_.CreateAdd(tile, number(tiles)), split.tiles);
  llvm::Value* first = first_row(split, tile);
  return {tile, end, first, builder_.CreateSub(first_row(split, end), first)};
}

// The loop over blocks is the outer one, so that each part of the weights comes from memory or an outer cache once;
// groups of rows pass over it while it is in a near cache.
void RowGroups::emit(llvm::Value* rows) {
  llvm::Type* vector = vector_of(builder_, context_.plan.lanes);
  const int slots = plan_.group_rows * plan_.batch_blocks * gates_.accumulators(false);
  llvm::Value* parked = stack_slot(builder_, llvm::ArrayType::get(vector, static_cast<std::uint64_t>(slots)));
  const Split tiles = split(rows, plan_.batch_rows);
  BlockGroups(context_, stage_, plan_.batch_blocks, true)
      .for_each(builder_, [&](int blocks, llvm::Value* block, Tail tail) {
        emit_for(
            builder_, number(0), tiles.tiles, plan_.group_rows / plan_.batch_rows,
            [&](llvm::Value* tile) {
              const Group group = group_of(tiles, tile);
              emit_group({1, blocks, group.first_row, block, tail}, group, tiles,
                         {parked, group.first_row, block, blocks});
            },
            "row_groups");
      });
}

// Returns vectors that a tile can read or write in place. Full registers must fit to the end of the last block, so that
// the caller's rows are excluded. A tile of several blocks steps from block to block instead of from gate to gate, so
// that there can be only one gate then.
std::optional<RowGroups::Strided> RowGroups::strided(const std::vector<Home>& homes) const {
  if (homes.size() > 1 && plan_.batch_blocks > 1) return std::nullopt;
  const Home& first = homes.front();
  const std::int64_t distance = homes.size() > 1 ? homes[1].offset - first.offset : context_.plan.lanes;
  for (std::size_t i = 0; i < homes.size(); ++i) {
    const bool ours = homes[i].space != Space::Input && homes[i].space != Space::Output;
    if (!ours || homes[i].space != first.space || homes[i].offset % context_.plan.lanes != 0 ||
        homes[i].offset != first.offset + static_cast<std::int64_t>(i) * distance)
      return std::nullopt;
  }
  return Strided{first, distance};
}

std::optional<RowGroups::Strided> RowGroups::starts_in_memory(ir::Value product) const {
  std::vector<Home> homes;
  for (int gate = 0; gate < context_.plan.panel(product).gates; ++gate) {
    const ir::Value start = start_of(context_, product, gate);
    if (!is_loaded(context_, stage_, start) || context_.schedule.cell[start].type.rank() == 0) return std::nullopt;
    homes.push_back(*context_.schedule.find(start));
  }
  return strided(homes);
}

// Tiles store a product themselves where the stage does nothing but store it, as with most of what is hoisted.
std::optional<RowGroups::Strided> RowGroups::stores_of(ir::Value product) const {
  const auto gates = static_cast<std::size_t>(context_.plan.panel(product).gates);
  if (stage_.products.size() != 1 || !stage_.reductions.empty() || stage_.stores.size() != gates) return std::nullopt;
  std::vector<Home> homes(gates);
  std::vector<bool> seen(gates);
  for (const Store& store : stage_.stores) {
    const int gate = gates_.find(store.value);
    if (gate < 0 || store.exact || seen[static_cast<std::size_t>(gate)]) return std::nullopt;
    seen[static_cast<std::size_t>(gate)] = true;
    homes[static_cast<std::size_t>(gate)] = store.home;
  }
  return strided(homes);
}

bool RowGroups::is_only_stored() const {
  if (stage_.products.size() != 1 || runtime::is_integer(context_.plan.panel(stage_.products[0]).format)) return false;
  return starts_in_memory(stage_.products[0]) && stores_of(stage_.products[0]);
}

// Loops over the rows and blocks of a tile, so that blocks that are alike share one code.
void RowGroups::for_each_part(const TilePlace& place, llvm::Value* rows,
                              llvm::function_ref<void(const TilePlace&)> body) {
  emit_for(
      builder_, number(0), rows, 1,
      [&](llvm::Value* row) {
        emit_for(
            builder_, number(0), number(place.blocks), 1,
            [&](llvm::Value* block) {
              TilePlace one = place;
              one.row = builder_.CreateAdd(place.row, row);
              one.block = builder_.CreateAdd(place.block, block);
              one.blocks = 1;
              if (place.blocks > 1 && place.tail == Tail::Last) one.tail = Tail::Maybe;
              body(one);
            },
            "blocks");
      },
      "rows");
}

void RowGroups::emit_group(const TilePlace& place, const Group& group, const Split& tiles, const Parked& parked) {
  bool is_stored = false;
  for (ir::Value product : stage_.products) {
    const Panel& panel = context_.plan.panel(product);
    if (panel.sparse)
      emit_sparse_product(product, place, group, parked);
    else
      emit_product(product, place, group, tiles, parked);
    is_stored = !runtime::is_integer(panel.format) && stores_of(product) && !(is_tail(place) && panel.is_packed());
  }
  if (is_stored) return;
  for_each_part(place, group.rows,
                [&](const TilePlace& one) { Tile(builder_, context_, stage_, gates_, one, parked).finish(); });
}

void RowGroups::park_starts(ir::Value product, const TilePlace& place, const Parked& parked) {
  Tile tile(builder_, context_, stage_, gates_, place, parked);
  const int first = gates_.first_accumulator(product, is_tail(place));
  const Values starts = tile.starts(product, 0, 0);
  for (std::size_t i = 0; i < starts.size(); ++i)
    builder_.CreateStore(starts[i], tile.slot(first + static_cast<int>(i), 0, 0));
}

llvm::Value* RowGroups::at(const Home& home, llvm::Value* row) {
  const Rows& rows = context_.spaces[static_cast<int>(home.space)];
  llvm::Value* offset =
      builder_.CreateAdd(builder_.CreateMul(row, rows.stride), context_.place(builder_, home.space, home.offset));
  return advance(builder_, rows.base, offset);
}

Accumulators RowGroups::in_memory(const Strided& vectors, const TilePlace& place, llvm::Value* row) {
  const int lanes = context_.plan.lanes;
  llvm::Value* base = advance(builder_, at(vectors.first, row), builder_.CreateMul(place.block, number(lanes)));
  return {base, context_.spaces[static_cast<int>(vectors.first.space)].stride, number(vectors.distance)};
}

Accumulators RowGroups::in_slots(ir::Value product, const TilePlace& place, const Parked& parked, llvm::Value* row) {
  TilePlace one = place;
  one.row = row;
  Tile tile(builder_, context_, stage_, gates_, one, parked);
  const std::int64_t lanes = context_.plan.lanes, accumulators = gates_.accumulators(is_tail(place));
  return {tile.slot(gates_.first_accumulator(product, is_tail(place)), 0, 0),
          number(place.blocks * accumulators * lanes), number(lanes)};
}

Accumulators RowGroups::choose(llvm::Value* condition, const Accumulators& then, const Accumulators& otherwise) {
  const auto select = [&](llvm::Value* a, llvm::Value* b) { return builder_.CreateSelect(condition, a, b); };
  return {select(then.base, otherwise.base), select(then.row, otherwise.row), select(then.vector, otherwise.vector)};
}

void RowGroups::call_tiles(const TileForm& form, const TileCall& call) {
  llvm::Value* row = number(0);
  const auto from_row = [&](llvm::Value* base, llvm::Value* stride) {
    return advance(builder_, base, builder_.CreateMul(row, stride));
  };
  int first = 0;
  for (const int rows : pieces_of_tile(form.rows, form.vectors, context_.plan.machine.chains(form.lanes))) {
    row = number(first);
    TileForm piece_form = form;
    piece_form.rows = rows;
    TileCall piece = call;
    piece.x = from_row(call.x, call.x_stride);
    piece.from.base = from_row(call.from.base, call.from.row);
    piece.to.base = from_row(call.to.base, call.to.row);
    context_.kernels.call(builder_, piece_form, piece);
    first += rows;
  }
}

// A few rows at a time pass over the entries of a vector, which are in a near cache for all rows of the group.
void RowGroups::emit_sparse_product(ir::Value product, const TilePlace& place, const Group& group,
                                    const Parked& parked) {
  constexpr std::int64_t kRows = 4;
  llvm::Value* whole = builder_.CreateAnd(group.rows, number(-kRows));
  const auto rows_from = [&](llvm::Value* first, llvm::Value* end, std::int64_t together) {
    emit_for(
        builder_, first, end, together,
        [&](llvm::Value* row) { emit_sparse_rows(product, place, parked, row, together); }, "rows");
  };
  rows_from(number(0), whole, kRows);
  rows_from(whole, group.rows, 1);
}

// Emits `rows` rows of the group from row `first` on.
void RowGroups::emit_sparse_rows(ir::Value product, const TilePlace& place, const Parked& parked, llvm::Value* first,
                                 std::int64_t rows) {
  const Panel& panel = context_.plan.panel(product);
  const Home vector = *context_.schedule.find(context_.schedule.cell[product].operands[0]);
  TilePlace block = place;
  block.row = builder_.CreateAdd(place.row, first);
  block.blocks = 1;
  Values integers;
  for (std::int64_t row = 0; row < rows; ++row)
    integers.push_back(at(vector, builder_.CreateAdd(block.row, number(row))));
  emit_for(
      builder_, number(0), number(place.blocks), 1,
      [&](llvm::Value* i) {
        block.block = builder_.CreateAdd(place.block, i);
        Tile tile(builder_, context_, stage_, gates_, block, parked);
        SparseSums sums(builder_, context_.target, panel, tile.panel_base(product), integers);
        const int accumulator = gates_.first_accumulator(product, is_tail(place));
        for (int k = 0; k < panel.vectors(is_tail(place)); ++k) {
          llvm::Value* number_of_vector =
              builder_.CreateAdd(builder_.CreateMul(block.block, number(panel.gates)), number(k));
          const Values floats = sums.run(number_of_vector, tile.all_integer_starts(product));
          for (std::size_t row = 0; row < floats.size(); ++row)
            builder_.CreateStore(floats[row], tile.slot(accumulator + k, static_cast<int>(row), 0));
        }
      },
      "blocks");
}

// Between parts of the panel, accumulators are kept in slots of their own. The tile of the first columns may read the
// start values where they lie already, and the tile of the last columns may store the results in their final place.
// Sums of integers begin with values behind the panel, and pass over all columns at once.
void RowGroups::emit_product(ir::Value product, const TilePlace& place, const Group& group, const Split& tiles,
                             const Parked& parked) {
  const Panel& panel = context_.plan.panel(product);
  const bool packed = is_tail(place) && panel.is_packed();
  const bool integers = runtime::is_integer(panel.format);
  TiledProduct tiled{product, panel, place, parked};
  if (!packed && !integers) {
    tiled.start = starts_in_memory(product);
    tiled.end = stores_of(product);
  }
  if (!tiled.start && !integers)
    for_each_part(place, group.rows, [&](const TilePlace& one) { park_starts(product, one, parked); });

  tiled.weights = advance(builder_, context_.spaces[static_cast<int>(Space::Weights)].base,
                          builder_.CreateAdd(context_.place(builder_, Space::Weights, panel.first_element()),
                                             builder_.CreateMul(place.block, number(panel.block_elements()))),
                          panel.format);
  const std::int64_t part = integers ? panel.passes() : plan_.panel_columns;
  emit_for(
      builder_, number(0), number(panel.passes()), part,
      [&](llvm::Value* first) {
        llvm::Value* last = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, number(panel.passes()),
                                                           builder_.CreateAdd(first, number(part)));
        emit_for(
            builder_, group.first_tile, group.end_tile, 1,
            [&](llvm::Value* tile) { emit_tile(tiled, tiles, tile, first, last); }, "tiles");
      },
      "column_groups");
}

// Emits a tile of a product for the passes [first, last) over its columns.
void RowGroups::emit_tile(const TiledProduct& tiled, const Split& tiles, llvm::Value* tile, llvm::Value* first,
                          llvm::Value* last) {
  const Panel& panel = tiled.panel;
  const int vectors = tiled.place.blocks * panel.vectors(is_tail(tiled.place));
  const int others = panel.gates_in_memory - panel.gates, side_by_side = vectors + tiled.place.blocks * others;
  const int runs = others > 0 ? tiled.place.blocks : 1;
  const Home vector = *context_.schedule.find(context_.schedule.cell[tiled.product].operands[0]);
  llvm::Value* row = first_row(tiles, tile);
  TileCall call;
  call.weights = advance(builder_, tiled.weights,
                         builder_.CreateMul(builder_.CreateAdd(first, number(panel.first_column)),
                                            number(std::int64_t{side_by_side} * panel.lanes)),
                         panel.format);
  call.x = advance(builder_, at(vector, row), first);
  call.x_stride = context_.spaces[static_cast<int>(vector.space)].stride;
  call.columns = builder_.CreateSub(last, first);
  call.from = call.to = in_slots(tiled.product, tiled.place, tiled.parked, row);
  if (panel.shifted)  // all rows begin with the same values
    call.from = {Tile(builder_, context_, stage_, gates_, tiled.place).integer_starts(tiled.product, 0), number(0),
                 number(panel.lanes)};
  if (tiled.start)
    call.from = choose(builder_.CreateICmpEQ(first, number(0)), in_memory(*tiled.start, tiled.place, row), call.from);
  if (tiled.end)
    call.to =
        choose(builder_.CreateICmpEQ(last, number(panel.columns)), in_memory(*tiled.end, tiled.place, row), call.to);
  // Each tile fetches its part of the next blocks' weights.
  const std::int64_t of_line = runtime::elements_in(panel.format, runtime::kCacheLineFloats);
  llvm::Value* next = builder_.CreateAdd(
      number(tiled.place.blocks * panel.block_elements()),
      builder_.CreateMul(builder_.CreateAdd(builder_.CreateMul(tile, number(panel.passes())), first), number(of_line)));
  call.fetch_ahead = advance(builder_, tiled.weights, plan_.fetch_ahead ? next : number(0), panel.format);
  llvm::Value* is_longer = builder_.CreateICmpULT(tile, tiles.longer);
  llvm::Value* rows = builder_.CreateAdd(tiles.size, builder_.CreateZExt(is_longer, builder_.getInt64Ty()));
  // One form serves all stages, since fetching what is near costs little.
  // Two or more rows in tiles of up to three or more never leave a row alone. A single row comes here only
  // where the product is only stored.
  const int least = plan_.batch_rows >= 3 && !is_only_stored() ? 2 : 1;
  emit_switch(builder_, rows, least, plan_.batch_rows, [&](int n) {
    call_tiles({n, vectors, side_by_side, runs, panel.lanes, panel.format, context_.plan.fetches_ahead}, call);
  });
}

}  // namespace rnnc::compiler
