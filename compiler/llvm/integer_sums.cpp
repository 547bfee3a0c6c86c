#include "compiler/llvm/integer_sums.hpp"

#include <algorithm>

#include "compiler/llvm/types.hpp"

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
      bytes_(builder, target, operands_.lanes),
      vector_digits_(runtime::vector_digits(operands_.format)),
      weight_digits_(runtime::weight_digits(operands_.format)),
      vectors_(operands_.vectors()) {}

Values IntegerSums::run(std::int64_t groups, llvm::Value* starts) {
  Values sums = begin(starts);
  const std::int64_t unroll = groups_of_pass(groups, sums.size(), bytes_.is_long());
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

// The sums of a row and a vector of weights follow each other: those of the high digits, then those of one low digit.
// Weights of one digit have the same start for both.
Values IntegerSums::begin(llvm::Value* starts) {
  auto* type = llvm::FixedVectorType::get(builder_.getInt32Ty(), static_cast<unsigned>(operands_.lanes));
  Values of_row;
  for (std::size_t vector = 0; vector < vectors_; ++vector)
    for (std::size_t sum = 0; sum < sums_of_pair(); ++sum) {
      const std::size_t index = weight_digits_ == 2 ? vector * 2 + sum : vector;
      if (!starts) {
        of_row.push_back(llvm::Constant::getNullValue(type));
      } else {
        llvm::Value* at = advance(builder_, starts, number(static_cast<std::int64_t>(index) * operands_.lanes));
        of_row.push_back(builder_.CreateAlignedLoad(type, at, alignment_of(operands_.lanes)));
      }
    }
  Values all;
  for (std::size_t row = 0; row < operands_.rows.size(); ++row) all.insert(all.end(), of_row.begin(), of_row.end());
  return all;
}

std::vector<ByteElements> IntegerSums::load_elements(llvm::Value* row, llvm::Value* group, std::int64_t ahead) {
  std::vector<ByteElements> digits;
  llvm::Value* first =
      builder_.CreateGEP(builder_.getInt32Ty(), row, builder_.CreateMul(group, number(vector_digits_)));
  for (int digit = 0; digit < vector_digits_; ++digit) {
    llvm::Value* at = builder_.CreateGEP(builder_.getInt32Ty(), first, number(ahead * vector_digits_ + digit));
    digits.push_back(bytes_.elements(builder_.CreateAlignedLoad(builder_.getInt32Ty(), at, llvm::Align(4))));
  }
  return digits;
}

Values IntegerSums::load_weights(std::size_t vector, llvm::Value* group, std::int64_t ahead) {
  std::size_t stream = 0;
  for (; vector >= static_cast<std::size_t>(operands_.weights[stream].vectors); ++stream)
    vector -= static_cast<std::size_t>(operands_.weights[stream].vectors);
  const std::int64_t bytes = std::int64_t{operands_.lanes} * runtime::kColumnsOfGroup;  // of a vector and digit
  const std::int64_t group_bytes = operands_.weights[stream].vectors * weight_digits_ * bytes;
  llvm::Value* first = builder_.CreateGEP(builder_.getInt8Ty(), operands_.weights[stream].base,
                                          builder_.CreateMul(group, number(group_bytes)));
  auto* type = llvm::FixedVectorType::get(builder_.getInt8Ty(), static_cast<unsigned>(bytes));
  Values digits;
  for (int digit = 0; digit < weight_digits_; ++digit) {
    const std::int64_t offset =
        ahead * group_bytes + (static_cast<std::int64_t>(vector) * weight_digits_ + digit) * bytes;
    llvm::Value* at = builder_.CreateGEP(builder_.getInt8Ty(), first, number(offset));
    digits.push_back(builder_.CreateAlignedLoad(type, at, llvm::Align(static_cast<std::uint64_t>(bytes))));
  }
  return digits;
}

// The shorter side is held in registers, as in chains.cpp.
void IntegerSums::extend(llvm::Value* group, std::int64_t ahead, Values& sums) {
  const std::size_t rows = operands_.rows.size(), pair = sums_of_pair();
  const auto at = [&](std::size_t row, std::size_t vector) {
    return llvm::MutableArrayRef(sums).slice((row * vectors_ + vector) * pair, pair);
  };
  if (vectors_ < rows) {
    std::vector<Values> held;
    for (std::size_t vector = 0; vector < vectors_; ++vector) held.push_back(load_weights(vector, group, ahead));
    for (std::size_t row = 0; row < rows; ++row) {
      const auto elements = load_elements(operands_.rows[row], group, ahead);
      for (std::size_t vector = 0; vector < vectors_; ++vector) multiply(at(row, vector), elements, held[vector]);
    }
    return;
  }
  std::vector<std::vector<ByteElements>> held;
  for (llvm::Value* row : operands_.rows) held.push_back(load_elements(row, group, ahead));
  for (std::size_t vector = 0; vector < vectors_; ++vector) {
    const Values weights = load_weights(vector, group, ahead);
    for (std::size_t row = 0; row < rows; ++row) multiply(at(row, vector), held[row], weights);
  }
}

void IntegerSums::multiply(llvm::MutableArrayRef<llvm::Value*> sums, llvm::ArrayRef<ByteElements> elements,
                           llvm::ArrayRef<llvm::Value*> weights) {
  sums[0] = bytes_.add(sums[0], elements[0], weights[0]);
  if (elements.size() < 2) return;
  if (weights.size() == 2) sums[1] = bytes_.add(sums[1], elements[0], weights[1]);
  sums[1] = bytes_.add(sums[1], elements[1], weights[0]);  // low times low is left out
}

Values IntegerSums::as_floats(const Values& sums) {
  llvm::Type* type = vector_of(builder_, operands_.lanes);
  const auto as_float = [&](llvm::Value* sum) { return builder_.CreateSIToFP(sum, type); };
  Values floats;
  for (std::size_t i = 0; i < sums.size(); i += sums_of_pair()) {
    llvm::Value* sum = as_float(sums[i]);
    if (sums_of_pair() == 2) {
      llvm::Value* base = llvm::ConstantFP::get(type, runtime::kDigitBase);
      sum = builder_.CreateFAdd(builder_.CreateFMul(sum, base), as_float(sums[i + 1]));
    }
    floats.push_back(sum);
  }
  return floats;
}

}  // namespace rnnc::compiler
