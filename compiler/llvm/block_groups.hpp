// The blocks of a stage become groups of a few blocks each, and the loop that passes over the groups. Where threads
// share the stage, a thread passes over its own groups only.
#pragma once

#include "compiler/llvm/tile.hpp"

namespace rnnc::compiler {

class BlockGroups {
 public:
  /// Makes groups of `width` blocks; the blocks left over are one more group. A last block whose gates share vectors
  /// (the layout is drawn in compiler/schedule/plan.hpp) needs code of its own: it is never in a group of the loop,
  /// and where `packed_alone` it is a group by itself.
  BlockGroups(const StageContext& context, const Stage& stage, int width, bool packed_alone);

  /// Calls `body` once for each form of group, with the first block (i64) of the group. Groups of `width` blocks are
  /// alike, so that one call inside a loop emits the code of all; the loop runs backwards where `turned` (i1, or null)
  /// is true.
  void for_each(llvm::IRBuilder<>& builder, llvm::function_ref<void(int blocks, llvm::Value* block, Tail tail)> body,
                llvm::Value* turned = nullptr) const;

 private:
  struct Rest {
    std::int64_t block = 0;
    int blocks = 0;
    Tail tail = Tail::None;
  };

  const Part& part_;
  int width_;
  std::int64_t alike_ = 0;  // the number of groups of `width` blocks
  Tail tail_of_alike_ = Tail::None;
  std::vector<Rest> rest_;
};

}  // namespace rnnc::compiler
