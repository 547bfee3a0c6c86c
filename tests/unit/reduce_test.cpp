// The reducer finds small graphs: for predicates whose smallest graph is known, it must come close, whatever it starts
// from.
#include <algorithm>

#include "ir/parse.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/random_rows.hpp"
#include "tests/support/reduce.hpp"
#include "tests/support/shrink_dims.hpp"
#include "tests/support/trial.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

using ir::Op;

bool any_node(const ir::Graph& graph, const std::function<bool(const ir::Graph&, const ir::Node&)>& is) {
  return std::ranges::any_of(graph.nodes, [&](const ir::Node& node) {
    return is(graph, node) || (node.op == Op::Scan && any_node(*node.scan->cell, is));
  });
}

bool is_softmax_of_slice(const ir::Graph& graph, const ir::Node& node) {
  return node.op == Op::Reduce && node.reduction == ir::Reduction::Softmax && graph[node.operands[0]].op == Op::Slice;
}

bool is_function(const ir::Node& node, ir::Function function) {
  return node.op == Op::Map && node.function == function;
}

Case drawn(const Subject& subject, std::uint64_t seed) { return {subject, random_setting(subject, seed)}; }

std::int64_t largest_dim(const ir::Graph& graph) {
  std::int64_t largest = 1;
  for (const ir::Node& node : graph.nodes)
    for (const ir::Dim& dim : node.type.dims) largest = std::max(largest, dim.is_constant() ? dim.value() : 99);
  return largest;
}

}  // namespace

TEST_CASE("reduce takes cells with rows, and every candidate compiles") {
  const auto has_tanh_of_rows = [](const ir::Graph& graph) {
    return any_node(graph, [](const ir::Graph&, const ir::Node& node) {
      return node.type.is_rows && is_function(node, ir::Function::Tanh);
    });
  };
  const Fails fails = [&](const Case& tried) {
    static_cast<void>(compile(tried.subject, tried.setting));
    return has_tanh_of_rows(tried.subject.graph);
  };
  int found = 0;
  for (std::uint64_t seed = 0; seed < 200 && found < 5; ++seed) {
    RandomCell random = random_rows(seed);
    if (!has_tanh_of_rows(random.cell)) continue;
    ++found;
    const Case small = reduce(drawn({std::move(random.cell), std::move(random.weights)}, seed), fails);
    INFO("seed " << seed << "\n" << model_of(small.subject).text());
    REQUIRE(has_tanh_of_rows(small.subject.graph));
    CHECK(small.subject.graph.nodes.size() <= 6);
  }
  CHECK(found == 5);
}

TEST_CASE("reduce finds the smallest cell with a softmax of a slice") {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 2000 && found < 5; ++seed) {
    const Subject subject = random_subject(seed);
    const Fails fails = [](const Case& tried) { return any_node(tried.subject.graph, is_softmax_of_slice); };
    const Case start = drawn(subject, seed);
    if (!fails(start)) continue;
    ++found;
    const Case small = reduce(start, fails);
    INFO("seed " << seed << "\n" << model_of(small.subject).text());
    REQUIRE(fails(small));
    CHECK(small.subject.graph.kind == ir::Graph::Kind::Cell);
    CHECK(small.subject.graph.nodes.size() == 3);  // what is sliced, the slice, the softmax
    CHECK(largest_dim(small.subject.graph) == 1);
    CHECK((small.setting.steps == 1 && small.setting.batch == 1 && small.setting.threads == 1));
    CHECK_FALSE(small.setting.ragged);
  }
  CHECK(found == 5);
}

TEST_CASE("reduce keeps the sizes, steps and sequences that the failure needs") {
  const Subject subject = random_subject(4);
  const Fails fails = [](const Case& tried) {
    return largest_dim(tried.subject.graph) >= 5 && tried.setting.steps >= 3 && tried.setting.batch >= 2 &&
           any_node(tried.subject.graph, [](const auto&, const ir::Node& node) { return node.op == Op::Matvec; });
  };
  Case start = drawn(subject, 4);
  start.setting.steps = 20, start.setting.batch = 9;
  REQUIRE(fails(start));
  const Case small = reduce(start, fails);
  INFO(model_of(small.subject).text());
  CHECK(small.subject.graph.nodes.size() == 3);
  CHECK(largest_dim(small.subject.graph) == 5);
  CHECK((small.setting.steps == 3 && small.setting.batch == 2));
}

TEST_CASE("reduce works inside the cells that a network scans") {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 300 && found < 3; ++seed) {
    const Fails fails = [](const Case& tried) {
      return any_node(tried.subject.graph, [](const auto&, const ir::Node& node) {
        return node.op == Op::Scan && node.scan->direction == Direction::Reverse &&
               any_node(*node.scan->cell,
                        [](const auto&, const ir::Node& inner) { return is_function(inner, ir::Function::Gelu); });
      });
    };
    const Case start = drawn(random_network(seed), seed);
    if (!fails(start)) continue;
    ++found;
    const Case small = reduce(start, fails);
    INFO("seed " << seed << "\n" << model_of(small.subject).text());
    REQUIRE(fails(small));
    const auto scan = std::ranges::find(small.subject.graph.nodes, Op::Scan, &ir::Node::op);
    CHECK(small.subject.graph.nodes.size() <= 3);
    CHECK(scan->scan->cell->nodes.size() <= 3);
    CHECK(ir::parse(model_of(small.subject).text()).ok());
  }
  CHECK(found == 3);
}

// A backend that is wrong in one place: it takes silu for gelu.
TEST_CASE("reduce finds what a wrong backend does wrong, through the comparison of the tests") {
  const Fails fails = [](const Case& tried) {
    Subject wrong = tried.subject;
    for (ir::Node& node : wrong.graph.nodes)
      if (is_function(node, ir::Function::Gelu)) node.function = ir::Function::Silu;
    const Data data = random_data(tried.subject.graph, tried.setting);
    const Program program = compile(wrong, tried.setting);
    return judge(tried.subject, tried.setting, data, run(program, wrong.graph, data)).has_value();
  };
  int found = 0;
  for (std::uint64_t seed = 0; seed < 300 && found < 2; ++seed) {
    Case start = drawn(random_subject(3 * seed), seed);
    start.setting.executor = "portable x86-64-v2";
    if (!any_node(start.subject.graph,
                  [](const auto&, const ir::Node& node) { return is_function(node, ir::Function::Gelu); }))
      continue;
    if (!fails(start)) continue;  // what gelu computes may reach no result
    ++found;
    const Case small = reduce(start, fails);
    INFO("seed " << seed << "\n" << model_of(small.subject).text());
    CHECK(small.subject.graph.nodes.size() == 2);  // an operand and gelu
    CHECK((small.setting.steps == 1 && small.setting.batch == 1));
  }
  CHECK(found == 2);
}

TEST_CASE("a size that shrinks takes along what hangs on it") {
  const ir::Network network = network_of(
      "network n { input x : seq f32[7] param W : f32[9, 7] y = W @ x output tanh(concat(y[2:6], x)[1:10]) }");
  const Subject subject{network, {{"W", std::vector<float>(63, 1.f)}}};
  const Sizes sizes(subject);
  REQUIRE(sizes.count() > 0);
  for (std::size_t i = 0; i < sizes.count(); ++i) {
    const auto smaller = sizes.with(i, sizes.size(i) - 1);
    if (!smaller) continue;
    CHECK(ir::verify(smaller->graph).ok());
    std::size_t floats = 0;
    for (const auto& [name, tensor] : tensors_of(*smaller)) floats += tensor.bytes.size();
    CHECK(floats <= 9 * 7 * sizeof(float));
  }
  const auto narrow = sizes.with(0, 1);  // of x, and with it the columns of W
  REQUIRE(narrow);
  CHECK(narrow->weights.at("W").size() == 9);
}

TEST_CASE("what crashes or throws is told apart from what does not hold, without the process that asks") {
  CHECK(ending_in_child([] { return true; }) == Ending::Holds);
  CHECK(ending_in_child([] { return false; }) == Ending::DoesNotHold);
  CHECK(ending_in_child([]() -> bool { throw std::runtime_error("planted"); }) == Ending::Throws);
  CHECK(ending_in_child([]() -> bool { std::abort(); }) == Ending::Crashes);
}

TEST_CASE("the commands of a repro run, and write what the trial computed") {
  const Folder folder;
  for (const std::uint64_t seed : {1, 5, 8, 11, 20, 29, 32, 41}) {
    const Case found = drawn(random_subject(seed), seed);
    const std::string path = folder / ("repro" + std::to_string(seed));
    const std::string commands = write_repro(found, path);
    INFO(commands);
    std::size_t begin = 0;
    for (std::size_t end = commands.find('\n'); end != std::string::npos;
         begin = end + 1, end = commands.find('\n', begin)) {
      const Finished finished = folder.rnnc(commands.substr(begin, end - begin).substr(5));
      INFO(finished.out << finished.err);
      REQUIRE(finished.code == 0);
    }
    const Data data = random_data(found.subject.graph, found.setting);
    const std::vector<float> y = load_npy(path + "/y.npy").value().to_f32();
    CHECK(y == run(compile(found.subject, found.setting), found.subject.graph, data).y);
  }
}

}  // namespace rnnc::test
