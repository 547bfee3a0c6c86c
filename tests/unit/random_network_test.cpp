// The random networks of the differential tests are what those tests take them for, and together with the random cells
// they reach everything that the language has.
#include <map>
#include <set>
#include <string>

#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/random_rows.hpp"

namespace rnnc::test {
namespace {

// How often each thing is there, by its name.
using Counts = std::map<std::string, int>;

void count_scan(const ir::Graph& graph, const ir::Node& node, Counts& counts);

void count(const ir::Graph& graph, Counts& counts) {
  for (const ir::Node& node : graph.nodes) {
    ++counts["op " + std::to_string(static_cast<int>(node.op))];
    if (node.op == ir::Op::Rows) ++counts["row op " + std::string(ir::facts(node.row_op).name)];
    if (node.op == ir::Op::Map) ++counts["function " + std::to_string(static_cast<int>(node.function))];
    if (node.op == ir::Op::Reduce) ++counts["reduction " + std::string(ir::facts(node.reduction).name)];
    if (node.op == ir::Op::OverTime) ++counts["over time " + std::string(ir::facts(node.over_time).name)];
    if (node.type.is_sequence() && node.op == ir::Op::Map) ++counts["lifted"];
    if (node.type.is_sequence() && node.type.axis != ir::kTime) ++counts["another time"];
    if (node.op == ir::Op::Input && graph.kind == ir::Graph::Kind::Network && !node.type.is_sequence())
      ++counts["a vector input"];
    for (const ir::Dim& dim : node.type.dims)
      if (dim == ir::Dim(1)) ++counts["size 1"];
    if (node.op == ir::Op::Scan) count_scan(graph, node, counts);
  }
}

void count_scan(const ir::Graph& graph, const ir::Node& node, Counts& counts) {
  ++counts["direction " + std::to_string(static_cast<int>(node.scan->direction))];
  if (node.scan->direction == Direction::Bidirectional) ++counts["merge " + std::string(ir::name_of(node.scan->merge))];
  if (!node.scan->initial.empty()) ++counts["from"];
  if (!node.scan->steps.empty()) ++counts["steps"];
  if (node.scan->arguments(node) > 1) ++counts["several arguments"];
  for (std::size_t k = 0; k < node.scan->arguments(node); ++k)
    if (graph[node.operands[k]].op == ir::Op::Scan) ++counts["a scan of a scan"];
  count(*node.scan->cell, counts);
}

}  // namespace

TEST_CASE("the random graphs of the tests reach every op, function, reduction and construct") {
  Counts counts;
  for (std::uint64_t seed = 0; seed < kRandomCells; ++seed) count(random_cell(seed).cell, counts);
  for (std::uint64_t seed = 0; seed < kRandomRows; ++seed) count(random_rows(seed).cell, counts);
  for (std::uint64_t seed = 0; seed < kRandomNetworks; ++seed) count(random_network(seed).graph, counts);
  const auto reached = [&](const std::string& name) {
    INFO(name << ": " << counts[name]);
    CHECK(counts[name] >= 5);
  };
  const ir::Op ops[] = {
#define RNNC_OP(enumerator, text) ir::Op::enumerator,
#define RNNC_NETWORK_OP(enumerator, text) ir::Op::enumerator,
#include "ir/ops.def"
  };
  for (const ir::Op op : ops)
    if (op != ir::Op::Quantize)
      reached("op " + std::to_string(static_cast<int>(op)));  // a pass writes it, no text has it
  for (const ir::FunctionFacts& row : ir::kFunctions)
    reached("function " + std::to_string(static_cast<int>(row.function)));
  for (const ir::ReductionFacts& row : ir::kReductions) reached("reduction " + std::string(row.name));
  for (const ir::RowOpFacts& row : ir::kRowOps) reached("row op " + std::string(row.name));
  for (const ir::OverTimeFacts& row : ir::kOverTimes) reached("over time " + std::string(row.name));
  for (const Direction direction : {Direction::Forward, Direction::Reverse, Direction::Bidirectional})
    reached("direction " + std::to_string(static_cast<int>(direction)));
  for (const Merge merge : {Merge::Concat, Merge::Sum, Merge::Mean, Merge::Mul})
    reached("merge " + std::string(ir::name_of(merge)));
  for (const char* construct :
       {"lifted", "another time", "a vector input", "size 1", "from", "steps", "several arguments", "a scan of a scan"})
    reached(construct);
}

TEST_CASE("a random network survives print and parse, with its cells") {
  for (std::uint64_t seed = 0; seed < 4 * kRandomNetworks; ++seed) {
    const Subject subject = random_network(seed);
    const std::string text = model_of(subject).text();
    INFO(text);
    const Result<ir::Module> module = ir::parse(text);
    if (!module) FAIL(module.error().to_string());
    REQUIRE(ir::equal(module->networks.at(0), subject.graph));
  }
}

TEST_CASE("a seed gives the same random network and setting every time") {
  for (std::uint64_t seed = 0; seed < kRandomNetworks; ++seed) {
    const Subject first = random_network(seed), second = random_network(seed);
    REQUIRE(ir::equal(first.graph, second.graph));
    REQUIRE(first.weights == second.weights);
    const Setting a = random_setting(first, seed), b = random_setting(second, seed);
    REQUIRE((a.executor == b.executor && a.steps == b.steps && a.batch == b.batch && a.seed == b.seed));
  }
}

}  // namespace rnnc::test
