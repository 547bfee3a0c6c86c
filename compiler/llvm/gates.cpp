#include "compiler/llvm/gates.hpp"

#include <algorithm>

namespace rnnc::compiler {

Gates::Gates(const StageContext& context, const Stage& stage)
    : left_(static_cast<int>(stage.units % context.plan.lanes)) {
  const ir::Cell& cell = context.schedule.cell;
  int gates = 0, packed = 0;
  for (ir::Value product : stage.products) {
    const Panel& panel = context.plan.panel(product);
    products_.push_back({&panel, gates, packed});
    if (panel.gates == 1) gate_[product] = gates;
    // A stacked product is read through slices, one for each gate.
    if (const auto slices = context.schedule.gates.find(product); slices != context.schedule.gates.end())
      for (const ir::Value slice : slices->second)
        gate_[slice] = gates + static_cast<int>(cell[slice].ranges[0].begin.value() / stage.units);
    gates += panel.gates;
    packed += panel.vectors(true);
  }
}

int Gates::find(ir::Value value) const {
  const auto found = gate_.find(value);
  return found == gate_.end() ? -1 : found->second;
}

const Gates::Product& Gates::product_of(ir::Value product) const {
  return *std::find_if(products_.begin(), products_.end(),
                       [&](const Product& p) { return p.panel->product == product; });
}

int Gates::accumulators(bool in_tail) const {
  int count = 0;
  for (const Product& product : products_) count += product.panel->vectors(in_tail);
  return count;
}

int Gates::first_accumulator(ir::Value product, bool in_tail) const {
  return in_tail ? product_of(product).first_packed : product_of(product).first_gate;
}

Gates::Place Gates::place(int gate, bool in_tail) const {
  if (!in_tail) return {gate, 0};
  std::size_t i = products_.size() - 1;
  while (products_[i].first_gate > gate) --i;
  const int mine = gate - products_[i].first_gate, together = products_[i].panel->tail_gates;
  return {products_[i].first_packed + mine / together, mine % together * left_};
}

const Panel& Gates::panel_of(int accumulator, bool in_tail) const {
  std::size_t i = products_.size() - 1;
  while ((in_tail ? products_[i].first_packed : products_[i].first_gate) > accumulator) --i;
  return *products_[i].panel;
}

Gates::Slot Gates::slot(int accumulator, bool in_tail) const {
  std::size_t i = products_.size() - 1;
  const auto first = [&] { return in_tail ? products_[i].first_packed : products_[i].first_gate; };
  while (first() > accumulator) --i;
  return {first(), products_[i].panel->vectors(in_tail), accumulator - first()};
}

}  // namespace rnnc::compiler
