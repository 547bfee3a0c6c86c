// What can be read off the assembly of kernels: product loops keep all their vectors in registers.
#include <map>
#include <sstream>
#include <vector>

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

LoopFacts facts_of(const std::vector<std::string>& loop) {
  LoopFacts facts;
  for (const std::string& line : loop) {
    facts.multiply_adds += contains(line, "vfmadd");
    facts.divisions += contains(line, "vdiv");
    facts.stack_accesses += (contains(line, "(%rsp)") || contains(line, "(%rbp)")) && contains(line, "mm");
  }
  return facts;
}

}  // namespace

TEST_CASE("product loops spill no vector", "[assembly]") {
  int product_loops = 0;
  for (const char* cpu : {"x86-64-v3", "x86-64-v4", "znver4"})
    for (const char* name : {"lstm", "gru", "gru_cho", "rnn", "lstm_peephole"})
      for (const std::int64_t size : {8, 20, 64, 257}) {
        const compiler::Target target = compiler::resolve_target(cpu, false).value();
        const compiler::Lowered lowered = compiler::lower(standard(name, size, size), target);
        for (const auto& loop : innermost_loops(compiler::emit_assembly(lowered.schedule, lowered.plan, target))) {
          const LoopFacts facts = facts_of(loop);
          if (facts.multiply_adds < 4 || facts.divisions > 0) continue;
          ++product_loops;
          INFO(name << " " << size << " " << cpu << ": a loop of " << facts.multiply_adds << " multiply-adds");
          CHECK(facts.stack_accesses == 0);
        }
      }
  CHECK(product_loops > 100);
}

}  // namespace rnnc::test
