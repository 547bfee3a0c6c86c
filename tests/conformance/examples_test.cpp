// examples/torch: what PyTorch computes of the networks there, outputs and h_n and c_n in its order.
#include <rnnc/rnnc.hpp>

#include <cmath>
#include <cstring>

#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

const std::string kFolder = RNNC_SOURCE_DIR "/examples/torch/";

Tensor load(const std::string& name) { return load_npy(kFolder + name).value(); }

void check_near(const std::vector<float>& found, const Tensor& expected) {
  const std::vector<float> wanted = expected.to_f32();
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("element " << i << ": " << found[i] << " against " << wanted[i]);
    REQUIRE(std::fabs(found[i] - wanted[i]) <= 2e-6);
  }
}

Program compile_example(const std::string& name, int threads = 1) {
  const Model model = parse_file(kFolder + name + ".rnn").value();
  return compile(model, load_safetensors(kFolder + name + ".safetensors").value(), {.threads = threads}).value();
}

// Layer by layer, both directions of one after the other.
std::vector<float> final_states(const Program& program, const State& state, const std::string& which) {
  std::vector<float> result;
  for (const Port& port : program.states()) {
    if (!port.name.ends_with("." + which)) continue;
    const std::vector<float> values = state.get(port.name).value();
    result.insert(result.end(), values.begin(), values.end());
  }
  return result;
}

}  // namespace

TEST_CASE("two layers of PyTorch's give its output, h_n and c_n", "[examples]") {
  for (const std::string name : {"rnn", "lstm", "gru"})
    for (const int threads : {1, 2}) {
      INFO(name << ", " << threads << " threads");
      const Program program = compile_example(name, threads);
      const Tensor x = load(name + ".x.npy"), y = load(name + ".y.npy");
      REQUIRE(x.shape == Shape{10, 3, 5});
      REQUIRE(y.shape == Shape{10, 3, program.output_size()});
      State state = program.make_state(3, 10);
      const std::vector<float> input = x.to_f32();
      std::vector<float> output(y.to_f32().size());
      REQUIRE(program.run(state, {.x = input, .y = output, .steps = 10}) == RunStatus::Ok);
      check_near(output, y);
      check_near(final_states(program, state, "h"), load(name + ".h_n.npy"));
      if (name == "lstm") check_near(final_states(program, state, "c"), load(name + ".c_n.npy"));
    }
}

TEST_CASE("the intent classifier answers from the last word of each sentence, also word by word", "[examples]") {
  const Program program = compile_example("intent");
  const Tensor x = load("intent.x.npy"), y = load("intent.y.npy");
  const std::vector<float> words = x.to_f32();
  const std::int64_t steps = x.shape[0], batch = x.shape[1];
  std::vector<std::int32_t> lengths;
  const Tensor stored = load("intent.lengths.npy");
  for (std::int64_t b = 0; b < batch; ++b) {
    std::int32_t length = 0;
    std::memcpy(&length, stored.bytes.data() + b * 4, sizeof length);
    lengths.push_back(length);
  }
  State state = program.make_state(batch, steps);
  std::vector<float> answer(static_cast<std::size_t>(batch * 4));
  REQUIRE(program.run(state, {.x = words, .y = answer, .steps = steps, .lengths = lengths}) == RunStatus::Ok);
  check_near(answer, y);
  for (std::int64_t b = 0; b < batch; ++b) {
    State one = program.make_state(1);
    std::vector<float> streamed(4);
    for (std::int64_t t = 0; t < lengths[static_cast<std::size_t>(b)]; ++t)
      REQUIRE(program.step(one, std::span(words).subspan(t * batch + b), streamed) == RunStatus::Ok);
    CHECK(streamed == std::vector<float>(answer.begin() + b * 4, answer.begin() + (b + 1) * 4));
  }
}

}  // namespace rnnc::test
