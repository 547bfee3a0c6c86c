// Artifacts of networks give the bits of the JIT for every construct, and an error for every number in them that makes
// no sense.
#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>

#include <functional>

#include "compiler/llvm/resolve_target.hpp"
#include "runtime/artifact_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

using runtime::StoredProgram;

std::vector<std::byte> artifact_of(const ir::Network& network, const ir::NamedVectors& weights, int threads = 1) {
  return compile_artifact(model_of(network), tensors_of(network, weights), {.threads = threads}).value();
}

bool equal(const NetworkOutcome& a, const NetworkOutcome& b) {
  const auto same = [](const std::vector<float>& x, const std::vector<float>& y) {
    return std::ranges::equal(x, y, [](float s, float t) { return s == t || (s != s && t != t); });
  };
  const auto same_of_name = [&](const auto& x, const auto& y) {
    return x.first == y.first && same(x.second, y.second);
  };
  return same(a.y, b.y) && std::ranges::equal(a.states, b.states, same_of_name) &&
         std::ranges::equal(a.outputs, b.outputs, same_of_name);
}

// A network with calls of all kinds: two directions, a state that begins with another's end, one that a parameter
// begins.
StoredProgram stored() {
  const ir::Network network = network_of(
      "network n { input x : seq f32[5] input v : f32[4] param h0 : f32[3] a = bidirectional gru<H=3>(x) b = "
      "gru<H=3>(a) "
      "from (h = h0) c = lstm<H=4>(concat(x, v)) from (h = v) output concat(tanh(b), last(c)) }");
  Random random(3);
  const auto bytes = compile_artifact(model_of(network), tensors_of(network, random_weights(network, random)),
                                      {.targets = compiler::runnable_levels()})
                         .value();
  return runtime::read_artifact(bytes, "n.rnnc").value();
}

// The checks of all levels but the last have passed where the last one is wrong.
runtime::StoredLevel& last(StoredProgram& stored) { return stored.levels.back(); }

// The first step of a kind.
template <class Wanted>
Wanted& any(StoredProgram& stored) {
  for (runtime::AnyStep& step : stored.list.steps)
    if (auto* found = std::get_if<Wanted>(&step)) return *found;
  FAIL("no such step");
  std::abort();
}

using runtime::Begin;
using runtime::Gather;
using runtime::ReduceTime;
using runtime::Scan;

runtime::Block& block_of(StoredProgram& stored, const runtime::Piece& piece) {
  return stored.list.blocks.at(static_cast<std::size_t>(piece.block));
}

struct Fault {
  const char* error;
  std::function<void(StoredProgram&)> make;
};

const Fault kFaults[] = {
    {"parts that are not all of it", [](auto& n) { n.list.waves.pop_back(); }},
    {"parts that are not all of it", [](auto& n) { n.list.waves.clear(); }},
    {"parts that are not all of it", [](auto& n) { n.list.calls.clear(); }},
    {"parts that are not all of it", [](auto& n) { n.list.steps.pop_back(); }},
    {"parts out of order", [](auto& n) { n.list.waves.at(1) = 1000; }},
    {"another number of cells", [](auto& n) { last(n).cells.pop_back(); }},
    {"another number of cells", [](auto& n) { last(n).cells.push_back(last(n).cells.front()); }},
    {"cells that nothing runs",
     [](auto& n) {
       for (runtime::StoredLevel& level : n.levels) level.cells.push_back(level.cells.front());
       ++n.list.cells;
     }},
    {"cells out of order", [](auto& n) { any<Scan>(n).cell = 1000; }},
    {"a call that runs twice",
     [](auto& n) {
       n.list.calls = {0, static_cast<int>(n.list.steps.size())}, n.list.waves = {0, 1};
     }},
    {"code that there is not", [](auto& n) { last(n).cells.front().code = 1000; }},
    {"weights that there are not", [](auto& n) { last(n).cells.front().weights = 1000; }},
    {"weights of another size", [](auto& n) { n.weights.back().pop_back(); }},
    {"a kind of block that there is not",
     [](auto& n) { n.list.blocks.back().kind = static_cast<runtime::Block::Kind>(9); }},
    {"a block of no size", [](auto& n) { n.list.blocks.back().width = -1; }},
    {"a block of no size", [](auto& n) { n.list.blocks.back().time = 7; }},
    {"an input that there is not", [](auto& n) { n.list.inputs.clear(); }},
    {"an input of another size", [](auto& n) { n.description.input_size = 6; }},
    {"an output of another size", [](auto& n) { n.description.output_size = 6; }},
    {"no output", [](auto& n) { n.list.outputs.clear(); }},
    {"two outputs of one name", [](auto& n) { n.list.outputs.push_back(n.list.outputs[0]); }},
    {"an output of another size",
     [](auto& n) {
       n.list.outputs.push_back(n.list.outputs[0]);
       n.list.outputs.back().port = {"z", {1000}};
     }},
    {"an output of another shape",
     [](auto& n) {
       n.list.outputs[0].port.shape = {1, 7};
     }},
    {"an output of another name", [](auto& n) { n.list.outputs[0].port.name = "z"; }},
    {"a time that there is not", [](auto& n) { n.list.outputs[0].time = -2; }},
    {"rows of another time", [](auto& n) { n.list.outputs[0].time = runtime::kNoTime; }},
    {"a time that there is not", [](auto& n) { any<Scan>(n).time = 5; }},
    {"a time that there is not", [](auto& n) { any<Scan>(n).time = runtime::kNoTime; }},
    {"a block that there is not", [](auto& n) { any<Scan>(n).y.block = 1000; }},
    {"a block that there is not", [](auto& n) { any<Scan>(n).y.block = -1; }},
    {"columns outside of a block", [](auto& n) { any<Scan>(n).y.end += 1000; }},
    {"columns outside of a block", [](auto& n) { any<Scan>(n).y.begin = -1; }},
    {"a cell with an input of another size", [](auto& n) { any<Scan>(n).x.end = any<Scan>(n).x.begin; }},
    {"a cell with an output of another size", [](auto& n) { any<Scan>(n).y.end = any<Scan>(n).y.begin; }},
    {"rows of another time", [](auto& n) { any<Scan>(n).repeats = true; }},
    {"a result of another time", [](auto& n) { block_of(n, any<Scan>(n).y).time = runtime::kNoTime; }},
    {"a result in the caller's memory",
     [](auto& n) {
       runtime::Block& block = block_of(n, any<Scan>(n).y);
       block.kind = runtime::Block::Kind::Input, block.input = static_cast<int>(n.list.inputs.size());
       n.list.inputs.push_back({{"z", {block.width}}, "T"});
     }},
    {"a scan backwards in pieces", [](auto& n) { n.list.pieces_of = 0; }},
    {"rows of a cell with states",
     [](auto& n) {
       for (runtime::AnyStep& step : n.list.steps)
         if (const auto* scan = std::get_if<Scan>(&step)) {
           step = runtime::Rows{scan->cell, scan->time, scan->x, scan->y};
           return;
         }
     }},
    {"a copy of another size", [](auto& n) { any<Gather>(n).to.end -= 1; }},
    {"a copy of another size", [](auto& n) { any<Gather>(n).from.pop_back(); }},
    {"a state that there is not", [](auto& n) { any<Begin>(n).state = 9; }},
    {"a state of another size", [](auto& n) { any<Begin>(n).from.clear(); }},
    {"a cell that there is not", [](auto& n) { any<Begin>(n).cell = -1; }},
    {"a state that there is not", [](auto& n) { n.list.starts.at(0).state = -1; }},
    {"a cell that there is not", [](auto& n) { n.list.starts.at(0).cell = 1000; }},
    {"a state of another size", [](auto& n) { n.list.starts.at(0).values.pop_back(); }},
    {"a state that starts outside of its range",
     [](auto& n) {
       n.list.starts.at(0).values.front() = 2;
       for (runtime::StoredCode& code : last(n).codes)
         for (runtime::StateInfo& state : code.description.states) state.low = -1, state.high = 1;
     }},
    {"a function over time that there is not",
     [](auto& n) { any<ReduceTime>(n).function = static_cast<runtime::OverTime>(77); }},
    {"a time that there is not", [](auto& n) { any<ReduceTime>(n).time = runtime::kNoTime; }},
    {"a function over time of another size", [](auto& n) { any<ReduceTime>(n).to.end -= 1; }},
    {"states of other names", [](auto& n) { n.list.states.pop_back(); }},
    {"states of other names", [](auto& n) { n.list.states[0].name += "_"; }},
    {"states of other names", [](auto& n) { n.description.states[0].tensor.name.clear(); }},
    {"a state of another shape", [](auto& n) { n.description.states[0].size += 1; }},
    {"a state of another shape",
     [](auto& n) {
       n.description.states[0].tensor.shape = {1, 1};
     }},
    {"an input of another shape", [](auto& n) { n.list.inputs.at(0).port.shape = {5}; }},
    {"an input of another time", [](auto& n) { n.list.inputs.at(0).time = "T"; }},
    {"a cell that there is not", [](auto& n) { n.list.states[0].cell = 1000; }},
    {"a state that there is not", [](auto& n) { n.list.states[0].state = 3; }},
};

}  // namespace

TEST_CASE("an artifact of a network gives the bits of the JIT", "[artifact][network]") {
  std::uint64_t seed = 40;
  for (const std::string& statements : sample_networks()) {
    INFO(statements);
    const ir::Network network = sample_network(statements);
    Random random(++seed);
    const ir::NamedVectors weights = random_weights(network, random);
    const Program jit = compile_network(network, weights);
    for (const int threads : {1, 2}) {
      const Program loaded =
          parse_artifact(artifact_of(network, weights, threads), "n.rnnc", {.threads = threads}).value();
      for (const std::int64_t batch : {1, 3})
        for (const bool ragged : {false, true}) {
          const ir::NetworkBatch input = sample_batch(random, batch, ragged);
          REQUIRE(equal(run_network(loaded, network, input), run_network(jit, network, input)));
        }
    }
  }
}

TEST_CASE("each level of a network's artifact gives the bits of the JIT", "[artifact][network]") {
  const std::vector<std::string> levels = compiler::runnable_levels();
  std::uint64_t seed = 40;
  for (const std::string& statements : sample_networks()) {
    INFO(statements);
    const ir::Network network = sample_network(statements);
    Random random(++seed);
    const ir::NamedVectors weights = random_weights(network, random);
    const auto file = compile_artifact(model_of(network), tensors_of(network, weights), {.targets = levels}).value();
    const ir::NetworkBatch input = sample_batch(random, 3, true);
    for (const std::string& level : levels) {
      const Program program = parse_artifact(file, "n.rnnc", {.cpu = level}).value();
      const Program jit = compile_network(network, weights, {.cpu = level});
      CHECK(equal(run_network(program, network, input), run_network(jit, network, input)));
    }
  }
}

TEST_CASE("each number of a network's artifact that makes no sense is refused", "[artifact][network]") {
  REQUIRE(parse_artifact(runtime::write_artifact(stored())).ok());
  for (const Fault& fault : kFaults) {
    INFO(fault.error);
    StoredProgram network = stored();
    fault.make(network);
    const Result<Program> program = parse_artifact(runtime::write_artifact(network), "n.rnnc");
    REQUIRE_FALSE(program.ok());
    CHECK(program.error().to_string() == std::string("n.rnnc: the artifact is damaged: its steps have ") + fault.error);
  }
  const auto refused = [](const StoredProgram& network) {
    return parse_artifact(runtime::write_artifact(network), "n.rnnc").error().to_string();
  };
  StoredProgram input = stored(), output = stored(), none = stored();
  input.description.inputs.at(0).shape = {6};
  output.description.output.shape = {6};
  none.levels.clear();
  CHECK(refused(none) == "n.rnnc: the artifact is damaged: it has no level");
  CHECK(refused(input) == "n.rnnc: the artifact is damaged: its cell has inputs of another size");
  CHECK(refused(output) == "n.rnnc: the artifact is damaged: its cell has an output of another size");
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const auto& [low, high] : {std::pair(1.0f, 2.0f), {-2.0f, -1.0f}, {1.0f, -1.0f}, {kNan, 1.0f}, {-1.0f, kNan}}) {
    StoredProgram range = stored();
    runtime::StateInfo& state = last(range).codes.front().description.states.at(0);
    state.low = low, state.high = high;
    CHECK(refused(range) ==
          "n.rnnc: the artifact is damaged: its cell has a state with a range that its start at 0 is not in");
  }
}

TEST_CASE("an artifact of a network that is cut or changed is refused", "[artifact][network]") {
  std::vector<std::byte> bytes = runtime::write_artifact(stored());
  for (std::size_t i = 0; i < bytes.size(); i += i < 512 ? 1 : 499) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(parse_artifact(cut).ok());
    bytes[i] ^= std::byte{0x20};
    CHECK_FALSE(parse_artifact(bytes).ok());
    bytes[i] ^= std::byte{0x20};
  }
}

}  // namespace rnnc::test
