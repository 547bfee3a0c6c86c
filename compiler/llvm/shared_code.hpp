// Parts of stages whose code differs only in the places of vectors and panels share one function, which finds its
// places in a table. A frame of a network of convolutions is hundreds of such parts: written out, their code is larger
// than the caches that it comes from.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <map>
#include <utility>
#include <vector>

#include "compiler/llvm/stage_functions.hpp"

namespace rnnc::compiler {

/// Lists the places that code asks for, each once. The code reads them from a table in the order of the list.
class PlaceTable {
 public:
  explicit PlaceTable(llvm::Value* table) : table_(table) {}

  /// Emits the load of a place (i64).
  llvm::Value* place(llvm::IRBuilder<>& builder, Space space, std::int64_t offset);

  const std::vector<std::uint32_t>& places() const { return places_; }

 private:
  llvm::Value* table_;
  std::vector<std::uint32_t> places_;
  std::map<std::pair<Space, std::int64_t>, unsigned> numbers_;
};

class SharedCode {
 public:
  /// Finds the parts that share code among all stages of a phase and emits their functions. `context` and `values` are
  /// those of the function that calls the functions of stages.
  SharedCode(llvm::IRBuilder<>& builder, const StageContext& context, Phase phase, const StageValues& values,
             llvm::AttributeList attributes);

  /// Emits the parts of a stage that share code, as calls. `frame` holds the values of the phase.
  void emit_calls(llvm::IRBuilder<>& builder, std::size_t stage, llvm::Value* frame) const;

  /// Returns what is left of a stage without those parts and its copies.
  const Stage& rest(std::size_t stage) const { return stages_.at(stage).rest; }

 private:
  /// The calls [first, first + count) of a function, with one row of the table each.
  struct Run {
    llvm::Function* function = nullptr;
    llvm::GlobalVariable* table = nullptr;
    std::int64_t first = 0, count = 0, places = 0;
  };
  struct StageCode {
    Stage rest;
    std::vector<Run> runs;
  };

  std::map<std::size_t, StageCode> stages_;
};

}  // namespace rnnc::compiler
