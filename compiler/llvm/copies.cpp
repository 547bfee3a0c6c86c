#include "compiler/llvm/copies.hpp"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>

#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/types.hpp"
#include "compiler/schedule/stage_flow.hpp"

namespace rnnc::compiler {
namespace {

constexpr std::size_t kFewestCopies = 4;  // fewer are shorter without a loop
constexpr std::int64_t kMostVectors = 4;  // of a copy without a loop of its own

// A copy consists of vectors of so many lanes: those of the first `looped` floats, which are a loop, and those that
// begin at `begins`. The last two may overlap, since a copy's source is never its target.
struct Vectors {
  std::int64_t lanes = 1, looped = 0;
  std::vector<std::int64_t> begins;
};

Vectors vectors_of(std::int64_t units, std::int64_t most_lanes) {
  Vectors vectors;
  vectors.lanes = std::min(most_lanes, static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(units))));
  if (units > kMostVectors * vectors.lanes) vectors.looped = units / vectors.lanes * vectors.lanes;
  std::int64_t begin = vectors.looped;
  for (; begin + vectors.lanes <= units; begin += vectors.lanes) vectors.begins.push_back(begin);
  if (begin < units) vectors.begins.push_back(units - vectors.lanes);
  return vectors;
}

bool is_in_place(const Home& home) { return home.space == Space::InPlace; }

// A state that is overwritten in place may still be read by the rest of the stage. A copy of such a state is made block
// by block where the stage overwrites one: another thread may be ahead with its blocks.
bool is_copy(const Schedule& schedule, const Stage& stage, const Store& store) {
  if (store.home.digits > 0 || is_in_place(store.home)) return false;
  if (!is_loaded(schedule, stage, store.value)) return false;
  const std::optional<Home> from = schedule.find(store.value);
  const auto overwrites = [](const Store& one) { return is_in_place(one.home); };
  if (from && is_in_place(*from) && std::ranges::any_of(stage.stores, overwrites)) return false;
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();  // of a place in the table
  return from && from->digits == 0 && from->size == stage.units && store.home.size == stage.units &&
         from->offset <= kMost && store.home.offset <= kMost;
}

class CopyLoops {
 public:
  CopyLoops(llvm::IRBuilder<>& builder, const StageContext& context, std::int64_t units)
      : builder_(builder), context_(context), vectors_(vectors_of(units, context.plan.lanes)) {}

  void emit(llvm::Value* row, llvm::ArrayRef<Copy> copies) {
    while (!copies.empty()) {
      const Copy& first = copies.front();
      const auto is_alike = [&](const Copy& copy) { return copy.from == first.from && copy.to == first.to; };
      emit_loop(row, copies.take_while(is_alike));
      copies = copies.drop_while(is_alike);
    }
  }

 private:
  llvm::Value* number(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }

  llvm::GlobalVariable* table_of(llvm::ArrayRef<Copy> copies) {
    std::vector<std::uint32_t> places;
    for (const Copy& copy : copies) {
      places.push_back(static_cast<std::uint32_t>(copy.source));
      places.push_back(static_cast<std::uint32_t>(copy.target));
    }
    llvm::Constant* content = llvm::ConstantDataArray::get(builder_.getContext(), places);
    return new llvm::GlobalVariable(*builder_.GetInsertBlock()->getModule(), content->getType(), true,
                                    llvm::GlobalValue::PrivateLinkage, content, "copies");
  }

  llvm::Value* begin_of(Space space, llvm::Value* row) {
    const Rows& rows = context_.spaces[static_cast<int>(space)];
    return advance(builder_, rows.base, builder_.CreateMul(row, rows.stride));
  }

  void emit_loop(llvm::Value* row, llvm::ArrayRef<Copy> copies) {
    llvm::Value *table = table_of(copies), *from = begin_of(copies.front().from, row);
    llvm::Value* to = begin_of(copies.front().to, row);
    llvm::Type* type = vectors_.lanes == 1 ? type_of(builder_) : vector_of(builder_, vectors_.lanes);
    const auto place = [&](llvm::Value* base, llvm::Value* copy, int which) {
      llvm::Value* entry = builder_.CreateAdd(builder_.CreateMul(copy, number(2)), number(which));
      llvm::Value* at = builder_.CreateInBoundsGEP(builder_.getInt32Ty(), table, entry);
      return advance(builder_, base,
                     builder_.CreateZExt(builder_.CreateLoad(builder_.getInt32Ty(), at), builder_.getInt64Ty()));
    };
    emit_for(
        builder_, number(0), number(std::ssize(copies)), 1,
        [&](llvm::Value* copy) {
          llvm::Value *source = place(from, copy, 0), *target = place(to, copy, 1);
          const auto move = [&](llvm::ArrayRef<llvm::Value*> begins) {
            Values loaded;
            for (llvm::Value* begin : begins)
              loaded.push_back(builder_.CreateAlignedLoad(type, advance(builder_, source, begin), alignment_of(1)));
            for (std::size_t i = 0; i < loaded.size(); ++i)
              builder_.CreateAlignedStore(loaded[i], advance(builder_, target, begins[i]), alignment_of(1));
          };
          if (vectors_.looped > 0)
            emit_for(builder_, number(0), number(vectors_.looped), vectors_.lanes, move, "vectors");
          Values begins;
          for (const std::int64_t begin : vectors_.begins) begins.push_back(number(begin));
          move(begins);
        },
        "copies");
  }

  llvm::IRBuilder<>& builder_;
  const StageContext& context_;
  const Vectors vectors_;
};

}  // namespace

std::vector<Copy> take_copies(const Schedule& schedule, Stage& stage) {
  std::vector<Copy> copies;
  const auto is_one = [&](const Store& store) { return is_copy(schedule, stage, store); };
  if (static_cast<std::size_t>(std::ranges::count_if(stage.stores, is_one)) < kFewestCopies) return copies;
  for (const Store& store : stage.stores) {
    if (!is_one(store)) continue;
    const Home from = *schedule.find(store.value);
    copies.push_back({from.space, store.home.space, from.offset, store.home.offset});
  }
  std::erase_if(stage.stores, is_one);
  std::ranges::stable_sort(copies, {}, [](const Copy& copy) { return std::tuple(copy.from, copy.to); });
  return copies;
}

void emit_copies(llvm::IRBuilder<>& builder, const StageContext& context, const std::vector<Copy>& copies,
                 std::int64_t units, llvm::Value* rows) {
  if (copies.empty()) return;
  CopyLoops loops(builder, context, units);
  const auto emit_all = [&] {
    emit_for(
        builder, builder.getInt64(0), rows, 1, [&](llvm::Value* row) { loops.emit(row, copies); }, "rows");
  };
  // The first of the threads that share a stage makes the copies.
  if (context.part.index)
    emit_if(builder, builder.CreateICmpEQ(context.part.index, builder.getInt64(0)), emit_all);
  else
    emit_all();
}

}  // namespace rnnc::compiler
