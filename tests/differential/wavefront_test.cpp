// Layers of a network run as a wavefront, each thread at another chunk of time.
#include "runtime/wavefront.hpp"

#include "compiler/network/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fresh_threads.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

ir::NetworkBatch batch_of(Random& random, std::int64_t steps, std::int64_t batch) {
  return {batch,
          {{"T", {steps, {}}}},
          {{"x", random_vector(random, steps * batch * 5)}, {"v", random_vector(random, batch * 4)}}};
}

}  // namespace

TEST_CASE("layers as a wavefront give the bits of one after the other", "[network]") {
  struct Stack {
    const char* statements;
    int wavefronts;
  };
  const Stack stacks[] = {
      {"a = lstm<H=7>(x) b = gru<H=9>(a) c = rnn<H=17>(b) output c", 1},
      {"param W : f32[5, 5] a = rnn<H=5>(W @ x) b = gru<H=5>(a + x) c = lstm<H=5>(concat(b, v)) output c + a", 1},
      {"a = lstm<H=3>(x) b = lstm<H=3>(x) c = rnn<H=6>(concat(a, b)) d = rnn<H=2>(c) output concat(d, b)", 1},
      {"a = rnn<H=4>(x) from (h = v) b = rnn<H=4>(a) from (h = v) output last(b) + v", 1},
      {"a = rnn<H=4>(x) b = rnn<H=4>(a) from (h = tanh(v)) output last(b) + v", 0},  // tanh(v) is of no time
      {"a = gru<H=3>(x) b = gru<H=3>(a) c = reverse gru<H=3>(b) d = gru<H=3>(c) e = gru<H=4>(d) output e", 2},
      {"a = gru<H=4>(x) b = gru<H=4>(a) from (h = a.h) output b", 0},  // b begins where a ends
      {"a = bidirectional gru<H=3>(x) b = bidirectional gru<H=3>(a) output b", 0},
  };
  for (const Stack& stack : stacks) {
    const ir::Network whole =
        network_of(std::string("network n { input x : seq f32[5] input v : f32[4] ") + stack.statements + " }");
    const auto layout = compiler::lay_out(compiler::calls_of(whole).list, whole);
    INFO(stack.statements);
    CHECK(static_cast<int>(runtime::find_wavefronts(layout.list).size()) == stack.wavefronts);
    Random random(11);
    const ir::NamedVectors weights = random_weights(whole, random);
    const Program one = compile_network(whole, weights);
    for (const int threads : {2, 3}) {
      const auto executor = std::make_shared<FreshThreads>();
      const Program several =
          compile_network(whole, weights, {.threads = threads, .executor = executor, .sharing = Sharing::Layers});
      for (const std::int64_t batch : {1, 2, 9})
        for (const std::int64_t steps : {2, 3, 17, 40}) {
          INFO(stack.statements << ", " << threads << " threads, " << steps << " steps of " << batch);
          const ir::NetworkBatch input = batch_of(random, steps, batch);
          ir::NamedVectors states;
          for (const Port& port : one.states()) states[port.name] = random_vector(random, batch * port.shape.at(0));
          executor->calls = 0;
          REQUIRE(run_network(several, whole, input, states) == run_network(one, whole, input, states));
          REQUIRE(executor->calls >= stack.wavefronts);
        }
    }
  }
}

TEST_CASE("a wavefront is taken where it promises to be faster", "[network]") {
  const ir::Network whole =
      network_of("network n { input x : seq f32[64] a = lstm<H=64>(x) b = lstm<H=64>(a) c = lstm<H=64>(b) output c }");
  Random random(2);
  const auto executor = std::make_shared<FreshThreads>();
  const Program program = compile_network(whole, random_weights(whole, random), {.threads = 2, .executor = executor});
  State state = program.make_state(1, 200);
  const std::vector<float> x(64 * 200, 0.5f);
  std::vector<float> y(64 * 200);
  const auto run = [&](std::int64_t steps) {
    executor->calls = 0;
    REQUIRE(program.run(state, {.x = x, .y = y, .steps = steps}) == RunStatus::Ok);
    return executor->calls;
  };
  CHECK(run(200) == 1);
  CHECK(run(1) == 0);
}

}  // namespace rnnc::test
