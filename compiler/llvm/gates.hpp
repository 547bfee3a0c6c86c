// The products of a stage become numbered gates and accumulators.
#pragma once

#include <map>
#include <vector>

#include "compiler/llvm/stage_context.hpp"

namespace rnnc::compiler {

/// Gates are numbered over all products of a stage, product after product. An accumulator becomes the value of one
/// gate, or of several in a packed last block (the layout is drawn in compiler/schedule/plan.hpp).
class Gates {
 public:
  Gates(const StageContext& context, const Stage& stage);

  int first_of(ir::Value product) const { return product_of(product).first_gate; }
  /// Returns the number of the gate that `value` is, or -1.
  int find(ir::Value value) const;

  /// A block has so many accumulators; those of a product are in sequence from its first one on.
  int accumulators(bool in_tail) const;
  int first_accumulator(ir::Value product, bool in_tail) const;

  /// The values of a gate lie in an accumulator of the block, from a lane on.
  struct Place {
    int accumulator = 0;
    int lane = 0;
  };
  Place place(int gate, bool in_tail) const;

  const Panel& panel_of(int accumulator, bool in_tail) const;

  /// Describes an accumulator within its product: the product's first one, how many the product has, and the index
  /// among them.
  struct Slot {
    int first = 0, accumulators = 0, index = 0;
  };
  Slot slot(int accumulator, bool in_tail) const;

 private:
  struct Product {
    const Panel* panel = nullptr;
    int first_gate = 0, first_packed = 0;
  };
  const Product& product_of(ir::Value product) const;

  std::vector<Product> products_;
  std::map<ir::Value, int> gate_;
  int left_ = 0;  // the units in the last block, 0 where it is full
};

}  // namespace rnnc::compiler
