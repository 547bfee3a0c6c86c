// The stages of a compilation that RNNC_DEBUG names become text on standard error, or files in RNNC_DUMP_DIR.
#pragma once

#include <chrono>
#include <string_view>

#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"
#include "ir/environment.hpp"

namespace rnnc::compiler {

struct Lowered;

class Dumper {
 public:
  explicit Dumper(const ir::Cell& cell);

  void pass(std::string_view name, const ir::Cell& after, double seconds);

  /// Shows the plan, the LLVM IR and the assembly, each where RNNC_DEBUG asks for it.
  void plan(const Lowered& lowered, const Target& target);

  /// Runs `work` and reports its time under `name`.
  template <class Work>
  auto timed(std::string_view name, const Work& work) {
    const auto start = std::chrono::steady_clock::now();
    auto result = work();
    time(name, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return result;
  }

 private:
  void time(std::string_view name, double seconds);
  void text(const std::string& file, std::string_view content);

  Environment environment_;
  std::string cell_;
  int passes_ = 0;
};

}  // namespace rnnc::compiler
