// How the blocks of a stage are gone through: some at a time, and where threads share a stage, those of this thread.
#pragma once

#include "compiler/tile.hpp"

namespace rnnc::compiler {

class BlockGroups {
 public:
  /// Groups of `width` full blocks. What is left is one group, or where `tail_alone`, a last block that is not full makes
  /// one of its own.
  BlockGroups(const StageContext& context, const Stage& stage, int width, bool tail_alone);

  /// Calls `body` for each form of group, with the first block (i64) of a group of this form: in a loop over the groups that
  /// are alike.
  void for_each(llvm::IRBuilder<>& builder,
                llvm::function_ref<void(int blocks, llvm::Value* block, bool has_tail)> body) const;

 private:
  struct Rest {
    std::int64_t block = 0;
    int blocks = 0;
    bool has_tail = false;
  };

  const Part& part_;
  int width_;
  std::int64_t alike_ = 0;  // groups of `width` full blocks
  std::vector<Rest> rest_;
};

}  // namespace rnnc::compiler
