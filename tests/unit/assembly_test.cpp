// What can be read off the assembly of kernels: product loops keep all their vectors in registers.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "bench/grid.hpp"
#include "compiler/codegen.hpp"
#include "compiler/lower.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

// Innermost loops, each as its lines: from a label to the jump back to it with no label between.
std::vector<std::vector<std::string>> innermost_loops(const std::string& assembly) {
  std::vector<std::vector<std::string>> loops;
  std::vector<std::string> since_label;
  std::string label;
  std::istringstream text(assembly);
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with(".L") && line.find(':') != std::string::npos) {
      label = line.substr(0, line.find(':'));
      since_label.clear();
      continue;
    }
    since_label.push_back(line);
    const std::size_t target = line.find(label);
    if (!label.empty() && line.starts_with("\tj") && target != std::string::npos && line.substr(target) == label)
      loops.push_back(since_label);
  }
  return loops;
}

bool contains(const std::string& line, const char* text) { return line.find(text) != std::string::npos; }

struct LoopFacts {
  int multiply_adds = 0, divisions = 0, stack_accesses = 0;
};

// rbp is a pointer like any other in functions that make no frame of it.
LoopFacts facts_of(const std::vector<std::string>& loop, bool rbp_is_frame) {
  LoopFacts facts;
  for (const std::string& line : loop) {
    facts.multiply_adds += contains(line, "vfmadd") || contains(line, "\tmulps");
    facts.divisions += contains(line, "divps");
    const bool on_stack = contains(line, "(%rsp)") || (rbp_is_frame && contains(line, "(%rbp)"));
    facts.stack_accesses += on_stack && contains(line, "mm");
  }
  return facts;
}

// Loops of products alone, as they are in the code of one row and in that of batches; those with a division belong to
// activations.
std::vector<LoopFacts> product_loops(const std::string& assembly) {
  const bool rbp_is_frame = contains(assembly, "movq\t%rsp, %rbp");
  std::vector<LoopFacts> products;
  for (const auto& loop : innermost_loops(assembly)) {
    const LoopFacts facts = facts_of(loop, rbp_is_frame);
    if (facts.multiply_adds >= 4 && facts.divisions == 0) products.push_back(facts);
  }
  return products;
}

struct Compiled {
  compiler::Lowered lowered;
  std::string assembly;
};

Compiled compile_for(const std::string& cpu, const std::string& cell, std::int64_t size) {
  const compiler::Target target = compiler::resolve_target(cpu, false).value();
  compiler::Lowered lowered = compiler::lower(standard(cell, size, size), target).value();
  std::string assembly = compiler::emit_assembly(lowered.schedule, lowered.plan, target);
  return {std::move(lowered), std::move(assembly)};
}

// Whether a loop of the largest tile is among `loops`: as many multiply-adds as it has accumulators, once or more.
bool has_tile(const std::vector<LoopFacts>& loops, int accumulators) {
  return std::ranges::any_of(loops, [&](const LoopFacts& loop) { return loop.multiply_adds % accumulators == 0; });
}

}  // namespace

// All sizes of the grid, since a loop's registers depend on more than its tile: on the tail, on left-over columns, on
// what the loops around it keep. T, B and threads are no part of the code.
TEST_CASE("product loops spill no vector", "[assembly]") {
  for (const char* cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4", "znver4"})
    for (const std::string& cell : bench::kGridCells)
      for (const std::int64_t size : bench::kGridSizes)
        for (const LoopFacts& loop : product_loops(compile_for(cpu, cell, size).assembly)) {
          INFO(cell << " " << size << " " << cpu << ": a loop of " << loop.multiply_adds << " multiply-adds");
          CHECK(loop.stack_accesses == 0);
        }
}

TEST_CASE("the loops of one row and of batches are found", "[assembly]") {
  for (const char* cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    for (const std::string& cell : bench::kGridCells) {
      const Compiled compiled = compile_for(cpu, cell, 333);
      const auto loops = product_loops(compiled.assembly);
      for (std::size_t s = 0; s < compiled.lowered.schedule.stages.size(); ++s) {
        const compiler::StagePlan& plan = compiled.lowered.plan.stages[s];
        for (const ir::Value product : compiled.lowered.schedule.stages[s].products) {
          const int gates = compiled.lowered.plan.panel(product).gates;
          INFO(cell << " " << cpu << ", stage " << s << ": " << gates << " gates");
          // What is hoisted is stored as it is, by tiles of one row too.
          if (compiled.lowered.schedule.stages[s].phase == compiler::Phase::Step)
            CHECK(has_tile(loops, gates * plan.single_blocks));
          CHECK(plan.batch_rows > 0);
          const int vectors = gates * plan.batch_blocks;
          CHECK(has_tile(loops, vectors * compiler::pieces_of_tile(plan.batch_rows, vectors).front()));
        }
      }
    }
}

}  // namespace rnnc::test
