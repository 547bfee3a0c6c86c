// Objects of networks have the bits of the JIT for every construct, in no more memory than the header says.
#include <cstdlib>
#include <limits>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/linked_object.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {
namespace {

using ir::Network;

bool can_link() {
  if (has_c_compiler()) return true;
  WARN("skipped: there is no C compiler");
  return false;
}

ObjectFiles object_of(const Network& network, const ir::NamedVectors& weights, std::vector<std::string> targets) {
  return compile_object(model_of(network), tensors_of(network, weights), {.name = "m", .targets = std::move(targets)})
      .value();
}

// As the JIT: the last of them.
std::string last_runnable(const std::vector<std::string>& targets) {
  std::string last;
  for (const std::string& each : targets)
    if (compiler::resolve_target(each)) last = each;
  return last;
}

// Of sequences that are `steps` long.
ir::NetworkBatch cut(ir::NetworkBatch batch, const std::map<std::string, std::int64_t>& steps) {
  const std::map<std::string, std::pair<std::string, std::int64_t>> inputs = {
      {"x", {"T", 5}}, {"k", {"T", 1}}, {"y", {"S", 3}}};
  for (const auto& [time, count] : steps) batch.times[time].steps = count;
  for (const auto& [name, of] : inputs)
    batch.inputs[name].resize(static_cast<std::size_t>(batch.times.at(of.first).steps * batch.sequences * of.second));
  return batch;
}

ir::NamedVectors random_states(const Program& program, std::int64_t batch, Random& random) {
  ir::NamedVectors states;
  for (const Port& port : program.states()) states[port.name] = random_vector(random, batch * port.size());
  return states;
}

void check_sample(const std::string& statements, const std::vector<std::string>& targets, std::uint64_t seed) {
  const Network network = sample_network(statements);
  Random random(seed);
  const ir::NamedVectors weights = random_weights(network, random);
  const Program program = compile_network(network, weights, {.cpu = last_runnable(targets)});
  const LinkedObject object(object_of(network, weights, targets), program.states());
  for (const std::int64_t batch : {1, 2, 9}) {
    const ir::NetworkBatch whole = sample_batch(random, batch, false);
    const std::vector<std::map<std::string, std::int64_t>> lengths = {
        {{"T", 11}}, {{"T", 1}}, {{"T", 0}, {"S", 2}}, {{"T", 2}, {"S", 0}}};
    for (const auto& steps : lengths) {
      const ir::NetworkBatch input = cut(whole, steps);
      const ir::NamedVectors states = random_states(program, batch, random);
      INFO(statements << ", " << targets.back() << ", batch " << batch << ", " << input.times.at("T").steps
                      << " steps");
      REQUIRE(same_bits(run_object(object, program, network, input), run_network(program, network, input)));
      REQUIRE(
          same_bits(run_object(object, program, network, input, states), run_network(program, network, input, states)));
    }
  }
}

}  // namespace

TEST_CASE("objects of networks give the JIT's bits", "[network]") {
  if (!can_link()) return;
  std::uint64_t seed = 0;
  for (const std::string& statements : sample_networks()) check_sample(statements, {"x86-64-v2"}, ++seed);
}

TEST_CASE("objects of networks with several levels run the last that the machine has", "[network]") {
  if (!can_link()) return;
  std::uint64_t seed = 50;
  for (const std::string& statements : sample_networks())
    check_sample(statements, {"x86-64-v2", "x86-64-v3", "x86-64-v4"}, ++seed);
}

TEST_CASE("objects of networks step, and run pieces, as one call runs the whole", "[network]") {
  if (!can_link()) return;
  const Network network = network_of(
      "network n { input x : seq f32[5] input v : f32[3] param h0 : f32[7] param W : f32[2, 16] param b : f32[2]"
      " l1 = lstm<H=7>(x) from (h = h0) l2 = lstm<H=16>(concat(l1, v)) output tanh(W @ l2 + b) }");
  Random random(5);
  const ir::NamedVectors weights = random_weights(network, random);
  const Program program = compile_network(network, weights);
  const LinkedObject object(object_of(network, weights, {"host"}), program.states());
  for (const std::int64_t batch : {1, 3, 17}) {
    INFO("batch " << batch);
    const std::int64_t steps = 9, in = batch * 5, out = batch * 2;
    const ir::NetworkBatch input{batch,
                                 {{"T", {steps, {}}}},
                                 {{"x", random_vector(random, steps * in)}, {"v", random_vector(random, batch * 3)}}};
    const NetworkOutcome jit = run_network(program, network, input);
    CHECK(same_bits(run_object(object, program, network, input), jit));
    const Guarded x(rows_of_x(network, input, steps), true), state = object.make_state(batch);
    const ir::Vector& vector = input.inputs.at("v");
    const Guarded v(std::vector<float>(vector.begin(), vector.end()), true);
    const float* const inputs[] = {v.data()};
    const Guarded y(static_cast<std::size_t>(steps * out), true), scratch = object.make_scratch(4, batch);
    const auto arguments = [&](std::int64_t first, std::int64_t count) {
      return LinkedObject::Arguments{state.data(), scratch.data(), x.data() + first * in, y.data() + first * out, count,
                                     batch,        inputs};
    };
    REQUIRE(object.run(arguments(0, 4)) == 0);
    REQUIRE(object.run(arguments(4, 3)) == 0);
    REQUIRE(object.run(arguments(7, 0)) == 0);
    for (std::int64_t t = 7; t < steps; ++t) REQUIRE(object.step(arguments(t, 1)) == 0);
    CHECK(y.values() == jit.y);
    // The last sequence begins anew; the others go on.
    const std::vector<float> before = state.values();
    REQUIRE(object.start(state.data(), batch, batch - 1, batch) == 0);
    const auto l1 = object.state("l1.h", state.data(), batch, batch - 1);
    const auto l2 = object.state("l2.c", state.data(), batch, batch - 1);
    for (std::size_t k = 0; k < 7; ++k) CHECK(l1[k] == static_cast<float>(weights.at("h0")[k]));
    for (const float value : l2) CHECK(value == 0);
    REQUIRE(object.step(arguments(0, 1)) == 0);
    CHECK(std::vector<float>(y.data() + out - 2, y.data() + out) ==
          std::vector<float>(jit.y.begin() + out - 2, jit.y.begin() + out));
    CHECK(state.values() != before);
  }
}

TEST_CASE("an object writes the outputs whose pointers are not NULL, also step by step", "[network][outputs]") {
  if (!can_link()) return;
  const Network network = network_of(
      "network n { input x : seq f32[5] a = lstm<H=7>(x) output tanh(a) output gate = a * a output ends = a.c }");
  Random random(6);
  const ir::NamedVectors weights = random_weights(network, random);
  const Program program = compile_network(network, weights);
  const ObjectFiles files = object_of(network, weights, {"host"});
  CHECK(files.header.find("#define M_OUTPUTS 2 ") != std::string::npos);
  CHECK(files.header.find("#define M_OUTPUT_ENDS 1 ") != std::string::npos);
  CHECK(files.header.find("#define M_SIZE_OF_ENDS 7 ") != std::string::npos);
  const LinkedObject object(files, program.states());
  constexpr std::int64_t kSteps = 6, kBatch = 3;
  const ir::NetworkBatch input{kBatch, {{"T", {kSteps, {}}}}, {{"x", random_vector(random, kSteps * kBatch * 5)}}};
  const NetworkOutcome jit = run_network(program, network, input);
  const Guarded x(rows_of_x(network, input, kSteps), true), state = object.make_state(kBatch);
  const Guarded scratch = object.make_scratch(kSteps, kBatch), y(kSteps * kBatch * 7, true);
  const Guarded gate(std::vector<float>(kSteps * kBatch * 7, -1), true), ends(kBatch * 7, true);
  float* const only_ends[] = {nullptr, ends.data()};
  REQUIRE(object.run({state.data(), scratch.data(), x.data(), y.data(), kSteps, kBatch, nullptr, nullptr, only_ends}) ==
          0);
  CHECK(y.values() == jit.y);
  CHECK(ends.values() == jit.outputs.at("ends"));
  CHECK(gate.values() == std::vector<float>(kSteps * kBatch * 7, -1));
  REQUIRE(object.start(state.data(), kBatch, 0, kBatch) == 0);
  for (std::int64_t t = 0; t < kSteps; ++t) {
    float* const both[] = {gate.data() + t * kBatch * 7, ends.data()};
    REQUIRE(object.step({state.data(), scratch.data(), x.data() + t * kBatch * 5, y.data() + t * kBatch * 7, 1, kBatch,
                         nullptr, nullptr, both}) == 0);
  }
  CHECK(y.values() == jit.y);
  CHECK(gate.values() == jit.outputs.at("gate"));
  CHECK(ends.values() == jit.outputs.at("ends"));
}

TEST_CASE("functions over time in objects treat denormals, infinities and NaN as the JIT's do", "[network]") {
  if (!can_link()) return;
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const std::string function : {"sum", "mean", "max", "first", "last"}) {
    for (const std::int64_t width : {1, 3, 16, 37}) {
      INFO(function << ", width " << width);
      const Network network =
          network_of("network n { input x : seq f32[" + std::to_string(width) + "] output " + function + "(x) }");
      const Program program = compile_network(network, {});
      const LinkedObject object(object_of(network, {}, {"host"}), {});
      Random random(9);
      ir::NetworkBatch batch{3, {{"T", {8, {}}}}, {}};
      for (std::int64_t i = 0; i < 8 * 3 * width; ++i) {
        const float values[] = {1e-40f,
                                -1e-42f,
                                0.f,
                                -0.f,
                                random.uniform(-1, 1),
                                random.chance(0.05) ? nan : 1e-39f,
                                random.chance(0.1) ? infinity : 1e-41f};
        batch.inputs["x"].push_back(random.pick(values));
      }
      CHECK(same_bits(run_object(object, program, network, batch), run_network(program, network, batch)));
    }
  }
}

TEST_CASE("a wrong call of a network's object is told by its status", "[network]") {
  if (!can_link()) return;
  const Network network = sample_network("e = gru<H=4>(x) d = rnn<H=4>(y) from (h = e.h + v) output d");
  Random random(1);
  const ir::NamedVectors weights = random_weights(network, random);
  const Program program = compile_network(network, weights);
  const LinkedObject object(object_of(network, weights, {"host"}), program.states());
  const Guarded state = object.make_state(2), scratch = object.make_scratch(3, 2);
  const std::vector<float> x(36), values(18);
  const float* const inputs[] = {values.data(), values.data(), values.data()};
  std::vector<float> y(24, 7);
  const std::vector<float> before = state.values();
  const auto run = [&](float* with, std::int64_t steps, std::int64_t batch, std::int64_t others) {
    return object.run({with, scratch.data(), x.data(), y.data(), steps, batch, inputs, &others});
  };
  CHECK(run(state.data(), -1, 2, 3) == 1);
  CHECK(run(state.data(), 3, -1, 3) == 1);
  CHECK(run(state.data(), 3, 2, -1) == 1);
  CHECK(run(state.data() + 1, 3, 2, 3) == 2);
  CHECK(run(state.data(), 3, 0, 3) == 0);
  CHECK(object.start(state.data(), 2, 1, 3) == 1);
  CHECK(object.start(state.data(), 2, -1, 1) == 1);
  CHECK(object.start(state.data(), 2, 2, 1) == 1);
  CHECK(object.step({state.data(), scratch.data(), x.data(), y.data(), 1, 2, inputs}) == -1);
  CHECK(y == std::vector<float>(24, 7));
  CHECK(state.values() == before);
  CHECK(run(state.data(), 3, 2, 3) == 0);
  CHECK(y != std::vector<float>(24, 7));
}

TEST_CASE("an object whose rows are all the caller's takes no scratch for rows", "[network]") {
  const auto takes_rows = [](const Subject& subject) {
    const std::string header =
        compile_object(model_of(subject), tensors_of(subject), {.name = "m", .targets = {"host"}}).value().header;
    return header.find("+ (int64_t)(steps) * (int64_t)(batch)") != std::string::npos;
  };
  const auto network = [](const std::string& statements) {
    const Network read = network_of("network n { input x : seq f32[5] " + statements + " }");
    Random random(1);
    Weights weights;
    for (const auto& [name, values] : random_weights(read, random)) weights[name].assign(values.begin(), values.end());
    return Subject{read, weights};
  };
  const ir::Cell cell = standard("lstm", 5, 7);
  CHECK(!takes_rows({cell, random_weights(cell, 1)}));
  CHECK(!takes_rows(network("a = lstm<H=7>(x) output a")));
  CHECK(takes_rows(network("a = lstm<H=7>(x) b = lstm<H=3>(a) output b")));
}

TEST_CASE("states of a network have names in C that differ", "[network]") {
  if (!can_link()) return;
  const Network network = network_of(
      "network n { input x : seq f32[2] a = one(x) a_b = two(a) A = two(a) output concat(a_b, A) }"
      " cell one<N> { input x : f32[N] state b_h : f32[N] b_h' = b_h + x output b_h' }"
      " cell two<N> { input x : f32[N] state h : f32[N] h' = h + x output h' }");
  const ObjectFiles files = object_of(network, {}, {"host"});
  const LinkedObject object(files, {});
  for (const std::string function : {"m_state_a_b_h(", "m_state_a_b_h_(", "m_state_A_h("}) {
    INFO(function);
    CHECK(files.header.find(function) != std::string::npos);
  }
}

}  // namespace rnnc::test
