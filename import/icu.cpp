// The word segmenters of unicode-org/lstm_word_segmentation, which ICU ships for Thai, Burmese, Lao and Khmer: an
// embedding of tokens, one bidirectional LSTM and a dense layer over the classes B I E S. The nine matrices are
// Keras's, in its orders: embedding, kernel, recurrent kernel and bias of each direction, and those of the dense layer.
// `dic` gives the numbers of the tokens, which are the input; the rows behind the last of them are for all other
// tokens.
#include <array>

#include "import/audio_models.hpp"
#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

// Returns a matrix, or a vector as a matrix of one row.
Matrix matrix_of(const JsonValue& root, int number, std::size_t rank) {
  const JsonValue value = root.at("mat" + std::to_string(number));
  value.only({"v", "dim", "data"});
  if (value.has("v") && value.at("v").size() != 1)
    value.at("v").unsupported("is a layout that is not known; known is 1");
  const std::vector<JsonValue> dims = value.at("dim").elements();
  if (dims.size() != rank)
    value.at("dim").wrong("has " + std::to_string(dims.size()) + " dims but must have " + std::to_string(rank));
  Matrix matrix{rank == 2 ? dims[0].size() : 1, dims.back().size(), value.at("data").vector()};
  if (static_cast<std::int64_t>(matrix.values.size()) != matrix.rows * matrix.columns)
    value.at("data").wrong("has " + std::to_string(matrix.values.size()) + " numbers but dim needs " +
                           std::to_string(matrix.rows * matrix.columns) + "; save the model again");
  return matrix;
}

void check(const JsonValue& root, int number, const Matrix& matrix, std::int64_t rows, std::int64_t columns) {
  if (matrix.rows != rows || matrix.columns != columns)
    root.at("mat" + std::to_string(number))
        .wrong("is " + std::to_string(matrix.rows) + " x " + std::to_string(matrix.columns) + " but must be " +
               std::to_string(rows) + " x " + std::to_string(columns) + " beside the other matrices");
}

// Keras's LSTM has its gates in the order i f c o, side by side.
void add_direction(const JsonValue& root, int first, std::int64_t inputs, std::int64_t hidden,
                   const std::string& prefix, TensorMap& weights) {
  const Matrix W = matrix_of(root, first, 2), U = matrix_of(root, first + 1, 2), b = matrix_of(root, first + 2, 1);
  check(root, first, W, inputs, 4 * hidden);
  check(root, first + 1, U, hidden, 4 * hidden);
  check(root, first + 2, b, 1, 4 * hidden);
  constexpr std::array<const char*, 4> kGates = {"i", "f", "g", "o"};
  for (std::int64_t g = 0; g < 4; ++g) {
    const std::string gate = kGates[static_cast<std::size_t>(g)];
    const std::int64_t begin = g * hidden, end = begin + hidden;
    weights[prefix + "W" + gate] = W.column_range(begin, end).transposed().tensor();
    weights[prefix + "U" + gate] = U.column_range(begin, end).transposed().tensor();
    weights[prefix + "b" + gate] = Tensor::from_f32({hidden}, b.column_range(begin, end).values);
  }
}

}  // namespace

Imported import_icu(const JsonValue& root) {
  root.only_of_meaning({"dic", "mat1", "mat2", "mat3", "mat4", "mat5", "mat6", "mat7", "mat8", "mat9"});
  if (root.has("model") && root.at("model").text().find("genvec") != std::string::npos)
    root.at("model").unsupported(
        "embeds a token as the mean of the vectors of its characters, which is no network over tokens; only models of "
        "grapheme clusters or code points can be imported");
  if (!root.has("dic"))
    root.wrong("key \"dic\" is missing, which gives the numbers of the tokens; save the model again");
  const Matrix embedding = matrix_of(root, 1, 2), dense = matrix_of(root, 8, 2), bias = matrix_of(root, 9, 1);
  const std::int64_t hidden = matrix_of(root, 3, 2).rows, width = embedding.columns, classes = dense.columns;
  check(root, 8, dense, 2 * hidden, classes);
  check(root, 9, bias, 1, classes);
  TensorMap weights = {{"embedding", embedding.tensor()},
                       {"W", dense.transposed().tensor()},
                       {"b", Tensor::from_f32({classes}, bias.values)}};
  add_direction(root, 2, width, hidden, "a.fwd.", weights);
  add_direction(root, 5, width, hidden, "a.bwd.", weights);
  const auto dims = [](std::int64_t rows, std::int64_t columns) {
    return "f32[" + std::to_string(rows) + ", " + std::to_string(columns) + "]\n";
  };
  const std::string text =
      "// from a word segmenter of ICU; x has the numbers of tokens, as `dic` of the file gives them\n"
      "network model {\n  input x : seq f32\n  param embedding : " +
      dims(embedding.rows, width) + "  param W : " + dims(classes, 2 * hidden) + "  param b : f32[" +
      std::to_string(classes) + "]\n\n  a = bidirectional lstm<H=" + std::to_string(hidden) +
      ">(lookup(embedding, x))\n  output softmax(W @ a + b)\n}\n";
  Result<Model> model = parse(text, root.file());
  if (!model) throw Refusal{model.error()};
  return {std::move(*model), std::move(weights)};
}

}  // namespace rnnc::files
