// Artifacts of networks: the bits of the JIT for every construct, and an error for every number in them that makes no
// sense.
#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>

#include <functional>

#include "runtime/artifact_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

using runtime::StoredNetwork;

std::vector<std::byte> artifact_of(const ir::Network& network, const ir::NamedVectors& weights, int threads = 1) {
  return compile_artifact(model_of(network), tensors_of(network, weights), {.threads = threads}).value();
}

bool equal(const NetworkOutcome& a, const NetworkOutcome& b) {
  const auto same = [](const std::vector<float>& x, const std::vector<float>& y) {
    return std::ranges::equal(x, y, [](float s, float t) { return s == t || (s != s && t != t); });
  };
  return same(a.y, b.y) && std::ranges::equal(a.states, b.states, [&](const auto& x, const auto& y) {
           return x.first == y.first && same(x.second, y.second);
         });
}

// A network with calls of all kinds: two directions, a state that begins with another's end, one that a parameter
// begins.
StoredNetwork stored() {
  const ir::Network network = network_of(
      "network n { input x : seq f32[5] input v : f32[4] param h0 : f32[3] a = bidirectional gru<H=3>(x) b = "
      "gru<H=3>(a) "
      "from (h = h0) c = lstm<H=4>(concat(x, v)) from (h = v) output concat(tanh(b), last(c)) }");
  Random random(3);
  const auto bytes = artifact_of(network, random_weights(network, random));
  return std::get<StoredNetwork>(runtime::read_artifact(bytes, "n.rnnc").value());
}

runtime::CellCall& cell_call(StoredNetwork& stored, const std::function<bool(const runtime::CellCall&)>& is) {
  for (runtime::NetworkCall& call : stored.network.calls)
    if (auto* cell = std::get_if<runtime::CellCall>(&call); cell && is(*cell)) return *cell;
  FAIL("no such call");
  std::abort();
}
runtime::CellCall& any_cell(StoredNetwork& stored) {
  return cell_call(stored, [](const auto&) { return true; });
}
runtime::TimeCall& time_call(StoredNetwork& stored) {
  for (runtime::NetworkCall& call : stored.network.calls)
    if (auto* time = std::get_if<runtime::TimeCall>(&call)) return *time;
  FAIL("no such call");
  std::abort();
}

struct Fault {
  const char* error;
  std::function<void(StoredNetwork&)> make;
};

const Fault kFaults[] = {
    {"calls of no wave", [](auto& n) { n.network.waves.pop_back(); }},
    {"calls of no wave", [](auto& n) { n.network.waves.clear(); }},
    {"waves out of order", [](auto& n) { n.network.waves.at(1) = 1000; }},
    {"calls without cells", [](auto& n) { n.cells.pop_back(); }},
    {"cells without calls", [](auto& n) { n.cells.push_back(n.cells.front()); }},
    {"code that there is not", [](auto& n) { n.cells.front().code = 1000; }},
    {"weights of another size", [](auto& n) { n.cells.front().weights.pop_back(); }},
    {"a kind of block that there is not",
     [](auto& n) { n.network.blocks.back().kind = static_cast<runtime::Block::Kind>(9); }},
    {"a block of no size", [](auto& n) { n.network.blocks.back().width = -1; }},
    {"a block of no size", [](auto& n) { n.network.blocks.back().time = 7; }},
    {"an input that there is not", [](auto& n) { n.network.inputs.clear(); }},
    {"an input of another size", [](auto& n) { n.description.input_size = 6; }},
    {"an output of another size", [](auto& n) { n.description.output_size = 6; }},
    {"a time that there is not", [](auto& n) { n.network.output_time = -2; }},
    {"a time that there is not", [](auto& n) { any_cell(n).time = 5; }},
    {"a block that there is not", [](auto& n) { any_cell(n).y.block = 1000; }},
    {"a block that there is not", [](auto& n) { any_cell(n).y.block = -1; }},
    {"columns outside of a block", [](auto& n) { any_cell(n).y.end += 1000; }},
    {"columns outside of a block", [](auto& n) { any_cell(n).y.begin = -1; }},
    {"a cell with an input of another size", [](auto& n) { any_cell(n).x.clear(); }},
    {"a cell with an output of another size", [](auto& n) { any_cell(n).y.end = any_cell(n).y.begin; }},
    {"a cell whose input nothing gathers",
     [](auto& n) { cell_call(n, [](const auto& c) { return c.x.size() > 1; }).gathered = -1; }},
    {"a block that there is not",
     [](auto& n) { cell_call(n, [](const auto& c) { return c.gathered >= 0; }).gathered = 1000; }},
    {"a state that there is not",
     [](auto& n) { cell_call(n, [](const auto& c) { return !c.initial.empty(); }).initial[0].state = 9; }},
    {"a state of another size",
     [](auto& n) { cell_call(n, [](const auto& c) { return !c.initial.empty(); }).initial[0].from.clear(); }},
    {"a state that there is not",
     [](auto& n) { cell_call(n, [](const auto& c) { return !c.starts.empty(); }).starts[0].state = -1; }},
    {"a state of another size",
     [](auto& n) { cell_call(n, [](const auto& c) { return !c.starts.empty(); }).starts[0].values.pop_back(); }},
    {"a function over time that there is not",
     [](auto& n) { time_call(n).function = static_cast<runtime::OverTime>(77); }},
    {"a time that there is not", [](auto& n) { time_call(n).time = runtime::kNoTime; }},
    {"a function over time of another size", [](auto& n) { time_call(n).y.end -= 1; }},
    {"states of other names", [](auto& n) { n.network.states.pop_back(); }},
    {"a state of no cell", [](auto& n) { n.network.states[0].call = 1000; }},
    {"a state that there is not", [](auto& n) { n.network.states[0].state = 3; }},
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

TEST_CASE("each number of a network's artifact that makes no sense is refused", "[artifact][network]") {
  REQUIRE(parse_artifact(runtime::write_artifact(stored())).ok());
  for (const Fault& fault : kFaults) {
    INFO(fault.error);
    StoredNetwork network = stored();
    fault.make(network);
    const Result<Program> program = parse_artifact(runtime::write_artifact(network), "n.rnnc");
    REQUIRE_FALSE(program.ok());
    CHECK(program.error().to_string() ==
          std::string("n.rnnc: the artifact is damaged: its network has ") + fault.error);
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
