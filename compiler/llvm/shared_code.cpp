#include "compiler/llvm/shared_code.hpp"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/StructuralHash.h>
#include <llvm/Transforms/Utils/FunctionComparator.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "compiler/llvm/copies.hpp"
#include "compiler/llvm/emit_stage.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/product_groups.hpp"
#include "compiler/llvm/stage_parts.hpp"
#include "compiler/schedule/stage_flow.hpp"

namespace rnnc::compiler {
namespace {

constexpr int kMostOfBundle = 8;  // parts; more only make the code longer

// Tells whether a part only copies, which takes fewer instructions than a call.
bool only_copies(const Schedule& schedule, const Stage& part) {
  return part.products.empty() && part.reductions.empty() && std::ranges::all_of(part.stores, [&](const Store& store) {
           return is_loaded(schedule, part, store.value) || schedule.cell[store.value].op == ir::Op::Constant;
         });
}

void add(Stage& rest, const Stage& part) {
  rest.products.insert(rest.products.end(), part.products.begin(), part.products.end());
  rest.stores.insert(rest.stores.end(), part.stores.begin(), part.stores.end());
  rest.reductions.insert(rest.reductions.end(), part.reductions.begin(), part.reductions.end());
}

// Code that comes out the same is kept once.
class Codes {
 public:
  struct Code {
    llvm::Function* function = nullptr;
    std::vector<std::uint32_t> table;  // the places of each part that has this code, one part after the other
    std::int64_t parts = 0;
  };

  /// Adds the code of a part; its function is erased if the same code was there before. Returns the code's number.
  std::size_t add(llvm::Function* function) {
    const std::uint64_t hash = llvm::StructuralHash(*function, true);
    const auto [begin, end] = by_hash_.equal_range(hash);
    for (auto known = begin; known != end; ++known) {
      if (llvm::FunctionComparator(codes_[known->second].function, function, &globals_).compare() != 0) continue;
      function->eraseFromParent();
      return known->second;
    }
    by_hash_.emplace(hash, codes_.size());
    codes_.push_back({function, {}, 0});
    return codes_.size() - 1;
  }

  Code& operator[](std::size_t number) { return codes_[number]; }
  std::vector<Code>& all() { return codes_; }

 private:
  std::vector<Code> codes_;
  std::multimap<std::uint64_t, std::size_t> by_hash_;
  llvm::GlobalNumberState globals_;
};

// A part of a stage, the number of its code, and the places of what the code reads and writes.
struct CodedPart {
  Stage part;
  std::size_t stage = 0, code = 0;
  std::vector<std::uint32_t> places;
};

// Parts that go together have the same code, and each product of one has the panel of the other's.
bool go_together(const StageContext& context, const CodedPart& a, const CodedPart& b) {
  return a.stage == b.stage && a.code == b.code &&
         std::ranges::equal(a.part.products, b.part.products, [&](ir::Value one, ir::Value other) {
           return context.plan.panel(one).reads_as(context.plan.panel(other));
         });
}

// Returns how many parts like this one may be computed side by side.
std::size_t most_of_bundle(const StageContext& context, const CodedPart& one) {
  int most = kMostOfBundle;
  for (const ir::Value product : one.part.products)
    most = std::min(most,
                    most_of_group(context, context.plan.panel(product), context.plan.stages[one.stage].single_blocks));
  return static_cast<std::size_t>(most);
}

// The parts of the stages of a phase, each with its code.
class PhaseParts {
 public:
  PhaseParts(llvm::IRBuilder<>& builder, const StageContext& context, const StageValues& values,
             llvm::AttributeList attributes)
      : builder_(builder), context_(context), values_(values), attributes_(attributes) {}

  /// Takes the parts out of a stage, which keeps what only copies.
  void take(std::size_t index, Stage& stage) {
    std::vector<Stage> all = parts_of(context_.schedule, stage);
    stage.products.clear();
    stage.stores.clear();
    stage.reductions.clear();
    for (Stage& part : all) {
      if (only_copies(context_.schedule, part))
        add(stage, part);
      else
        parts_.push_back(coded(std::move(part), index));
    }
  }

  /// Joins parts that may be computed side by side. Numbers of two, four and eight leave few bundles that differ.
  void bundle() {
    sort();
    std::vector<CodedPart> bundles;
    for (std::size_t begin = 0, end = 0; begin < parts_.size(); begin = end) {
      const std::size_t most = most_of_bundle(context_, parts_[begin]);
      for (end = begin + 1;
           end < parts_.size() && end - begin < most && go_together(context_, parts_[begin], parts_[end]);)
        ++end;
      end = begin + std::bit_floor(end - begin);
      if (end == begin + 1) {
        bundles.push_back(std::move(parts_[begin]));
        continue;
      }
      Stage bundle = std::move(parts_[begin].part);
      for (std::size_t i = begin + 1; i < end; ++i) add(bundle, parts_[i].part);
      std::ranges::sort(bundle.products);
      bundles.push_back(coded(std::move(bundle), parts_[begin].stage));
    }
    parts_ = std::move(bundles);
    sort();
    for (const CodedPart& part : parts_) ++codes_[part.code].parts;
  }

  const std::vector<CodedPart>& parts() const { return parts_; }
  Codes& codes() { return codes_; }

 private:
  // Parts of a stage with the same code are called one after the other.
  void sort() {
    std::ranges::stable_sort(parts_, {}, [](const CodedPart& part) { return std::pair(part.stage, part.code); });
  }

  // Emits the code of a part as a function of the frame with the values of the phase and of a row of the table of
  // places.
  CodedPart coded(Stage part, std::size_t stage) {
    llvm::Module& module = *builder_.GetInsertBlock()->getModule();
    auto* type = llvm::FunctionType::get(builder_.getVoidTy(), {builder_.getPtrTy(), builder_.getPtrTy()}, false);
    const std::string name = "part_of_stage_" + std::to_string(stage);
    auto* function = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
    function->setAttributes(attributes_);
    const llvm::IRBuilderBase::InsertPointGuard guard(builder_);
    builder_.SetInsertPoint(llvm::BasicBlock::Create(builder_.getContext(), "entry", function));
    const StageValues inside = taken_from(builder_, function->getArg(0), values_);
    PlaceTable table(function->getArg(1));
    emit_part(builder_,
              {context_.schedule, context_.plan, context_.target, inside.spaces, context_.kernels, inside.part,
               inside.turned, &table},
              part, context_.plan.stages[stage], inside.count);
    builder_.CreateRetVoid();
    return {std::move(part), stage, codes_.add(function), table.places()};
  }

  llvm::IRBuilder<>& builder_;
  const StageContext& context_;
  const StageValues& values_;
  llvm::AttributeList attributes_;
  std::vector<CodedPart> parts_;
  Codes codes_;
};

}  // namespace

llvm::Value* PlaceTable::place(llvm::IRBuilder<>& builder, Space space, std::int64_t offset) {
  // A place that does not fit stays in the code, which is then of this part alone.
  if (offset > std::numeric_limits<std::uint32_t>::max()) return builder.getInt64(static_cast<std::uint64_t>(offset));
  const auto [found, is_new] = numbers_.try_emplace({space, offset}, static_cast<unsigned>(places_.size()));
  if (is_new) places_.push_back(static_cast<std::uint32_t>(offset));
  llvm::Value* entry = builder.CreateConstInBoundsGEP1_64(builder.getInt32Ty(), table_, found->second);
  return builder.CreateZExt(builder.CreateLoad(builder.getInt32Ty(), entry), builder.getInt64Ty());
}

llvm::Value* StageContext::place(llvm::IRBuilder<>& builder, Space space, std::int64_t offset) const {
  return places ? places->place(builder, space, offset) : builder.getInt64(static_cast<std::uint64_t>(offset));
}

SharedCode::SharedCode(llvm::IRBuilder<>& builder, const StageContext& context, Phase phase, const StageValues& values,
                       llvm::AttributeList attributes) {
  PhaseParts phase_parts(builder, context, values, attributes);
  for (std::size_t i = 0; i < context.schedule.stages.size(); ++i) {
    if (context.schedule.stages[i].phase != phase) continue;
    Stage& rest = stages_[i].rest = context.schedule.stages[i];
    take_copies(context.schedule, rest);
    phase_parts.take(i, rest);
  }
  phase_parts.bundle();
  for (const CodedPart& part : phase_parts.parts()) {
    Codes::Code& code = phase_parts.codes()[part.code];
    StageCode& stage = stages_[part.stage];
    if (code.parts == 1 || part.places.empty()) {
      add(stage.rest, part.part);
      continue;
    }
    const auto places = std::ssize(part.places), before = std::ssize(code.table) / places;
    if (stage.runs.empty() || stage.runs.back().function != code.function)
      stage.runs.push_back({code.function, nullptr, before, 0, places});
    ++stage.runs.back().count;
    code.table.insert(code.table.end(), part.places.begin(), part.places.end());
  }
  llvm::Module& module = *builder.GetInsertBlock()->getModule();
  std::map<llvm::Function*, llvm::GlobalVariable*> tables;
  for (Codes::Code& code : phase_parts.codes().all()) {
    if (code.table.empty()) {
      code.function->eraseFromParent();
      continue;
    }
    llvm::Constant* content = llvm::ConstantDataArray::get(builder.getContext(), code.table);
    tables[code.function] = new llvm::GlobalVariable(module, content->getType(), true,
                                                     llvm::GlobalValue::PrivateLinkage, content, "places");
  }
  for (auto& [index, stage] : stages_) {
    std::ranges::sort(stage.rest.products);
    for (Run& run : stage.runs) run.table = tables.at(run.function);
  }
}

void SharedCode::emit_calls(llvm::IRBuilder<>& builder, std::size_t stage, llvm::Value* frame) const {
  const auto number = [&](std::int64_t value) { return builder.getInt64(static_cast<std::uint64_t>(value)); };
  for (const Run& run : stages_.at(stage).runs)
    emit_for(
        builder, number(run.first), number(run.first + run.count), 1,
        [&](llvm::Value* call) {
          llvm::Value* first = builder.CreateMul(call, number(run.places));
          builder.CreateCall(run.function, {frame, builder.CreateInBoundsGEP(builder.getInt32Ty(), run.table, first)});
        },
        "parts");
}

}  // namespace rnnc::compiler
