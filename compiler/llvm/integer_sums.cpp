#include "compiler/llvm/integer_sums.hpp"

#include <algorithm>

#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

// A pass of the loop has about so many products, as those of chains.cpp. Where a product takes several instructions,
// more of them would not fit in the registers.
constexpr std::int64_t kProductsPerPass = 32, kLongProductsPerPass = 8;
constexpr std::int64_t kMostGroupsUnrolled = 4;
// Vectors that are summed alone have no loop over them where they have so many groups in all, which take 1 KiB of code.
constexpr std::int64_t kMostWithoutLoop = 16;
// A pass over rows takes so many sets of sixteen columns.
constexpr std::int64_t kSetsPerPass = 4;
// A function of ARM gets its stack aligned to so many bytes, and takes instructions for more.
const llvm::Align kStackAlign{8};

// Returns the groups of a pass: as many as fit, fewer where the last pass would be another one.
std::int64_t groups_of_pass(std::int64_t groups, std::size_t sums, bool is_long) {
  const std::int64_t most = is_long ? kLongProductsPerPass : kProductsPerPass;
  const std::int64_t fitting =
      std::clamp<std::int64_t>(most / static_cast<std::int64_t>(sums), 1, std::min(kMostGroupsUnrolled, groups));
  for (std::int64_t n = fitting; 2 * n > fitting; --n)
    if (groups % n == 0) return n;
  return fitting;
}

// An instruction that adds to a sum waits for the one before that added to it. On a Zen 5 these are four cycles, in
// which eight could begin. Where there are few sums, each is therefore taken in parts, which are added up behind the
// loop: sums of integers are exact in any order.
std::int64_t parts_of_sums(std::int64_t unroll, std::size_t sums) {
  constexpr std::int64_t kFewestSums = 8;
  std::int64_t parts = 1;
  while (unroll % (2 * parts) == 0 && parts * static_cast<std::int64_t>(sums) < kFewestSums) parts *= 2;
  return parts;
}

}  // namespace

IntegerSums::IntegerSums(llvm::IRBuilder<>& builder, const Target& target, ProductOperands operands)
    : builder_(builder),
      target_(target),
      operands_(std::move(operands)),
      digits_(builder, target, operands_.format, operands_.lanes),
      vectors_(operands_.vectors()) {}

Values IntegerSums::run(std::int64_t groups, llvm::Value* starts) {
  if (sums_vectors_alone(target_.byte_products)) {
    Values all;
    for (const Deferred& sum : defer(groups)) all.push_back(sum());
    return all;
  }
  return as_floats(add_groups(0, groups, begin(starts)));
}

Values IntegerSums::add_groups(std::int64_t first, std::int64_t end, Values sums) {
  const std::int64_t groups = end - first;
  const std::int64_t unroll = groups_of_pass(groups, sums.size(), digits_.is_long());
  const std::int64_t in_loop = first + groups / unroll * unroll;
  const std::int64_t parts = digits_.is_long() ? 1 : parts_of_sums(unroll, sums.size());
  const std::size_t count = sums.size();
  for (std::size_t i = count; i < count * static_cast<std::size_t>(parts); ++i)
    sums.push_back(llvm::Constant::getNullValue(sums[i - count]->getType()));
  sums = emit_for(
      builder_, number(first), number(in_loop), unroll, std::move(sums),
      [&](llvm::Value* group, Values carried) {
        for (std::int64_t k = 0; k < unroll; ++k)
          extend(group, k, llvm::MutableArrayRef(carried).slice(static_cast<std::size_t>(k % parts) * count, count));
        return carried;
      },
      "columns");
  for (; sums.size() > count; sums.pop_back()) {
    llvm::Value*& sum = sums[(sums.size() - 1) % count];
    sum = builder_.CreateAdd(sum, sums.back());
  }
  for (std::int64_t k = in_loop; k < end; ++k) extend(number(k), 0, sums);
  return sums;
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

// The lanes of one vector take four registers of the dozen that a CPU has for integers.
std::vector<Deferred> IntegerSums::defer(std::int64_t groups) {
  RNNC_ASSERT(operands_.rows.size() == 1, nullptr);
  std::vector<Deferred> all;
  for (const WeightStream& stream : operands_.weights) {
    if (target_.byte_products == ByteProducts::Dual) {
      const std::vector<Deferred> sums = sums_of_vectors(stream, groups);
      all.insert(all.end(), sums.begin(), sums.end());
      continue;
    }
    for (int vector = 0; vector < stream.vectors; ++vector)
      all.emplace_back([own = *this, stream, vector, groups]() mutable {
        return own.digits_.as_float(own.sums_of_rows(stream, vector, groups));
      });
  }
  return all;
}

// One loop computes all vectors, since code for each would take more memory than such a CPU has to spare, but for the
// few columns of a small layer. Their sums wait on the stack.
std::vector<Deferred> IntegerSums::sums_of_vectors(const WeightStream& stream, std::int64_t groups) {
  const auto count = static_cast<std::int64_t>(digits_.sums());
  auto* type = llvm::FixedVectorType::get(builder_.getInt32Ty(), static_cast<unsigned>(operands_.lanes));
  llvm::AllocaInst* kept =
      stack_slot(builder_, llvm::ArrayType::get(type, static_cast<std::uint64_t>(stream.vectors * count)));
  kept->setAlignment(kStackAlign);
  const auto place = [this, type, kept](llvm::Value* sum) { return builder_.CreateGEP(type, kept, sum); };
  const auto sum_vector = [&](llvm::Value* vector) {
    llvm::Value* first = builder_.CreateGEP(builder_.getInt8Ty(), stream.base,
                                            builder_.CreateMul(vector, number(digits_.weight_bytes())));
    const Values sums = sums_of_vector({first, 1, stream.in_memory}, groups);
    for (std::int64_t i = 0; i < count; ++i)
      builder_.CreateAlignedStore(sums[static_cast<std::size_t>(i)],
                                  place(builder_.CreateAdd(builder_.CreateMul(vector, number(count)), number(i))),
                                  kStackAlign);
  };
  if (stream.vectors * groups * count <= kMostWithoutLoop)
    for (std::int64_t vector = 0; vector < stream.vectors; ++vector) sum_vector(number(vector));
  else
    emit_for(builder_, number(0), number(stream.vectors), 1, sum_vector, "vectors");
  std::vector<Deferred> all;
  for (std::int64_t vector = 0; vector < stream.vectors; ++vector)
    all.emplace_back([own = *this, type, kept, vector, count, groups]() mutable {
      Values sums;
      for (std::int64_t i = vector * count; i < (vector + 1) * count; ++i)
        sums.push_back(
            own.builder_.CreateAlignedLoad(type, own.builder_.CreateGEP(type, kept, own.number(i)), kStackAlign));
      return own.digits_.as_float(sums, groups <= kDualGroups);
    });
  return all;
}

// Sums that are 256 times too large are taken for as many groups as fit in 32 bits. Where these are all, the sums stay
// too large.
Values IntegerSums::sums_of_vector(const WeightStream& vector, std::int64_t groups) {
  IntegerSums one(builder_, target_, {operands_.rows, {vector}, operands_.format, operands_.lanes});
  Values total;
  for (std::int64_t begin = 0; begin < groups; begin += kDualGroups) {
    Values sums = one.add_groups(begin, std::min(begin + kDualGroups, groups), one.begin(nullptr));
    if (groups <= kDualGroups) return sums;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] = builder_.CreateAShr(sums[i], 8);
      if (begin > 0) sums[i] = builder_.CreateAdd(sums[i], total[i]);
    }
    total = std::move(sums);
  }
  return total;
}

// Each lane has a sum of its own, of sixteen products at a time. Groups that are left over are added as on other CPUs.
Values IntegerSums::sums_of_rows(const WeightStream& stream, int vector, std::int64_t groups) {
  const std::int64_t sets = groups / kGroupsOfRow, lanes = operands_.lanes;
  llvm::Value* weights = emit_opaque(
      builder_,
      builder_.CreateGEP(builder_.getInt8Ty(), stream.base, number(vector * sets * lanes * digits_.weight_bytes())));
  const std::size_t count = static_cast<std::size_t>(lanes) * digits_.sums();
  Values rows(count, builder_.getInt32(0));
  const auto set_behind = [&](llvm::Value* address, std::int64_t set) {
    return builder_.CreateGEP(builder_.getInt8Ty(), address, number(set * lanes * digits_.weight_bytes()));
  };
  if (sets <= kSetsPerPass) {
    for (std::int64_t set = 0; set < sets; ++set) add_rows(number(set), set_behind(weights, set), rows);
  } else {
    // The address goes on set by set, since LLVM would compute all addresses ahead and keep them on the stack.
    const std::int64_t unroll = sets % 2 == 0 ? 2 : 1;
    rows.push_back(weights);
    rows = emit_for(
        builder_, number(0), number(sets), unroll, std::move(rows),
        [&](llvm::Value* set, Values carried) {
          for (std::int64_t k = 0; k < unroll; ++k) {
            add_rows(builder_.CreateAdd(set, number(k)), carried.back(), llvm::MutableArrayRef(carried).drop_back());
            carried.back() = emit_opaque(builder_, set_behind(carried.back(), 1));
          }
          return carried;
        },
        "columns");
  }
  Values sums;
  for (std::size_t sum = 0; sum < digits_.sums(); ++sum) {
    auto* type = llvm::FixedVectorType::get(builder_.getInt32Ty(), static_cast<unsigned>(lanes));
    llvm::Value* all = llvm::PoisonValue::get(type);
    for (std::size_t lane = 0; lane < static_cast<std::size_t>(lanes); ++lane)
      all = builder_.CreateInsertElement(all, rows[lane * digits_.sums() + sum], lane);
    sums.push_back(emit_opaque(builder_, all));
  }
  if (sets * kGroupsOfRow == groups) return sums;
  // The stream begins so that the group behind the sets of all vectors is the group of its number.
  const std::int64_t bytes = digits_.weight_bytes(), of_sets = sets * kGroupsOfRow;
  llvm::Value* behind = builder_.CreateGEP(builder_.getInt8Ty(), stream.base, number(vector * bytes));
  IntegerSums one(builder_, target_,
                  {operands_.rows, {{behind, 1, stream.in_memory}}, operands_.format, operands_.lanes});
  return one.add_groups(of_sets, groups, std::move(sums));
}

// Adds to the sums of each lane the products of one set of columns, whose weights begin at an address.
void IntegerSums::add_rows(llvm::Value* set, llvm::Value* weights, llvm::MutableArrayRef<llvm::Value*> sums) {
  llvm::Value* word = builder_.CreateMul(set, number(kGroupsOfRow * digits_.words_of_elements()));
  const Values elements = digits_.load_row_elements(builder_.CreateGEP(builder_.getInt32Ty(), operands_.rows[0], word));
  for (std::int64_t lane = 0; lane < operands_.lanes; ++lane)
    digits_.add_row(sums.slice(static_cast<std::size_t>(lane) * digits_.sums(), digits_.sums()), elements,
                    digits_.load_row_weights(
                        builder_.CreateGEP(builder_.getInt8Ty(), weights, number(lane * digits_.weight_bytes()))));
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
      builder_.CreateGEP(builder_.getInt32Ty(), row, builder_.CreateMul(group, number(digits_.words_of_elements())));
  return digits_.load_elements(
      builder_.CreateGEP(builder_.getInt32Ty(), first, number(ahead * digits_.words_of_elements())));
}

Values IntegerSums::load_weights(std::size_t vector, llvm::Value* group, std::int64_t ahead) {
  std::size_t stream = 0;
  for (; vector >= static_cast<std::size_t>(operands_.weights[stream].vectors); ++stream)
    vector -= static_cast<std::size_t>(operands_.weights[stream].vectors);
  const std::int64_t group_bytes = operands_.weights[stream].in_memory * digits_.weight_bytes();
  llvm::Value* first = builder_.CreateGEP(builder_.getInt8Ty(), operands_.weights[stream].base,
                                          builder_.CreateMul(group, number(group_bytes)));
  const std::int64_t offset = ahead * group_bytes + static_cast<std::int64_t>(vector) * digits_.weight_bytes();
  return digits_.load_weights(builder_.CreateGEP(builder_.getInt8Ty(), first, number(offset)));
}

// The shorter side is held in registers, as in chains.cpp.
void IntegerSums::extend(llvm::Value* group, std::int64_t ahead, llvm::MutableArrayRef<llvm::Value*> sums) {
  const std::size_t rows = operands_.rows.size(), pair = digits_.sums();
  const auto at = [&](std::size_t row, std::size_t vector) {
    return sums.slice((row * vectors_ + vector) * pair, pair);
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
