#include "compiler/llvm/stage_parts.hpp"

#include <algorithm>
#include <map>

#include "compiler/passes/analysis.hpp"
#include "compiler/schedule/stage_flow.hpp"

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Op;
using ir::Value;

// The products, stores and reductions of a stage are numbered things here. A thing that shares a computed value with an
// earlier one takes the number of that one, and the things of one number are a part.
class Parting {
 public:
  Parting(const Schedule& schedule, const Stage& stage) : schedule_(schedule), stage_(stage) {
    const bool overwrites =
        std::ranges::any_of(stage.stores, [](const Store& store) { return store.home.space == Space::InPlace; });
    // Number 0 stands for the states that are overwritten.
    if (overwrites) firsts_.push_back(0);
    in_place_ = overwrites;
  }

  std::vector<Stage> run() {
    std::vector<std::size_t> products, stores, reductions;
    for (const Value product : stage_.products) {
      products.push_back(begin());
      const Node& node = schedule_.cell[product];
      computes(product);
      reads(node.operands[0]);
      for (std::size_t j = 2; j < node.operands.size(); j += 2) trace(node.operands[j]);
    }
    for (const Store& store : stage_.stores) {
      stores.push_back(begin());
      if (store.home.space == Space::InPlace) join(stores.back(), 0);
      trace(store.value);
    }
    for (const ReductionStep& reduction : stage_.reductions) {
      reductions.push_back(begin());
      trace(schedule_.cell[reduction.node].operands[0]);
    }
    for (std::size_t i = 0; i < products.size(); ++i) part_of(products[i]).products.push_back(stage_.products[i]);
    for (std::size_t i = 0; i < stores.size(); ++i) part_of(stores[i]).stores.push_back(stage_.stores[i]);
    for (std::size_t i = 0; i < reductions.size(); ++i)
      part_of(reductions[i]).reductions.push_back(stage_.reductions[i]);
    std::vector<Stage> parts;
    for (auto& [first, part] : parts_) parts.push_back(std::move(part));
    return parts;
  }

 private:
  std::size_t begin() {
    firsts_.push_back(firsts_.size());
    return firsts_.size() - 1;
  }

  std::size_t first_of(std::size_t thing) {
    while (firsts_[thing] != thing) thing = firsts_[thing] = firsts_[firsts_[thing]];
    return thing;
  }

  void join(std::size_t a, std::size_t b) {
    a = first_of(a);
    b = first_of(b);
    firsts_[std::max(a, b)] = std::min(a, b);
  }

  // Notes that the newest thing computes a value. Returns whether it was known before.
  bool computes(Value value) {
    const std::size_t thing = firsts_.size() - 1;
    const auto [found, is_new] = computed_.try_emplace(value, thing);
    if (!is_new) join(thing, found->second);
    return !is_new;
  }

  void reads(Value value) {
    const std::optional<Home> home = schedule_.find(value);
    if (in_place_ && home && home->space == Space::InPlace) join(firsts_.size() - 1, 0);
  }

  void trace(Value root) {
    std::vector<Value> pending{root};
    while (!pending.empty()) {
      const Value value = pending.back();
      pending.pop_back();
      const Node& node = schedule_.cell[value];
      if (node.op == Op::Constant) continue;
      if (is_loaded(schedule_, stage_, value)) {
        reads(value);
        continue;
      }
      const bool is_of_product = is_gate(schedule_.cell, value);
      if (computes(is_of_product ? node.operands[0] : value)) continue;
      if (is_of_product || node.op == Op::Project) continue;
      for (const Value operand : node.operands)
        if (schedule_.cell[operand].type.rank() < 2) pending.push_back(operand);
    }
  }

  Stage& part_of(std::size_t thing) {
    const auto [found, is_new] = parts_.try_emplace(first_of(thing));
    if (is_new) {
      found->second.phase = stage_.phase;
      found->second.depth = stage_.depth;
      found->second.units = stage_.units;
    }
    return found->second;
  }

  const Schedule& schedule_;
  const Stage& stage_;
  bool in_place_ = false;
  std::vector<std::size_t> firsts_;
  std::map<Value, std::size_t> computed_;  // and the thing that computed it first
  std::map<std::size_t, Stage> parts_;     // by their first things
};

}  // namespace

std::vector<Stage> parts_of(const Schedule& schedule, const Stage& stage) { return Parting(schedule, stage).run(); }

}  // namespace rnnc::compiler
