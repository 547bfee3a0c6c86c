// These tests compare the trained model of examples/char_lm with what PyTorch computed when it was trained.
#include <rnnc/rnnc.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

const std::string kFolder = RNNC_SOURCE_DIR "/examples/char_lm/";

std::string read_text(const std::string& name) {
  std::ifstream file(kFolder + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Program compile_char_lm(const std::string& cpu) {
  const Model model = parse_file(kFolder + "char_lm.rnn").value();
  return compile(model, load_safetensors(kFolder + "char_lm.safetensors").value(), {.cpu = cpu}).value();
}

double bits(const std::vector<float>& logits, std::size_t truth) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  return std::log2(sum) - logits[truth] / std::log(2.0);
}

}  // namespace

TEST_CASE("char_lm gives PyTorch's logits", "[conformance]") {
  const Tensor inputs = load_npy(kFolder + "inputs.npy").value();
  const std::vector<float> expected = load_npy(kFolder + "logits.npy").value().to_f32();
  const std::vector<float> x = inputs.to_f32();
  for (const std::string& cpu : compiler::runnable_levels()) {
    const Program program = compile_char_lm(cpu);
    State state = program.make_state(inputs.shape[1]);
    std::vector<float> y(expected.size());
    REQUIRE(program.run(state, {.x = x, .y = y, .steps = inputs.shape[0]}) == RunStatus::Ok);
    double worst = 0;
    for (std::size_t i = 0; i < y.size(); ++i) worst = std::max(worst, std::fabs(double{y[i]} - expected[i]));
    INFO(cpu << ": " << worst);
    CHECK(worst <= 1e-5);
  }
}

TEST_CASE("char_lm predicts the held-out text as well as PyTorch's", "[conformance]") {
  const std::string vocabulary = read_text("vocabulary.txt"), text = read_text("heldout.txt");
  const Program program = compile_char_lm("host");
  REQUIRE(program.input_size() == static_cast<std::int64_t>(vocabulary.size()));
  State state = program.make_state(1);
  std::vector<float> x(vocabulary.size()), logits(vocabulary.size());
  const auto index_of = [&](char character) {
    const std::size_t index = vocabulary.find(character);
    return index == std::string::npos ? vocabulary.find(' ') : index;
  };
  double total = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    x.assign(x.size(), 0.0f);
    x[index_of(text[i])] = 1.0f;
    REQUIRE(program.step(state, x, logits) == RunStatus::Ok);
    total += bits(logits, index_of(text[i + 1]));
  }
  const auto expected = nlohmann::json::parse(read_text("expected.json"));
  CHECK(text.size() - 1 == expected.at("heldout_predictions"));
  CHECK(total / static_cast<double>(text.size() - 1) ==
        Approx(expected.at("heldout_bits_per_character").get<double>()).margin(1e-5));
}

}  // namespace rnnc::test
