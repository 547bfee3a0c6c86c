#include "compiler/llvm/digit_sums.hpp"

namespace rnnc::compiler {

DigitSums::DigitSums(llvm::IRBuilder<>& builder, const Target& target, runtime::NumberFormat format, int lanes)
    : builder_(builder),
      bytes_(builder, target, lanes),
      of_vector_(runtime::vector_digits(format)),
      of_weights_(runtime::weight_digits(format)),
      lanes_(lanes) {}

// Weights of one digit have the same start for both sums.
Values DigitSums::begin(llvm::Value* starts, llvm::Value* vector) {
  auto* type = llvm::FixedVectorType::get(builder_.getInt32Ty(), static_cast<unsigned>(lanes_));
  Values result;
  if (!starts) {
    result.assign(sums(), llvm::Constant::getNullValue(type));
    return result;
  }
  llvm::Value* first =
      advance(builder_, starts, builder_.CreateMul(vector, number(std::int64_t{of_weights_} * lanes_)));
  for (std::size_t sum = 0; sum < sums(); ++sum) {
    llvm::Value* at =
        of_weights_ == 2 ? advance(builder_, first, number(static_cast<std::int64_t>(sum) * lanes_)) : first;
    result.push_back(builder_.CreateAlignedLoad(type, at, alignment_of(lanes_)));
  }
  return result;
}

std::vector<ByteElements> DigitSums::load_elements(llvm::Value* at) {
  std::vector<ByteElements> digits;
  for (int digit = 0; digit < of_vector_; ++digit) {
    Values words;
    for (int word = 0; word < bytes_.words_of_elements(); ++word) {
      llvm::Value* from =
          builder_.CreateGEP(builder_.getInt32Ty(), at, number(digit * bytes_.words_of_elements() + word));
      words.push_back(builder_.CreateAlignedLoad(builder_.getInt32Ty(), from, llvm::Align(4)));
    }
    digits.push_back(bytes_.elements(words));
  }
  return digits;
}

Values DigitSums::load_weights(llvm::Value* at) {
  const std::int64_t bytes = weight_bytes() / of_weights_;
  auto* type = llvm::FixedVectorType::get(builder_.getInt8Ty(), static_cast<unsigned>(bytes));
  Values digits;
  for (int digit = 0; digit < of_weights_; ++digit) {
    llvm::Value* of_digit = builder_.CreateGEP(builder_.getInt8Ty(), at, number(digit * bytes));
    digits.push_back(builder_.CreateAlignedLoad(type, of_digit, llvm::Align(static_cast<std::uint64_t>(bytes))));
  }
  return digits;
}

void DigitSums::add(llvm::MutableArrayRef<llvm::Value*> sums, llvm::ArrayRef<ByteElements> elements,
                    llvm::ArrayRef<llvm::Value*> weights) {
  sums[0] = bytes_.add(sums[0], elements[0], weights[0]);
  if (elements.size() < 2) return;
  if (weights.size() == 2) sums[1] = bytes_.add(sums[1], elements[0], weights[1]);
  sums[1] = bytes_.add(sums[1], elements[1], weights[0]);  // low times low is left out
}

// Four high digits come before four low ones.
Values DigitSums::load_row_elements(llvm::Value* at) {
  auto* row = llvm::FixedVectorType::get(builder_.getInt8Ty(), 16);
  if (of_vector_ == 1) return {builder_.CreateAlignedLoad(row, at, llvm::Align(4))};
  llvm::Value* words =
      builder_.CreateAlignedLoad(llvm::FixedVectorType::get(builder_.getInt32Ty(), 8), at, llvm::Align(4));
  Values digits;
  for (int digit = 0; digit < 2; ++digit)
    digits.push_back(
        builder_.CreateBitCast(builder_.CreateShuffleVector(words, {digit, digit + 2, digit + 4, digit + 6}), row));
  return digits;
}

Values DigitSums::load_row_weights(llvm::Value* at) {
  auto* row = llvm::FixedVectorType::get(builder_.getInt8Ty(), 16);
  Values digits;
  for (int digit = 0; digit < of_weights_; ++digit) {
    llvm::Value* of_digit = builder_.CreateGEP(builder_.getInt8Ty(), at, number(std::int64_t{digit} * 16));
    digits.push_back(builder_.CreateAlignedLoad(row, of_digit, llvm::Align(16)));
  }
  return digits;
}

void DigitSums::add_row(llvm::MutableArrayRef<llvm::Value*> sums, llvm::ArrayRef<llvm::Value*> elements,
                        llvm::ArrayRef<llvm::Value*> weights) {
  sums[0] = bytes_.add_row(sums[0], elements[0], weights[0]);
  if (elements.size() < 2) return;
  if (weights.size() == 2) sums[1] = bytes_.add_row(sums[1], elements[0], weights[1]);
  sums[1] = bytes_.add_row(sums[1], elements[1], weights[0]);
}

llvm::Value* DigitSums::as_float(llvm::ArrayRef<llvm::Value*> sums, bool are_times_256) {
  llvm::Type* type = vector_of(builder_, lanes_);
  const auto converted = [&](llvm::Value* sum) {
    return are_times_256 ? emit_fraction_to_float(builder_, sum) : builder_.CreateSIToFP(sum, type);
  };
  llvm::Value* sum = converted(sums[0]);
  if (sums.size() < 2) return sum;
  llvm::Value* base = llvm::ConstantFP::get(type, runtime::kDigitBase);
  return builder_.CreateFAdd(builder_.CreateFMul(sum, base), converted(sums[1]));
}

}  // namespace rnnc::compiler
