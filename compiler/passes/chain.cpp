// Sums that hold products become chains: one Project after another, where each Project starts from the one before. An
// element is then a single sequence of fused multiply-adds, whatever the order in which the sum was written. The
// products of a chain are ordered by (phase, depth, position) of the vectors that they multiply. So no product of a
// chain waits for a later product of the same chain, and fuse_gates can stack products of one vector without making a
// cycle.
#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Function;
using ir::Node;
using ir::Op;
using ir::Value;

using StageKey = std::tuple<Phase, int, std::uint32_t>;

class Chainer {
 public:
  explicit Chainer(const Cell& from)
      : from_(from), users_(users(from)), phases_(phases(from)), depths_(depths(from)), last_key_(from.nodes.size()) {
    find_products();
  }

  Cell run() {
    const std::vector<bool> live = live_nodes(from_);
    replaced_.resize(from_.nodes.size());
    to_ = like(from_);
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i)
      if (live[i] && !is_inner(i)) replaced_[i] = rewrite(i);
    copy_statements(from_, kept(live), replaced_, to_);
    return cse(to_);
  }

 private:
  bool is_add(std::uint32_t i) const {
    return from_.nodes[i].op == Op::Map && from_.nodes[i].function == Function::Add;
  }

  // A sum with products, or a product, whose only user is an addition becomes part of the chain of that addition.
  bool is_inner(std::uint32_t i) const {
    if (!last_key_[i] || users_[i].size() != 1 || users_[i][0] == kRoot) return false;
    return (is_add(i) || from_.nodes[i].op == Op::Matvec) && is_add(users_[i][0]);
  }

  std::vector<bool> kept(std::vector<bool> live) const {
    for (std::uint32_t i = 0; i < live.size(); ++i)
      if (is_inner(i)) live[i] = false;  // a let of it is dropped: part of a chain is no value any more
    return live;
  }

  // Fills last_key_: for each product, and for each sum that has a product as a term, the key of the last product.
  void find_products() {
    holds_product_.resize(from_.nodes.size());
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i) {
      const Node& node = from_.nodes[i];
      if (node.op == Op::Matvec) {
        const Value vector = node.operands[1];
        last_key_[i] = StageKey{phases_[vector.index], complete_depth(from_, depths_, vector), vector.index};
      }
      holds_product_[i] = node.op == Op::Matvec;
      for (Value operand : node.operands) {
        if (holds_product_[operand.index]) holds_product_[i] = true;
        if (is_add(i)) last_key_[i] = std::max(last_key_[i], last_key_[operand.index]);
      }
    }
  }

  Value rewrite(std::uint32_t i) {
    if (last_key_[i]) return chain_of(i);
    Node node = from_.nodes[i];
    for (Value& operand : node.operands) operand = replaced_[operand.index];
    return to_.append(std::move(node));
  }

  // Returns the terms of a sum from left to right. A long sum is nested deeply, so the walk does not recurse.
  std::vector<std::uint32_t> terms_of(std::uint32_t sum) const {
    std::vector<std::uint32_t> terms, pending{sum};
    while (!pending.empty()) {
      const std::uint32_t i = pending.back();
      pending.pop_back();
      if (is_add(i) && (i == sum || is_inner(i)))
        for (std::size_t j = from_.nodes[i].operands.size(); j-- > 0;)
          pending.push_back(from_.nodes[i].operands[j].index);
      else
        terms.push_back(i);
    }
    return terms;
  }

  Value chain_of(std::uint32_t sum) {
    std::vector<std::uint32_t> products, chains, others;
    for (std::uint32_t term : terms_of(sum)) {
      if (from_.nodes[term].op == Op::Matvec && (term == sum || is_inner(term)))
        products.push_back(term);
      else
        (last_key_[term] ? chains : others).push_back(term);
    }
    std::stable_sort(products.begin(), products.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return last_key_[a] < last_key_[b]; });

    std::optional<Value> total;
    const auto add = [&](Value term) { total = total ? to_.map(Function::Add, {*total, term}) : term; };
    std::vector<std::uint32_t> after;
    const bool starts_from_chain =
        !chains.empty() && (products.empty() || last_key_[chains[0]] < last_key_[products[0]]);
    if (starts_from_chain) add(replaced_[chains[0]]);
    after.insert(after.end(), chains.begin() + (starts_from_chain ? 1 : 0), chains.end());
    for (std::uint32_t term : others) {
      const bool early = !starts_from_chain && !products.empty() && !holds_product_[term] &&
                         phases_[term] <= std::min(std::get<Phase>(*last_key_[products[0]]), Phase::Sequence);
      if (early)
        add(replaced_[term]);
      else
        after.push_back(term);
    }
    for (std::uint32_t product : products) total = extend(from_.nodes[product], total);
    for (std::uint32_t term : after) add(replaced_[term]);
    return *total;
  }

  Value extend(const Node& product, std::optional<Value> start) {
    const Value vector = replaced_[product.operands[1].index], matrix = replaced_[product.operands[0].index];
    const Value begin = start ? *start : to_.constant(0);
    return to_.append({.op = Op::Project, .operands = {vector, matrix, begin}, .location = product.location});
  }

  const Cell& from_;
  Cell to_;
  std::vector<Value> replaced_;
  std::vector<std::vector<std::uint32_t>> users_;
  std::vector<Phase> phases_;
  std::vector<int> depths_;
  std::vector<std::optional<StageKey>> last_key_;
  std::vector<bool> holds_product_;
};

}  // namespace

Cell chain(const Cell& cell) { return Chainer(cell).run(); }

}  // namespace rnnc::compiler
