// rnnc inspect: plans that tell what feeds what, drawings for Graphviz, and loops that are marked in assembly.
#include <regex>
#include <set>
#include <sstream>

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/stage_flow.hpp"
#include "ir/cell.hpp"
#include "tests/tools/example_files.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A drawing taken apart: every edge is between nodes that are drawn, braces match, and Graphviz agrees where it is
// there.
struct Dot {
  std::set<std::string> nodes;
  std::vector<std::string> solid, dashed;  // "a -> b"
};

Dot read_dot(const Folder& folder, const std::string& text) {
  INFO(text);
  Dot dot;
  int open = 0;
  std::istringstream lines(text);
  const std::regex node("^ +\"([^\"]+)\" \\[label=.*\\];$"), edge("^ +\"([^\"]+)\" -> \"([^\"]+)\"( \\[.*\\])?;$");
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    open += line.ends_with("{") ? 1 : line.ends_with("}") ? -1 : 0;
    if (std::regex_match(line, match, edge))
      (contains(match[3], "style=dashed") ? dot.dashed : dot.solid).push_back(match[1].str() + " -> " + match[2].str());
    else if (std::regex_match(line, match, node))
      dot.nodes.insert(match[1]);
  }
  CHECK(text.starts_with("digraph "));
  CHECK(open == 0);
  for (const auto* edges : {&dot.solid, &dot.dashed})
    for (const std::string& one : *edges) {
      INFO(one);
      CHECK(dot.nodes.count(one.substr(0, one.find(" -> "))) == 1);
      CHECK(dot.nodes.count(one.substr(one.find(" -> ") + 4)) == 1);
    }
  folder.write("drawing.dot", text);
  if (has_program("dot")) CHECK(shell(folder, "dot -Tsvg drawing.dot -o drawing.svg") == 0);
  return dot;
}

bool has(const std::vector<std::string>& edges, const std::string& edge) {
  return std::ranges::find(edges, edge) != edges.end();
}

}  // namespace

TEST_CASE("a plan tells what feeds each stage, and the line that --plan takes", "[tools]") {
  const Folder folder;
  const std::string inspect = "inspect --cell gru_cho --dim I=64 --dim H=64 --isa x86-64-v4 --emit plan";
  const std::string plan = folder.rnnc(inspect).out;
  INFO(plan);
  const std::size_t line = plan.find("\nplan ");
  REQUIRE(line != std::string::npos);
  const std::string choice = plan.substr(line + 6, plan.find('\n', line + 1) - line - 6);
  CHECK(choice.starts_with("0:"));
  CHECK(folder.rnnc(inspect + " --plan " + choice).out == plan);
  for (const char* part :
       {"\nsequence: ahead of the steps", "\n+-- stage 0: sequence", "|   <-- x, 64, in a product\n",
        "|   --> stage 1\n", "\nstep: one after the other", "|   <-- state h, 64, in a product\n",
        "|   <-- stage 0, 64\n", "|   --> stage 2\n", "\n+-- stage 2: step", "|   <-- stage 1, 64, in a product\n",
        "|   --> state h, for the next step\n", "|   --> y\n"}) {
    INFO(part);
    CHECK(contains(plan, part));
  }
}

TEST_CASE("the stages of every standard cell have their sources before them", "[tools]") {
  for (const std::string& name : standard_cell_names()) {
    INFO(name);
    const auto lowered = compiler::lower(standard(name, 20, 36), compiler::resolve_target("x86-64-v3", false).value());
    const compiler::Schedule& schedule = lowered.value().schedule;
    const auto flows = compiler::flow_of(schedule);
    std::set<std::string> states;
    bool output = false, input = false;
    for (std::size_t s = 0; s < flows.size(); ++s) {
      for (const compiler::Read& read : flows[s].reads) {
        input |= read.from == compiler::Read::From::Input;
        if (read.from != compiler::Read::From::Stage) continue;
        CHECK(read.stage < s);
        CHECK(schedule.stages[read.stage].phase <= schedule.stages[s].phase);
      }
      states.insert(flows[s].states.begin(), flows[s].states.end());
      output |= flows[s].output;
    }
    CHECK(input);
    CHECK(output);
    CHECK(states.size() == schedule.states.size());
  }
}

TEST_CASE("--dot draws a cell's operations, with states as dashed edges", "[tools]") {
  const Folder folder;
  const Dot symbolic = read_dot(folder, folder.rnnc("inspect --cell lstm --dot").out);
  CHECK(symbolic.dashed.size() == 2);
  const Dot hoisted = read_dot(folder, folder.rnnc("inspect --cell lstm --dim I=3 --dim H=5 --after hoist --dot").out);
  CHECK(hoisted.dashed.size() == 2);
  CHECK(hoisted.nodes.count("output") == 1);
  check_fails(folder, "inspect --cell lstm --dim I=3 --dim H=5 --emit asm --dot", 2,
              "--dot: goes with --emit text or plan");
}

TEST_CASE("--dot draws a plan's stages", "[tools]") {
  const Folder folder;
  for (const std::string cell : {"lstm", "gru_cho", "lstm_layer_norm", "mingru"}) {
    INFO(cell);
    const Dot dot =
        read_dot(folder, folder.rnnc("inspect --cell " + cell + " --dim I=20 --dim H=36 --emit plan --dot").out);
    CHECK(has(dot.solid, "input x -> stage0"));
    CHECK(dot.dashed.size() >= 1);
  }
  const Dot lstm = read_dot(folder, folder.rnnc("inspect --cell lstm --dim I=20 --dim H=36 --emit plan --dot").out);
  CHECK(has(lstm.solid, "stage0 -> stage1"));
  CHECK(has(lstm.solid, "state h -> stage1"));
  CHECK(has(lstm.dashed, "stage1 -> state h"));
  CHECK(has(lstm.dashed, "stage1 -> state c"));
  CHECK(has(lstm.solid, "stage1 -> y"));
}

TEST_CASE("the text of a network has the cells of its file, and is the model that import writes", "[tools]") {
  const Folder folder;
  const std::string graph = RNNC_SOURCE_DIR "/tests/conformance/onnx/nested_in_if.onnx --const condition=1 ";
  REQUIRE(folder.rnnc("import " + graph + "-o m.rnn").code == 0);
  REQUIRE(
      contains(folder.text("m.rnn"), "  lstm_forward = lstm<H=5>(X) from (h = lstm_forward_k, c = lstm_forward_k2)\n"));
  CHECK(folder.rnnc("inspect " + graph).out == folder.text("m.rnn"));
  CHECK(folder.rnnc("inspect m.rnn").out == folder.text("m.rnn"));
  // A cell that the network does not run, and one that comes with rnnc, are not shown.
  folder.write("two.rnn",
               "cell other { input x : f32[2] output x }\n"
               "cell total { input x : f32[2] state s : f32[2] s' = s + x output s' }\n"
               "network n { input x : seq f32[2] a = total(x) b = gru<H=3>(a) output b }\n");
  const std::string two = folder.rnnc("inspect two.rnn").out;
  CHECK(two.starts_with("cell total {\n"));
  CHECK(contains(two, "\n}\n\nnetwork n {\n"));
  CHECK(!contains(two, "cell other"));
  CHECK(!contains(two, "cell gru"));
  CHECK(folder.rnnc("inspect two.rnn --cell total").out + "\n" == two.substr(0, two.find("network n")));
}

TEST_CASE("--dot draws networks: calls as nodes, states as dashed edges", "[tools]") {
  const Folder folder;
  folder.write("net.rnn",
               "cell total<N> { input x : f32[N] state s : f32[N] s' = s + x output s' }\n"
               "network n { input x : seq f32[2] a = total(x) b = reverse total(a) from (s = a.s) output mean(b) }\n");
  const Dot text = read_dot(folder, folder.rnnc("inspect net.rnn --dot").out);
  CHECK(text.dashed.size() == 2);  // a to its last state, and that to b
  const Dot plan = read_dot(folder, folder.rnnc("inspect net.rnn --emit plan --dot").out);
  CHECK(has(plan.solid, "input x -> call 0"));
  CHECK(has(plan.solid, "call 0 -> call 1"));
  CHECK(has(plan.dashed, "call 0 -> call 1"));
  CHECK(has(plan.dashed, "call 1 -> call 1"));
  CHECK(has(plan.solid, "call 2 -> output"));
  const std::string printed = folder.rnnc("inspect net.rnn --emit plan").out;
  CHECK(contains(printed, "|   <-- call 0, its last state, columns 0:2, begins state s\n"));
}

TEST_CASE("inspect --emit asm marks loops with their stage, depth and what is in them", "[tools]") {
  const Folder folder;
  const std::string inspect = "inspect --cell lstm --dim I=64 --dim H=64 --emit asm --isa ";
  for (const auto& [cpu, mark] : {std::pair("x86-64-v3", "# "), {"aarch64-cortex-a72", "// "}}) {
    INFO(cpu);
    const Finished finished = folder.rnnc(inspect + cpu);
    REQUIRE(finished.code == 0);
    const std::string begin = "\n" + std::string(mark);
    CHECK(contains(finished.out, begin + "    loop of depth 2, over time, "));
    const std::regex product(begin +
                             " +loop of depth [34], stage 1, over columns, [0-9]+ instructions, [0-9]+ "
                             "multiply-adds, [0-9]+ loads, no spills\n\\.LBB");
    CHECK(std::regex_search(finished.out, product));
    CHECK_FALSE(contains(finished.out, "Loop Header"));
    folder.write("kernel.s", finished.out);
    const std::string assembler = std::string(cpu).starts_with("x86") ? "as" : "aarch64-linux-gnu-as";
    if (has_program(assembler)) CHECK(shell(folder, assembler + " kernel.s -o kernel.o") == 0);
  }
}

TEST_CASE("--backend portable shows the program of a cell, and of each cell of a network", "[tools]") {
  const Folder folder;
  const std::string portable = " --dim I=3 --dim H=20 --emit plan --backend portable";
  const std::string cell = folder.rnnc("inspect --cell rnn" + portable).out;
  CHECK(contains(cell, "portable program of rnn\n"));
  CHECK(contains(cell, "\nstep: one after the other"));
  CHECK(contains(cell, " = product(current[0:20], weights["));
  CHECK(contains(cell, "\n  y[0:20] = next[0:20]\n"));
  const std::string network = folder.rnnc("inspect --cell rnn --layers 2" + portable).out;
  CHECK(contains(network, "// rnn of l1."));
  CHECK(contains(network, "portable program of rnn\n"));
  check_fails(folder, "inspect --cell rnn --dim I=3 --dim H=4 --emit asm --backend portable", 2,
              "--backend: portable goes with --emit plan");
  check_fails(folder, "inspect --cell rnn" + portable + " --plan 0:1/1/1", 2,
              "--plan: goes with --emit plan, llvm or asm");
  check_fails(folder, "inspect --cell rnn" + portable + " --dot", 2, "--dot: goes with --emit text or plan of");
}

TEST_CASE("--emit calls shows what a network is cut into", "[tools]") {
  const Folder folder;
  CHECK(folder.rnnc("inspect --cell rnn --dim I=3 --dim H=4 --layers 2 --emit calls").out ==
        "x over T -> b0\n"
        "rnn l1. over T of b0[0:3] -> b1\n"
        "rnn l2. over T of b1[0:4] -> b2\n"
        "output over T is b2[0:4]\n");
  check_fails(folder, "inspect --cell rnn --dim I=3 --dim H=4 --emit calls", 2, "--emit: calls are of a network");
}

TEST_CASE("--object shows the LLVM IR of an object, with the code of each CPU", "[tools]") {
  const Folder folder;
  const std::string inspect = "inspect --cell rnn --dim I=3 --dim H=4 --object --isa x86-64-v2,x86-64-v4 --emit ";
  const std::string cell = folder.rnnc(inspect + "llvm").out;
  for (const char* part : {"\ndefine i32 @rnn_run(", "\ndefine i32 @rnn_step(", "\"target-cpu\"=\"x86-64-v2\"",
                           "\"target-cpu\"=\"x86-64-v4\"", "zeroinitializer"}) {
    INFO(part);
    CHECK(contains(cell, part));
  }
  const std::string network = folder.rnnc(inspect + "llvm --layers 2").out;
  CHECK(contains(network, "_start("));
  check_fails(folder, inspect + "asm", 2, "--object: goes with --emit llvm");
  check_fails(folder, "inspect --cell rnn --dim I=3 --dim H=4 --object --emit llvm --isa x86-64-v2,x86-64-v9", 2,
              "--isa: unknown CPU 'x86-64-v9'");
}

}  // namespace rnnc::test
