// char_lm_generate [FOLDER [START [CHARACTERS [TEMPERATURE]]]]: lets the trained cell write on, one step() a character.
// FOLDER holds char_lm.rnn, its weights and its vocabulary; a temperature near 0 always takes the likeliest character.
#include <rnnc/rnnc.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

/// Draws a character with probabilities softmax(logits / temperature).
std::size_t sample(const std::vector<float>& logits, float temperature, std::mt19937& random) {
  std::vector<double> weights;
  for (const float logit : logits) weights.push_back(std::exp(logit / temperature));
  return std::discrete_distribution<std::size_t>(weights.begin(), weights.end())(random);
}

int generate(const std::string& folder, const std::string& start, int characters, float temperature) {
  std::ifstream file(folder + "/vocabulary.txt", std::ios::binary);
  const std::string vocabulary{std::istreambuf_iterator<char>(file), {}};
  const auto model = rnnc::parse_file(folder + "/char_lm.rnn").value();
  const auto weights = rnnc::load_safetensors(folder + "/char_lm.safetensors").value();
  const auto program = rnnc::compile(model, weights).value();
  auto state = program.make_state(1);

  std::vector<float> x(vocabulary.size()), logits(vocabulary.size());
  std::mt19937 random(1);
  const auto feed = [&](std::size_t index) {
    x.assign(x.size(), 0.0f);
    x[index] = 1.0f;
    const auto status = program.step(state, x, logits);
    if (status != rnnc::RunStatus::Ok) throw std::runtime_error(rnnc::text(status));
  };
  for (const char character : start) {
    const std::size_t index = vocabulary.find(character);
    feed(index == std::string::npos ? vocabulary.find(' ') : index);
  }
  std::fputs(start.c_str(), stdout);
  for (int i = 0; i < characters; ++i) {
    const std::size_t next = sample(logits, temperature, random);
    std::putchar(vocabulary[next]);
    feed(next);
  }
  std::putchar('\n');
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  const auto argument = [&](int i, const char* fallback) { return argc > i ? argv[i] : fallback; };
  return generate(argument(1, "examples/char_lm"), argument(2, "The licensee "), std::atoi(argument(3, "300")),
                  std::strtof(argument(4, "0.6"), nullptr));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 3;
}
