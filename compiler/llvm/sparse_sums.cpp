#include "compiler/llvm/sparse_sums.hpp"

#include <algorithm>

#include "compiler/llvm/loops.hpp"

namespace rnnc::compiler {
namespace {

// A row's entries go to so many sums in turns, so that one does not wait for the other. Several rows have sums enough.
std::size_t ways_of(std::size_t rows, bool is_long) {
  constexpr std::size_t kSums = 4, kLongSums = 2;
  return std::max<std::size_t>(1, (is_long ? kLongSums : kSums) / rows);
}

}  // namespace

SparseSums::SparseSums(llvm::IRBuilder<>& builder, const Target& target, const Panel& panel, llvm::Value* base,
                       Values rows)
    : builder_(builder),
      digits_(builder, target, panel.format, panel.lanes),
      rows_(std::move(rows)),
      ways_(ways_of(rows_.size(), digits_.is_long())),
      first_entries_(advance(builder, base, number(runtime::kFirstEntries))) {
  const auto behind = [&](std::int64_t distance) {
    llvm::Value* from = advance(builder, base, number(distance));
    return advance(builder, base, builder.CreateAlignedLoad(builder.getInt64Ty(), from, llvm::Align(8)));
  };
  weights_ = behind(runtime::kEntryWeights);
  groups_ = behind(runtime::kEntryGroups);
}

llvm::Value* SparseSums::entry_of(llvm::Value* vector) {
  llvm::Value* at = builder_.CreateGEP(builder_.getInt32Ty(), first_entries_, vector);
  return builder_.CreateZExt(builder_.CreateAlignedLoad(builder_.getInt32Ty(), at, llvm::Align(4)),
                             builder_.getInt64Ty());
}

Values SparseSums::run(llvm::Value* vector, llvm::Value* starts) {
  const std::size_t sums = digits_.sums(), of_row = ways_ * sums;
  Values all;
  for (std::size_t row = 0; row < rows_.size(); ++row)
    for (std::size_t way = 0; way < ways_; ++way) {
      const Values first = digits_.begin(way == 0 ? starts : nullptr, vector);
      all.insert(all.end(), first.begin(), first.end());
    }
  all = emit_for(
      builder_, entry_of(vector), entry_of(builder_.CreateAdd(vector, number(1))), runtime::kEntriesTogether,
      std::move(all),
      [&](llvm::Value* entry, Values carried) {
        extend(entry, carried);
        return carried;
      },
      "entries");
  Values floats;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    Values total(all.begin() + static_cast<std::ptrdiff_t>(row * of_row),
                 all.begin() + static_cast<std::ptrdiff_t>(row * of_row + sums));
    for (std::size_t way = 1; way < ways_; ++way)
      for (std::size_t sum = 0; sum < sums; ++sum)
        total[sum] = builder_.CreateAdd(total[sum], all[row * of_row + way * sums + sum]);
    floats.push_back(digits_.as_float(total));
  }
  return floats;
}

// One load takes the groups of all entries of a pass, since loads are what a pass waits for.
void SparseSums::extend(llvm::Value* entry, Values& sums) {
  static_assert(runtime::kEntriesTogether * 16 == 64);
  llvm::Value* from = builder_.CreateGEP(builder_.getInt16Ty(), groups_, entry);
  llvm::Value* groups = builder_.CreateAlignedLoad(builder_.getInt64Ty(), from, llvm::Align(8));
  llvm::Value* first =
      builder_.CreateGEP(builder_.getInt8Ty(), weights_, builder_.CreateMul(entry, number(digits_.weight_bytes())));
  for (std::int64_t k = 0; k < runtime::kEntriesTogether; ++k) {
    const Values weights =
        digits_.load_weights(builder_.CreateGEP(builder_.getInt8Ty(), first, number(k * digits_.weight_bytes())));
    llvm::Value* group = builder_.CreateAnd(builder_.CreateLShr(groups, number(16 * k)), number(0xffff));
    llvm::Value* word = builder_.CreateMul(group, number(digits_.of_vector()));
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const auto elements = digits_.load_elements(builder_.CreateGEP(builder_.getInt32Ty(), rows_[row], word));
      const std::size_t way = row * ways_ + static_cast<std::size_t>(k) % ways_;
      digits_.add(llvm::MutableArrayRef(sums).slice(way * digits_.sums(), digits_.sums()), elements, weights);
    }
  }
}

}  // namespace rnnc::compiler
