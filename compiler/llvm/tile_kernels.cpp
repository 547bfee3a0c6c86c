#include "compiler/llvm/tile_kernels.hpp"

#include <string>

#include "compiler/llvm/integer_sums.hpp"
#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {
namespace {

// Lists the arguments in the order in which they are passed.
Values arguments_of(const TileForm& form, const TileCall& call) {
  Values list = {call.weights, call.x, call.x_stride, call.columns};
  for (const Accumulators* side : {&call.from, &call.to})
    list.insert(list.end(), {side->base, side->row, side->vector});
  if (form.fetch_ahead) list.push_back(call.fetch_ahead);
  return list;
}

TileCall call_from(const TileForm& form, llvm::Function& function) {
  TileCall call;
  unsigned next = 0;
  const auto take = [&](llvm::Value*& value) { value = function.getArg(next++); };
  for (llvm::Value** value : {&call.weights, &call.x, &call.x_stride, &call.columns}) take(*value);
  for (Accumulators* side : {&call.from, &call.to})
    for (llvm::Value** value : {&side->base, &side->row, &side->vector}) take(*value);
  if (form.fetch_ahead) take(call.fetch_ahead);
  return call;
}

class Body {
 public:
  Body(llvm::Function& function, const TileForm& form, const Target& target)
      : builder_(llvm::BasicBlock::Create(function.getContext(), "entry", &function)),
        form_(form),
        target_(target),
        call_(call_from(form, function)),
        vector_type_(vector_of(builder_, form.lanes)),
        align_(alignment_of(form.lanes)) {}

  void emit() {
    ProductOperands operands{{}, {}, form_.format, form_.lanes};
    for (int row = 0; row < form_.rows; ++row) operands.rows.push_back(at(call_.x, row, call_.x_stride));
    for (int run = 0; run < form_.runs; ++run) {
      const auto before = static_cast<std::uint64_t>(run * form_.in_memory / form_.runs * form_.lanes);
      llvm::Value* first =
          run == 0 ? call_.weights : advance(builder_, call_.weights, builder_.getInt64(before), form_.format);
      operands.weights.push_back({first, form_.vectors / form_.runs, form_.in_memory});
    }
    const Values sums =
        runtime::is_integer(form_.format) ? integer_sums(std::move(operands)) : chains(std::move(operands));
    std::size_t i = 0;
    for_each(call_.to, [&](llvm::Value* address) { builder_.CreateAlignedStore(sums[i++], address, align_); });
    builder_.CreateRetVoid();
  }

 private:
  Values chains(ProductOperands operands) {
    Values chains;
    for_each(call_.from, [&](llvm::Value* address) {
      chains.push_back(builder_.CreateAlignedLoad(vector_type_, address, align_));
    });
    return ChainEmitter(builder_, target_, std::move(operands))
        .run(call_.columns, std::move(chains), call_.fetch_ahead);
  }

  Values integer_sums(ProductOperands operands) {
    const bool shifted = target_.byte_products == ByteProducts::Unsigned;
    return IntegerSums(builder_, target_, std::move(operands))
        .run(call_.columns, shifted ? call_.from.base : nullptr, call_.fetch_ahead);
  }

  llvm::Value* at(llvm::Value* base, int index, llvm::Value* stride) {
    if (index == 0) return base;
    llvm::Value* offset = builder_.CreateMul(builder_.getInt64(static_cast<std::uint64_t>(index)), stride);
    return advance(builder_, base, offset);
  }

  void for_each(const Accumulators& side, llvm::function_ref<void(llvm::Value*)> visit) {
    Values offsets;
    for (int vector = 0; vector < form_.vectors; ++vector)
      offsets.push_back(builder_.CreateMul(builder_.getInt64(static_cast<std::uint64_t>(vector)), side.vector));
    for (int row = 0; row < form_.rows; ++row) {
      llvm::Value* first = at(side.base, row, side.row);
      for (llvm::Value* offset : offsets) visit(advance(builder_, first, offset));
    }
  }

  llvm::IRBuilder<> builder_;
  TileForm form_;
  const Target& target_;
  TileCall call_;
  llvm::Type* vector_type_;
  llvm::Align align_;
};

std::string name_of(const TileForm& form) {
  return "tile_" + std::to_string(form.rows) + "x" + std::to_string(form.vectors) +
         (form.in_memory > form.vectors ? "_of_" + std::to_string(form.in_memory) : "") +
         (form.fetch_ahead ? "_fetch" : "");
}

}  // namespace

void TileKernels::call(llvm::IRBuilder<>& builder, const TileForm& form, const TileCall& call) {
  const Values arguments = arguments_of(form, call);
  llvm::Function*& function = functions_[form];
  if (!function) {
    std::vector<llvm::Type*> types;
    for (const llvm::Value* argument : arguments) types.push_back(argument->getType());
    auto* type = llvm::FunctionType::get(builder.getVoidTy(), types, false);
    function = llvm::Function::Create(type, llvm::Function::InternalLinkage, name_of(form), module_);
    function->setAttributes(attributes_);
    Body(*function, form, target_).emit();
  }
  builder.CreateCall(function, arguments);
}

}  // namespace rnnc::compiler
