// Which of three things a sentence asks for: words go in one by one, sentences of different lengths as one batch, and
// each is judged by what is left at its own last word. The network is compiled when the program starts. Its weights are
// set by hand: a word speaks for an intent, and what was heard fades.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <rnnc/rnnc.hpp>

namespace {

constexpr const char* kNetwork = R"(
network intents {
  input words : seq f32[8]
  heard = listen(words)
  output softmax(4 * last(heard))
}
cell listen {
  input word : f32[8]
  state h : f32[3]
  param meaning : f32[3, 8]
  h' = 0.9 * h + meaning @ word
  output h'
})";

const std::vector<std::string> kWords = {"turn", "light", "on", "play", "song", "what", "time", "please"};
const std::vector<std::string> kIntents = {"light", "music", "clock"};
const std::vector<float> kMeaning = {
    0.5f, 1, 0.5f, 0, 0, 0,    0, 0,  // light
    0,    0, 0,    1, 1, 0,    0, 0,  // music
    0,    0, 0,    0, 0, 0.7f, 1, 0,  // clock
};

using Sentence = std::vector<std::string>;
const std::vector<Sentence> kSentences = {
    {"turn", "light", "on"}, {"please", "play", "song", "please", "please"}, {"what", "time"}};
constexpr std::size_t kSteps = 5;

int run() {
  const rnnc::Model network = rnnc::parse(kNetwork).value();
  const rnnc::Program program =
      rnnc::compile(network, {{"heard.meaning", rnnc::Tensor::from_f32({3, 8}, kMeaning)}}).value();
  const std::size_t batch = kSentences.size();
  std::vector<float> x(kSteps * batch * kWords.size());
  std::vector<std::int32_t> lengths;
  for (std::size_t b = 0; b < batch; ++b) {
    lengths.push_back(static_cast<std::int32_t>(kSentences[b].size()));
    for (std::size_t t = 0; t < kSentences[b].size(); ++t)
      for (std::size_t w = 0; w < kWords.size(); ++w)
        x[(t * batch + b) * kWords.size() + w] = kSentences[b][t] == kWords[w] ? 1.0f : 0.0f;
  }
  std::vector<float> y(batch * kIntents.size());
  rnnc::State state = program.make_state(static_cast<std::int64_t>(batch), kSteps);
  const rnnc::RunStatus status = program.run(state, {.x = x, .y = y, .steps = kSteps, .lengths = lengths});
  if (status != rnnc::RunStatus::Ok) return 1;
  int wrong = 0;
  for (std::size_t b = 0; b < batch; ++b) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < kIntents.size(); ++i)
      if (y[b * kIntents.size() + i] > y[b * kIntents.size() + best]) best = i;
    for (const std::string& word : kSentences[b]) std::printf("%s ", word.c_str());
    std::printf("-> %s (%.2f)\n", kIntents[best].c_str(), static_cast<double>(y[b * kIntents.size() + best]));
    wrong += best != b;  // the sentences stand in the order of the intents
  }
  return wrong;
}

}  // namespace

int main() try { return run(); } catch (const rnnc::BadResult& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
