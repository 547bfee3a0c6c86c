// How the blocks of a stage are gone through: some at a time, and where threads share a stage, those of this thread.
#pragma once

#include "compiler/llvm/tile.hpp"

namespace rnnc::compiler {

class BlockGroups {
 public:
  /// Groups of `width` blocks; what is left is one group. Where gates share the vectors of a last block that is not
  /// full, it has code of its own: with what is left, or `packed_alone`.
  BlockGroups(const StageContext& context, const Stage& stage, int width, bool packed_alone);

  /// Calls `body` for each form of group, with the first block (i64) of a group of this form: in a loop over the groups
  /// that are alike.
  void for_each(llvm::IRBuilder<>& builder,
                llvm::function_ref<void(int blocks, llvm::Value* block, Tail tail)> body) const;

 private:
  struct Rest {
    std::int64_t block = 0;
    int blocks = 0;
    Tail tail = Tail::None;
  };

  const Part& part_;
  int width_;
  std::int64_t alike_ = 0;  // groups of `width` blocks
  Tail tail_of_alike_ = Tail::None;
  std::vector<Rest> rest_;
};

}  // namespace rnnc::compiler
