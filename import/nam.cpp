// NAM's LSTM has its weights in one flat list: W[4H, I+H], b[4H], h0[H], c0[H] for each layer, then a head of one
// output.
#include "import/audio_models.hpp"
#include "import/file_error.hpp"
#include "import/layer_stack.hpp"

namespace rnnc::files {
namespace {

class Flat {
 public:
  explicit Flat(const JsonValue& weights) : values_(weights.vector()) {}

  std::vector<float> take(std::int64_t count) {
    const auto begin = values_.begin() + next_;
    next_ += count;
    return {begin, values_.begin() + next_};
  }
  Matrix take(std::int64_t rows, std::int64_t columns) { return {rows, columns, take(rows * columns)}; }
  std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }

 private:
  std::vector<float> values_;
  std::int64_t next_ = 0;
};

// Checks that the list has as many numbers as the sizes ask for. Sizes are at most 2^24, so the count of a layer fits
// 64 bits.
void check_count(const JsonValue& weights, std::int64_t found, std::int64_t inputs, std::int64_t hidden,
                 std::int64_t layers) {
  std::int64_t wanted = hidden + 1;
  for (std::int64_t layer = 0; layer < layers && wanted <= found; ++layer)
    wanted += 4 * hidden * ((layer == 0 ? inputs : hidden) + hidden) + 6 * hidden;
  if (wanted != found)
    weights.wrong("has " + std::to_string(found) + " numbers but the sizes of config need " +
                  (wanted > found ? "more: at least " : "") + std::to_string(wanted) + "; save the model again");
}

}  // namespace

Imported import_nam(const JsonValue& root) {
  // metadata describes the model for people: names, dates, loudness. It does not change the numbers.
  root.only({"version", "metadata", "architecture", "config", "weights", "sample_rate"});
  if (const std::string version = root.at("version").text(); !version.starts_with("0."))
    root.at("version").unsupported("version " + in_quotes(version) + " is not known; known is 0.x");
  if (const std::string name = root.at("architecture").text(); name != "LSTM")
    root.at("architecture").unsupported("architecture " + in_quotes(name) + " cannot be imported; known is LSTM");
  const JsonValue config = root.at("config");
  config.only({"input_size", "hidden_size", "num_layers"});
  const std::int64_t inputs = config.at("input_size").size(), hidden = config.at("hidden_size").size();
  const std::int64_t layers = config.at("num_layers").size();
  Flat flat(root.at("weights"));
  check_count(root.at("weights"), flat.size(), inputs, hidden, layers);
  LayerStack stack("model", "from a NAM file", inputs, static_cast<std::size_t>(layers), root.file());
  std::vector<std::vector<float>> initial;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const std::int64_t below = layer == 0 ? inputs : hidden;
    const Matrix fused = flat.take(4 * hidden, below + hidden);
    GateWeights weights{"ifgo", fused.column_range(0, below), fused.column_range(below, below + hidden), {}, {}};
    weights.b = flat.take(4 * hidden);
    stack.lstm(weights, "layer " + std::to_string(layer));
    initial.push_back(flat.take(hidden));
    initial.push_back(flat.take(hidden));
  }
  const Matrix head = flat.take(1, hidden);
  stack.dense(head, flat.take(1), "the head");
  return stack.build(initial);
}

}  // namespace rnnc::files
