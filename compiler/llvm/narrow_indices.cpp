#include "compiler/llvm/narrow_indices.hpp"

#include <llvm/IR/Constants.h>
#include <llvm/IR/InstrTypes.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Intrinsics.h>

#include <vector>

#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

class Narrower {
 public:
  explicit Narrower(llvm::Module& module)
      : module_(module),
        wide_(llvm::Type::getInt64Ty(module.getContext())),
        narrow_(llvm::Type::getInt32Ty(module.getContext())) {}

  void run() {
    std::vector<llvm::Function*> functions;
    for (llvm::Function& function : module_)
      if (!function.isIntrinsic()) functions.push_back(&function);
    for (llvm::Function* function : functions) narrow_arguments(*function);
    for (llvm::Function& function : module_) narrow_body(function);
  }

 private:
  llvm::Type* narrowed(llvm::Type* type) const {
    if (type == wide_) return narrow_;
    auto* parts = llvm::dyn_cast<llvm::StructType>(type);  // a number, and whether it overflowed
    if (!parts || parts->isOpaque()) return type;
    std::vector<llvm::Type*> each;
    for (llvm::Type* part : parts->elements()) each.push_back(narrowed(part));
    return llvm::StructType::get(type->getContext(), each, parts->isPacked());
  }

  void narrow_arguments(llvm::Function& old) {
    std::vector<llvm::Type*> arguments;
    for (llvm::Type* type : old.getFunctionType()->params()) arguments.push_back(narrowed(type));
    auto* type = llvm::FunctionType::get(narrowed(old.getReturnType()), arguments, old.isVarArg());
    if (type == old.getFunctionType()) return;
    auto* function = llvm::Function::Create(type, old.getLinkage(), old.getAddressSpace(), "", &module_);
    function->takeName(&old);
    function->copyAttributesFrom(&old);
    function->splice(function->begin(), &old);
    for (llvm::Argument& argument : old.args()) {
      argument.mutateType(arguments[argument.getArgNo()]);
      argument.replaceAllUsesWith(function->getArg(argument.getArgNo()));
    }
    old.replaceAllUsesWith(function);
    old.eraseFromParent();
  }

  // All results get their types before any operand is looked at, since phis use results of later instructions.
  void narrow_body(llvm::Function& function) {
    std::vector<llvm::Instruction*> instructions;
    for (llvm::BasicBlock& block : function)
      for (llvm::Instruction& each : block) instructions.push_back(&each);
    for (llvm::Instruction* each : instructions) {
      check(*each);
      each->mutateType(narrowed(each->getType()));
    }
    for (llvm::Instruction* each : instructions) {
      narrow_operands(*each);
      narrow_callee(*each);
      if (auto* place = llvm::dyn_cast<llvm::GetElementPtrInst>(each)) {
        place->setSourceElementType(narrowed(place->getSourceElementType()));
        place->setResultElementType(narrowed(place->getResultElementType()));
      }
    }
    for (llvm::Instruction* each : instructions) remove_conversion(*each);
  }

  // Only what counts is narrowed: bits that lie in 64 are data.
  static void check(const llvm::Instruction& each) {
    const bool is_wide = each.getType()->isIntegerTy(64);
    RNNC_ASSERT(!is_wide || !llvm::isa<llvm::BitCastInst>(each), nullptr);
    RNNC_ASSERT(!is_wide || each.getOpcode() != llvm::Instruction::LShr, nullptr);
  }

  void narrow_operands(llvm::Instruction& each) {
    for (llvm::Use& operand : each.operands())
      if (auto* constant = llvm::dyn_cast<llvm::Constant>(operand.get()); constant && constant->getType() == wide_)
        operand.set(narrowed(constant));
    auto* choice = llvm::dyn_cast<llvm::SwitchInst>(&each);
    if (!choice) return;
    for (const auto& one : choice->cases())
      if (one.getCaseValue()->getType() == wide_)
        one.setValue(llvm::cast<llvm::ConstantInt>(narrowed(one.getCaseValue())));
  }

  llvm::Constant* narrowed(llvm::Constant* constant) const {
    if (llvm::isa<llvm::UndefValue>(constant)) return llvm::UndefValue::get(narrow_);
    const std::int64_t value = llvm::cast<llvm::ConstantInt>(constant)->getSExtValue();
    RNNC_ASSERT(value == static_cast<std::int32_t>(value), nullptr);
    return llvm::ConstantInt::getSigned(narrow_, value);
  }

  void narrow_callee(llvm::Instruction& each) {
    auto* call = llvm::dyn_cast<llvm::CallInst>(&each);
    auto* callee = call ? llvm::dyn_cast<llvm::Function>(call->getCalledOperand()) : nullptr;
    if (!callee) return;
    if (callee->isIntrinsic()) {
      llvm::SmallVector<llvm::Type*, 4> types;
      if (!llvm::Intrinsic::getIntrinsicSignature(callee, types)) return;
      for (llvm::Type*& type : types) type = narrowed(type);
      callee = llvm::Intrinsic::getDeclaration(&module_, callee->getIntrinsicID(), types);
    }
    call->setCalledFunction(callee);
  }

  // A conversion from 32 bits to 64 or back is none any more.
  static void remove_conversion(llvm::Instruction& each) {
    const bool converts =
        llvm::isa<llvm::ZExtInst>(each) || llvm::isa<llvm::SExtInst>(each) || llvm::isa<llvm::TruncInst>(each);
    if (!converts || each.getOperand(0)->getType() != each.getType()) return;
    each.replaceAllUsesWith(each.getOperand(0));
    each.eraseFromParent();
  }

  llvm::Module& module_;
  llvm::Type *wide_, *narrow_;
};

}  // namespace

void narrow_indices(llvm::Module& module) { Narrower(module).run(); }

}  // namespace rnnc::compiler
