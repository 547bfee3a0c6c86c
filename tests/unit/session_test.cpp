// Streams that come and go get the bits that each gets alone.
#include <rnnc/rnnc.hpp>

#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

constexpr std::int64_t kIn = 5, kOut = 9, kCapacity = 4;

Program stack() {
  const ir::Network network =
      network_of("network n { input x : seq f32[5] a = lstm<H=17>(x) b = gru<H=9>(a) output b }");
  Random random(1);
  return compile_network(network, random_weights(network, random));
}

// A stream and the same alone.
struct Stream {
  std::int64_t slot;
  State alone;
};

}  // namespace

TEST_CASE("streams that join and leave get the bits that each gets alone", "[session]") {
  const Program program = stack();
  Sessions sessions = Sessions::make(program, kCapacity).value();
  std::vector<Stream> streams;
  Random random(2);
  std::vector<float> y(kCapacity * kOut), alone(kOut);
  for (int step = 0; step < 200; ++step) {
    if (random.chance(0.3) && streams.size() < kCapacity)
      streams.push_back({sessions.join().value(), program.make_state(1)});
    if (random.chance(0.2) && !streams.empty()) {
      const std::size_t gone = random.below(streams.size());
      sessions.leave(streams[gone].slot);
      streams.erase(streams.begin() + static_cast<std::ptrdiff_t>(gone));
    }
    if (random.chance(0.1) && !streams.empty()) {
      sessions.reset(streams[0].slot);
      streams[0].alone.reset();
    }
    const std::vector<float> x = random.vector(kCapacity * kIn, -1, 1);
    REQUIRE(sessions.step(x, y) == RunStatus::Ok);
    for (Stream& stream : streams) {
      REQUIRE(program.step(stream.alone, std::span(x).subspan(stream.slot * kIn), alone) == RunStatus::Ok);
      const auto mine = y.begin() + stream.slot * kOut;
      REQUIRE(std::vector<float>(mine, mine + kOut) == alone);
    }
  }
}

TEST_CASE("a saved stream goes on in another slot, and what is not saved states is refused", "[session]") {
  const Program program = stack();
  Sessions sessions = Sessions::make(program, 2).value();
  const std::int64_t a = sessions.join().value();
  const std::vector<float> x(2 * kIn, 0.5f);
  std::vector<float> y(2 * kOut);
  REQUIRE(sessions.step(x, y) == RunStatus::Ok);
  const std::vector<std::byte> saved = sessions.save(a).value();
  const std::int64_t b = sessions.join().value();
  CHECK(sessions.join().error().code == ErrorCode::Limit);
  sessions.restore(b, saved).value();
  const long before = allocations();
  REQUIRE(sessions.step(x, y) == RunStatus::Ok);
  CHECK(allocations() == before);
  CHECK(std::vector<float>(y.begin(), y.begin() + kOut) == std::vector<float>(y.begin() + kOut, y.end()));
  std::vector<std::byte> wrong = saved;
  wrong[4] = std::byte{9};
  CHECK(sessions.restore(b, wrong).error().code == ErrorCode::InvalidData);
  CHECK(sessions.restore(b, std::span(saved).first(saved.size() - 1)).error().code == ErrorCode::InvalidData);
  CHECK(sessions.restore(b, {}).error().code == ErrorCode::InvalidData);
  CHECK(sessions.save(7).error().code == ErrorCode::Usage);
}

TEST_CASE("a network that needs whole sequences has no sessions", "[session]") {
  const ir::Network network = network_of("network n { input x : seq f32[5] a = reverse rnn<H=3>(x) output a }");
  Random random(1);
  const Program program = compile_network(network, random_weights(network, random));
  CHECK(Sessions::make(program, 2).error().message ==
        "a reads time backwards, so that the network cannot run step by step");
  CHECK(Sessions::make(stack(), 0).error().code == ErrorCode::Limit);
}

}  // namespace rnnc::test
