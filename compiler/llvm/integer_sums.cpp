#include "compiler/llvm/integer_sums.hpp"

#include <algorithm>

namespace rnnc::compiler {
namespace {

// A pass of the loop has about so many products, as those of chains.cpp. Where a product takes several instructions,
// more of them would not fit in the registers.
constexpr std::int64_t kProductsPerPass = 32, kLongProductsPerPass = 8;
constexpr std::int64_t kMostUnroll = 4;

// Returns the groups of a pass: as many as fit, fewer where the last pass would be another one.
std::int64_t groups_of_pass(std::int64_t groups, std::size_t sums, bool is_long) {
  const std::int64_t most = is_long ? kLongProductsPerPass : kProductsPerPass;
  const std::int64_t fitting =
      std::clamp<std::int64_t>(most / static_cast<std::int64_t>(sums), 1, std::min(kMostUnroll, groups));
  for (std::int64_t n = fitting; 2 * n > fitting; --n)
    if (groups % n == 0) return n;
  return fitting;
}

}  // namespace

IntegerSums::IntegerSums(llvm::IRBuilder<>& builder, const Target& target, ProductOperands operands)
    : builder_(builder),
      operands_(std::move(operands)),
      digits_(builder, target, operands_.format, operands_.lanes),
      vectors_(operands_.vectors()) {}

Values IntegerSums::run(std::int64_t groups, llvm::Value* starts) {
  Values sums = begin(starts);
  const std::int64_t unroll = groups_of_pass(groups, sums.size(), digits_.is_long());
  const std::int64_t in_loop = groups / unroll * unroll;
  sums = emit_for(
      builder_, number(0), number(in_loop), unroll, std::move(sums),
      [&](llvm::Value* group, Values carried) {
        for (std::int64_t k = 0; k < unroll; ++k) extend(group, k, carried);
        return carried;
      },
      "columns");
  for (std::int64_t k = in_loop; k < groups; ++k) extend(number(k), 0, sums);
  return as_floats(sums);
}

Values IntegerSums::run(llvm::Value* groups, llvm::Value* starts, llvm::Value* fetch_ahead) {
  return as_floats(emit_for(
      builder_, number(0), groups, 1, begin(starts),
      [&](llvm::Value* group, Values carried) {
        if (fetch_ahead) fetch_line(builder_, fetch_ahead, group);
        extend(group, 0, carried);
        return carried;
      },
      "columns"));
}

Values IntegerSums::begin(llvm::Value* starts) {
  Values of_row;
  for (std::size_t vector = 0; vector < vectors_; ++vector) {
    const Values sums = digits_.begin(starts, number(static_cast<std::int64_t>(vector)));
    of_row.insert(of_row.end(), sums.begin(), sums.end());
  }
  Values all;
  for (std::size_t row = 0; row < operands_.rows.size(); ++row) all.insert(all.end(), of_row.begin(), of_row.end());
  return all;
}

std::vector<ByteElements> IntegerSums::load_elements(llvm::Value* row, llvm::Value* group, std::int64_t ahead) {
  llvm::Value* first =
      builder_.CreateGEP(builder_.getInt32Ty(), row, builder_.CreateMul(group, number(digits_.of_vector())));
  return digits_.load_elements(builder_.CreateGEP(builder_.getInt32Ty(), first, number(ahead * digits_.of_vector())));
}

Values IntegerSums::load_weights(std::size_t vector, llvm::Value* group, std::int64_t ahead) {
  std::size_t stream = 0;
  for (; vector >= static_cast<std::size_t>(operands_.weights[stream].vectors); ++stream)
    vector -= static_cast<std::size_t>(operands_.weights[stream].vectors);
  const std::int64_t group_bytes = operands_.weights[stream].vectors * digits_.weight_bytes();
  llvm::Value* first = builder_.CreateGEP(builder_.getInt8Ty(), operands_.weights[stream].base,
                                          builder_.CreateMul(group, number(group_bytes)));
  const std::int64_t offset = ahead * group_bytes + static_cast<std::int64_t>(vector) * digits_.weight_bytes();
  return digits_.load_weights(builder_.CreateGEP(builder_.getInt8Ty(), first, number(offset)));
}

// The shorter side is held in registers, as in chains.cpp.
void IntegerSums::extend(llvm::Value* group, std::int64_t ahead, Values& sums) {
  const std::size_t rows = operands_.rows.size(), pair = digits_.sums();
  const auto at = [&](std::size_t row, std::size_t vector) {
    return llvm::MutableArrayRef(sums).slice((row * vectors_ + vector) * pair, pair);
  };
  if (vectors_ < rows) {
    std::vector<Values> held;
    for (std::size_t vector = 0; vector < vectors_; ++vector) held.push_back(load_weights(vector, group, ahead));
    for (std::size_t row = 0; row < rows; ++row) {
      const auto elements = load_elements(operands_.rows[row], group, ahead);
      for (std::size_t vector = 0; vector < vectors_; ++vector) digits_.add(at(row, vector), elements, held[vector]);
    }
    return;
  }
  std::vector<std::vector<ByteElements>> held;
  for (llvm::Value* row : operands_.rows) held.push_back(load_elements(row, group, ahead));
  for (std::size_t vector = 0; vector < vectors_; ++vector) {
    const Values weights = load_weights(vector, group, ahead);
    for (std::size_t row = 0; row < rows; ++row) digits_.add(at(row, vector), held[row], weights);
  }
}

Values IntegerSums::as_floats(const Values& sums) {
  Values floats;
  for (std::size_t i = 0; i < sums.size(); i += digits_.sums())
    floats.push_back(digits_.as_float(llvm::ArrayRef(sums).slice(i, digits_.sums())));
  return floats;
}

}  // namespace rnnc::compiler
