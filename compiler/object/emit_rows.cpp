#include "compiler/object/emit_rows.hpp"

#include <limits>

#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {
namespace {

llvm::ConstantInt* number(llvm::IRBuilder<>& builder, std::int64_t value) {
  return builder.getInt64(static_cast<std::uint64_t>(value));
}

void copy(llvm::IRBuilder<>& builder, llvm::Value* from, llvm::Value* to, llvm::Value* bytes) {
  builder.CreateMemCpy(to, alignment_of(1), from, alignment_of(1), bytes);
}

// Emits a function over time, with a column in each lane. Sums are computed in double precision, step after step.
class OverTime {
 public:
  OverTime(llvm::IRBuilder<>& builder, runtime::OverTime function, const EmittedRows& from, bool repeats,
           llvm::Value* steps, llvm::Value* batch)
      : builder_(builder), function_(function), from_(from), repeats_(repeats), steps_(steps), batch_(batch) {}

  // Computes `width` columns from `column` on of sequence `b`, which has a step or more.
  void emit(llvm::Value* b, llvm::Value* column, std::int64_t width, llvm::Value* to) {
    const llvm::Align align = alignment_of(1);
    auto* floats = vector_of(builder_, width);
    const auto load = [&](llvm::Value* t) {
      llvm::Value* index = repeats_ ? b : builder_.CreateAdd(builder_.CreateMul(t, batch_), b);
      llvm::Value* row = row_of(builder_, from_, index);
      return builder_.CreateAlignedLoad(floats, advance(builder_, row, column), align);
    };
    llvm::Value* result = nullptr;
    switch (function_) {
      case runtime::OverTime::First: result = load(number(builder_, 0)); break;
      case runtime::OverTime::Last: result = load(builder_.CreateSub(steps_, number(builder_, 1))); break;
      case runtime::OverTime::Sum:
      case runtime::OverTime::Mean: result = sum(load, floats); break;
      case runtime::OverTime::Max: result = max(load, floats); break;
      case runtime::OverTime::Turned: return;  // emit_turned writes its rows
    }
    builder_.CreateAlignedStore(result, advance(builder_, to, column), align);
  }

 private:
  template <class Load>
  llvm::Value* sum(const Load& load, llvm::FixedVectorType* floats) {
    auto* doubles = llvm::FixedVectorType::get(builder_.getDoubleTy(), floats->getNumElements());
    llvm::Value* none = llvm::Constant::getNullValue(doubles);
    llvm::Value* sum = emit_for(builder_, number(builder_, 0), steps_, 1, {none}, [&](llvm::Value* t, Values sums) {
      return Values{builder_.CreateFAdd(sums[0], builder_.CreateFPExt(load(t), doubles))};
    })[0];
    if (function_ == runtime::OverTime::Mean) {
      llvm::Value* count = builder_.CreateSIToFP(steps_, builder_.getDoubleTy());
      sum = builder_.CreateFDiv(sum, builder_.CreateVectorSplat(floats->getNumElements(), count));
    }
    return builder_.CreateFPTrunc(sum, floats);
  }

  // A NaN stays the maximum: no comparison with it holds, and another NaN replaces it by NaN.
  template <class Load>
  llvm::Value* max(const Load& load, llvm::FixedVectorType* floats) {
    llvm::Value* least = llvm::ConstantFP::get(floats, -std::numeric_limits<double>::infinity());
    return emit_for(builder_, number(builder_, 0), steps_, 1, {least}, [&](llvm::Value* t, Values largest) {
      llvm::Value* x = load(t);
      llvm::Value* is_new = builder_.CreateOr(builder_.CreateFCmpOGT(x, largest[0]), builder_.CreateFCmpUNO(x, x));
      return Values{builder_.CreateSelect(is_new, x, largest[0])};
    })[0];
  }

  llvm::IRBuilder<>& builder_;
  runtime::OverTime function_;
  EmittedRows from_;
  bool repeats_;
  llvm::Value *steps_, *batch_;
};

}  // namespace

llvm::Value* row_of(llvm::IRBuilder<>& builder, const EmittedRows& rows, llvm::Value* row) {
  return advance(builder, rows.data, builder.CreateMul(row, number(builder, rows.stride)));
}

void emit_copy(llvm::IRBuilder<>& builder, const EmittedRows& from, const EmittedRows& to, std::int64_t width,
               llvm::Value* count) {
  if (width == 0) return;
  llvm::Value* bytes = number(builder, runtime::bytes_of(runtime::kRowFormat, width));
  if (from.stride == width && to.stride == width)
    return copy(builder, from.data, to.data, builder.CreateMul(count, bytes));
  emit_for(builder, number(builder, 0), count, 1,
           [&](llvm::Value* row) { copy(builder, row_of(builder, from, row), row_of(builder, to, row), bytes); });
}

void emit_repeat(llvm::IRBuilder<>& builder, const EmittedRows& from, const EmittedRows& to, std::int64_t width,
                 llvm::Value* steps, llvm::Value* batch) {
  emit_for(builder, number(builder, 0), steps, 1, [&](llvm::Value* t) {
    emit_copy(builder, from, {row_of(builder, to, builder.CreateMul(t, batch)), to.stride}, width, batch);
  });
}

namespace {

// Copies the rows of the steps from the last to the first.
void emit_turned(llvm::IRBuilder<>& builder, const EmittedRows& from, bool repeats, const EmittedRows& to,
                 std::int64_t width, llvm::Value* steps, llvm::Value* batch) {
  if (repeats) return emit_repeat(builder, from, to, width, steps, batch);
  emit_for(builder, number(builder, 0), steps, 1, [&](llvm::Value* t) {
    llvm::Value* other = builder.CreateSub(builder.CreateSub(steps, number(builder, 1)), t);
    emit_copy(builder, {row_of(builder, from, builder.CreateMul(other, batch)), from.stride},
              {row_of(builder, to, builder.CreateMul(t, batch)), to.stride}, width, batch);
  });
}

}  // namespace

void emit_over_time(llvm::IRBuilder<>& builder, runtime::OverTime function, int lanes, const EmittedRows& from,
                    bool repeats, const EmittedRows& to, std::int64_t width, llvm::Value* steps, llvm::Value* batch) {
  if (function == runtime::OverTime::Turned) return emit_turned(builder, from, repeats, to, width, steps, batch);
  const auto for_each_sequence = [&](auto body) {
    emit_for(builder, number(builder, 0), batch, 1, [&](llvm::Value* b) { body(b, row_of(builder, to, b)); });
  };
  const auto give_zero = [&](llvm::Value*, llvm::Value* row) {
    builder.CreateMemSet(row, builder.getInt8(0), number(builder, runtime::bytes_of(runtime::kRowFormat, width)),
                         alignment_of(1));
  };
  OverTime over(builder, function, from, repeats, steps, batch);
  const std::int64_t whole = width / lanes * lanes;
  const auto compute = [&](llvm::Value* b, llvm::Value* row) {
    emit_for(builder, number(builder, 0), number(builder, whole), lanes,
             [&](llvm::Value* column) { over.emit(b, column, lanes, row); });
    if (width > whole) over.emit(b, number(builder, whole), width - whole, row);
  };
  emit_if(
      builder, builder.CreateICmpSGT(steps, number(builder, 0)), [&] { for_each_sequence(compute); },
      [&] { for_each_sequence(give_zero); });
}

}  // namespace rnnc::compiler
