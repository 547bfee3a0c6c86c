// These tests read the assembly of kernels: product loops keep all their vectors in registers.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "bench/grid.hpp"
#include "compiler/llvm/assembly.hpp"
#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/lower.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

constexpr compiler::Arch kX86 = compiler::Arch::X86_64;

// Loops of products alone, as they are in the code of one row and in that of batches; those with a division belong to
// activations.
std::vector<compiler::Loop> product_loops(const std::string& assembly) {
  std::vector<compiler::Loop> products;
  for (compiler::Loop& loop : compiler::find_loops(kX86, assembly))
    if (!loop.has_loops && !loop.has_branches && loop.multiply_adds >= 4 && loop.divisions == 0)
      products.push_back(std::move(loop));
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
bool has_tile(const std::vector<compiler::Loop>& loops, int accumulators) {
  return std::ranges::any_of(loops, [&](const compiler::Loop& loop) { return loop.multiply_adds % accumulators == 0; });
}

}  // namespace

// All sizes of the grid, since a loop's registers depend on more than its tile: on the tail, on left-over columns, on
// what the loops around it keep. T, B and threads are no part of the code.
TEST_CASE("product loops spill no vector", "[assembly]") {
  for (const char* cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4", "znver4"})
    for (const std::string& cell : bench::kGridCells)
      for (const std::int64_t size : bench::kGridSizes)
        for (const compiler::Loop& loop : product_loops(compile_for(cpu, cell, size).assembly)) {
          INFO(cell << " " << size << " " << cpu << ": a loop of " << loop.multiply_adds << " multiply-adds");
          CHECK(loop.vector_stack_accesses == 0);
          CHECK(loop.vector_spills == 0);
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
          const int chains = compiled.lowered.plan.machine.chains(compiled.lowered.plan.lanes);
          CHECK(has_tile(loops, vectors * compiler::pieces_of_tile(plan.batch_rows, vectors, chains).front()));
        }
      }
    }
}

TEST_CASE("loops of x86 assembly are read with their depth and what is in them", "[assembly]") {
  const std::string text =
      "\t.type\tf,@function\n"
      "f:\n"
      ".LBB0_1:                # %time\n"
      "                        # =>This Loop Header: Depth=1\n"
      "\tmovq\t8(%rsp), %rax          # 8-byte Reload\n"
      ".LBB0_2:                # %stage1.columns7\n"
      "                        #   Parent Loop BB0_1 Depth=1\n"
      "                        # =>  This Inner Loop Header: Depth=2\n"
      "\tvfmadd231ps\t(%rax), %zmm1, %zmm2\n"
      "\tvfmadd231ps\t%zmm3, %zmm1, %zmm4\n"
      "\tvmovaps\t%zmm4, 64(%rsp)      # 64-byte Spill\n"
      "\tleaq\t(%rax,%rcx), %rax\n"
      "\tjl\t.LBB0_2\n"
      "# %bb.3:                 # %after\n"
      "                        #   in Loop: Header=BB0_1 Depth=1\n"
      "\tjmp\t.LBB0_3\n"
      ".LBB0_3:                # %after2\n"
      "                        #   in Loop: Header=BB0_1 Depth=1\n"
      "\tcmpq\t16(%rsp), %rcx\n"
      "\tjne\t.LBB0_1\n"
      "# %bb.4:                 # %end\n"
      "\tretq\n"
      "\t.size\tf, 1\n";
  const std::vector<compiler::Loop> loops = compiler::find_loops(kX86, text);
  REQUIRE(loops.size() == 2);
  const compiler::Loop &time = loops[0], &columns = loops[1];
  CHECK(time.depth == 1);
  CHECK(time.name == "time");
  CHECK(time.has_loops);
  CHECK(time.instructions == 4);
  CHECK(time.loads == 2);
  CHECK(time.spills == 1);
  CHECK(time.vector_spills == 0);
  CHECK(columns.depth == 2);
  CHECK(columns.name == "stage1.columns7");
  CHECK_FALSE(columns.has_loops);
  CHECK(columns.instructions == 5);
  CHECK(columns.multiply_adds == 2);
  CHECK(columns.loads == 1);
  CHECK(columns.vector_spills == 1);
  CHECK(columns.vector_stack_accesses == 1);
  const std::string marked = compiler::mark_loops(kX86, text);
  CHECK(marked.find(
            "#   loop of depth 1, over time, 4 instructions besides loops inside, 2 loads, 1 spill\n.LBB0_1:\n") !=
        std::string::npos);
  CHECK(marked.find("#     loop of depth 2, stage 1, over columns, 5 instructions, 2 multiply-adds, 1 load, 1 spill\n"
                    ".LBB0_2:\n") != std::string::npos);
  CHECK(marked.find("\tjl\t.LBB0_2\n#     end of loop of depth 2\n") != std::string::npos);
  CHECK(marked.find("This Loop Header") == std::string::npos);
  CHECK(marked.find("# 64-byte Spill") != std::string::npos);
}

TEST_CASE("a loop that is laid out from its middle is named by what is jumped back to", "[assembly]") {
  const std::string text =
      "\t.type\tf,@function\n"
      "f:\n"
      "\tjmp\t.LBB0_2\n"
      ".LBB0_1:                # %latch\n"
      "                        #   in Loop: Header=BB0_2 Depth=1\n"
      "\taddq\t$1, %rax\n"
      ".LBB0_2:                # %time\n"
      "                        # =>This Inner Loop Header: Depth=1\n"
      "\tcmpq\t%rax, %rcx\n"
      "\tjne\t.LBB0_1\n"
      "# %bb.3:                 # %end\n"
      "\tretq\n"
      "\t.size\tf, 1\n";
  const std::vector<compiler::Loop> loops = compiler::find_loops(kX86, text);
  REQUIRE(loops.size() == 1);
  CHECK(loops[0].label == ".LBB0_2");
  CHECK(loops[0].name == "time");
  CHECK(loops[0].instructions == 3);
  CHECK(loops[0].first_line == 3);
}

TEST_CASE("without comments, jumps back to labels tell loops", "[assembly]") {
  const std::string text =
      "\t.type\tf,@function\n"
      "f:\n"
      ".LBB0_1:\n"
      "\tmovq\t(%rax), %rbx\n"
      ".LBB0_2:\n"
      "\tmulps\t%xmm1, %xmm2\n"
      "\tjl\t.LBB0_2\n"
      "\tjge\t.LBB0_4\n"
      "\tjne\t.LBB0_1\n"
      ".LBB0_4:\n"
      "\tretq\n"
      "\t.size\tf, 1\n";
  const std::vector<compiler::Loop> loops = compiler::find_loops(kX86, text);
  REQUIRE(loops.size() == 2);
  CHECK(loops[0].depth == 1);
  CHECK(loops[0].has_loops);
  CHECK(loops[0].instructions == 3);
  CHECK(loops[1].depth == 2);
  CHECK(loops[1].instructions == 2);
  CHECK(loops[1].multiply_adds == 1);
}

TEST_CASE("loops of AArch64 assembly are read likewise", "[assembly]") {
  const std::string text =
      "\t.type\tf,@function\n"
      "f:\n"
      ".LBB0_1:                // %stage0.rows\n"
      "\tldp\tq0, q1, [x0]\n"
      "\tfmla\tv2.4s, v0.4s, v1.s[0]\n"
      "\tfdiv\tv2.4s, v2.4s, v3.4s\n"
      "\tstr\tq2, [sp, #16]            // 16-byte Folded Spill\n"
      "\tcbnz\tx1, .LBB0_1\n"
      "\tret\n"
      "\t.size\tf, 1\n";
  const std::vector<compiler::Loop> loops = compiler::find_loops(compiler::Arch::AArch64, text);
  REQUIRE(loops.size() == 1);
  CHECK(loops[0].instructions == 5);
  CHECK(loops[0].multiply_adds == 1);
  CHECK(loops[0].loads == 1);
  CHECK(loops[0].divisions == 1);
  CHECK(loops[0].vector_spills == 1);
  CHECK(loops[0].vector_stack_accesses == 1);
  CHECK(compiler::mark_loops(compiler::Arch::AArch64, text)
            .starts_with("\t.type\tf,@function\nf:\n//   loop of depth 1, stage 0, over rows, "));
}

TEST_CASE("every loop of a kernel tells what it is of, on every machine", "[assembly]") {
  for (const char* cpu : {"x86-64-v2", "x86-64-v4", "aarch64-cortex-a72"})
    for (const std::string cell : {"lstm", "gru_cho", "lstm_layer_norm"}) {
      INFO(cpu << " " << cell);
      const Compiled compiled = compile_for(cpu, cell, 333);
      bool has_time = false;
      for (const compiler::Loop& loop : compiler::find_loops(compiler::arch_of(cpu), compiled.assembly)) {
        INFO(loop.function << " " << loop.label << " " << loop.name);
        CHECK(loop.name != "");
        has_time |= loop.name == "time" && loop.has_loops && loop.depth == 2;
        if (loop.function == "rnnc_run" && loop.name.find("columns") != std::string::npos)
          CHECK(loop.name.starts_with("stage"));
      }
      CHECK(has_time);
    }
}

// Instructions only: labels, directives and comments are left out.
std::vector<std::string> instructions_of(const std::string& assembly) {
  std::vector<std::string> lines;
  std::istringstream text(assembly);
  for (std::string line; std::getline(text, line);) {
    line = line.substr(0, std::min({line.find('#'), line.find("//"), line.size()}));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.pop_back();
    if (line.starts_with('\t') && !line.starts_with("\t.")) lines.push_back(line);
  }
  return lines;
}

TEST_CASE("marks leave every instruction as it is", "[assembly]") {
  const Compiled compiled = compile_for("x86-64-v3", "lstm", 64);
  CHECK(instructions_of(compiler::mark_loops(kX86, compiled.assembly)) == instructions_of(compiled.assembly));
  CHECK(instructions_of(compiled.assembly).size() > 100);
}

}  // namespace rnnc::test
