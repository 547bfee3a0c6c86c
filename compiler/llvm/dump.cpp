#include "compiler/llvm/dump.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>

#include "compiler/llvm/assembly.hpp"
#include "compiler/llvm/codegen.hpp"
#include "compiler/schedule/lower.hpp"
#include "ir/print.hpp"

namespace rnnc::compiler {

Dumper::Dumper(const ir::Cell& cell) : environment_(read_environment()), cell_(cell.name) {
  if (environment_.debug_ir) text("0-source.rnn", ir::print(cell));
}

void Dumper::pass(std::string_view name, const ir::Cell& after, double seconds) {
  ++passes_;
  if (environment_.debug_ir) text(std::to_string(passes_) + "-" + std::string(name) + ".rnn", ir::print(after));
  time(name, seconds);
}

void Dumper::plan(const Lowered& lowered, const Target& target) {
  if (environment_.debug_plan) text("plan.txt", print(lowered.plan, lowered.schedule, target));
  if (environment_.debug_llvm) text("kernel.ll", emit_llvm(lowered.schedule, lowered.plan, target));
  if (environment_.debug_asm)
    text("kernel.s", mark_loops(target.arch, emit_assembly(lowered.schedule, lowered.plan, target)));
}

void Dumper::time(std::string_view name, double seconds) {
  if (!environment_.debug_time) return;
  char line[80];
  std::snprintf(line, sizeof line, "rnnc: %-10.*s %8.3f ms\n", static_cast<int>(name.size()), name.data(),
                seconds * 1e3);
  std::cerr << line;
}

void Dumper::text(const std::string& file, std::string_view content) {
  if (environment_.dump_dir.empty()) {
    std::cerr << "// " << cell_ << " " << file << "\n" << content;
    return;
  }
  const std::string path = environment_.dump_dir + "/" + cell_ + "-" + file;
  if (!(std::ofstream(path) << content)) std::cerr << "rnnc: cannot write " << path << "\n";
}

}  // namespace rnnc::compiler
