#include "tests/support/large_frame.hpp"

#include <functional>

namespace rnnc::test {
namespace {

std::string list(int count, const std::function<std::string(int)>& part) {
  std::string text;
  for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + part(i);
  return text;
}

std::string element(const std::string& vector, int i) {
  return vector + "[" + std::to_string(i) + ":" + std::to_string(i + 1) + "]";
}

}  // namespace

std::string text_of_large_frame(int places, int layers) {
  constexpr int kChannels = 6;
  const std::string p = std::to_string(places), all = std::to_string(kChannels * places);
  std::string text = "cell frame {\n  input x : f32[" + std::to_string(2 * places) + "]\n  state past : f32[" + all +
                     "]\n  state h : f32[6]\n  param K : f32[6, 6]\n  param L : f32[6, 18]\n  param U : f32[6, 6]\n"
                     "  param V : f32[6, 6]\n  param b : f32[6]\n  param d : f32[" +
                     all + "]\n  A0 = relu(K @ windows(pad(rows(x, " + p + "), 1, 1), 3, 1) + b)\n";
  for (int layer = 1; layer <= layers; ++layer) {
    const std::string n = std::to_string(layer), before = std::to_string(layer - 1);
    text += "  A" + n + " = tanh(L @ windows(pad(A" + before + ", 1, 1), 3, 1) + b) * 0.5 + A" + before + "\n";
  }
  text += "  F = flatten(A" + std::to_string(layers) + ")\n";
  // A recurrence over the places, of which each step is a stage.
  for (int i = 0; i < places; ++i) {
    const std::string n = std::to_string(i), first = std::to_string(kChannels * i);
    const std::string x = "F[" + first + ":" + std::to_string(kChannels * (i + 1)) + "]";
    text += "  z" + n + " = sigmoid(V @ " + x + " + b)\n";
    text += "  g" + n + " = tanh(V @ " + x + " + z" + n + " * (U @ " + (i == 0 ? "h" : "g" + std::to_string(i - 1)) +
            "))\n";
  }
  // The channels one after the other, as many programs keep them, a depthwise sum over time, and back again.
  text += "  t = concat(" +
          list(kChannels * places, [&](int i) { return element("F", i % places * kChannels + i / places); }) +
          ")\n  s = d * past + 0.5 * t + 0.1\n  past' = t\n  back = concat(" +
          list(kChannels * places, [&](int i) { return element("s", i % kChannels * places + i / kChannels); }) +
          ")\n  h' = g" + std::to_string(places - 1) + "\n  y = flatten(V @ rows(back, " + p +
          "))\n  output concat(y, s[0:" + p + "], h')\n}\n";
  return text;
}

}  // namespace rnnc::test
