// Convolutions, pools and paddings. TensorFlow Lite has images as [batch, height, width, channels], ONNX as [batch,
// channels, height, width].
#include <algorithm>

#include "import/tflite/graph.hpp"

namespace rnnc::files {
namespace {

const std::vector<std::int64_t> kToOnnx = {0, 3, 1, 2}, kFromOnnx = {0, 2, 3, 1};

constexpr std::int64_t kMostPlaces = 1 << 24;  // of a dim

// Padding of the schema.
const char* auto_pad(std::int8_t padding) { return padding == 0 ? "SAME_UPPER" : "VALID"; }

}  // namespace

// Weights are [outputs, height, width, inputs of a group], or [1, height, width, outputs] where each channel is its own
// group.
bool TfliteWriter::write_convolution(bool is_depthwise) {
  const TfliteTensor& weights = tensor(1);
  if (rank(0) != 4 || weights.shape.size() != 4) invalid("takes an image and weights of four dims");
  if (!graph_.is_constant(input(1))) unsupported("its weights are known only when the model runs");
  const std::int64_t channels = tensor(0).shape[3];
  const std::int64_t outputs = weights.shape[is_depthwise ? 3 : 0], of_group = is_depthwise ? 1 : weights.shape[3];
  const std::int64_t height = weights.shape[1], width = weights.shape[2];
  if (channels < 1 || of_group < 1 || channels % of_group != 0) invalid("has weights for another number of channels");
  const std::vector<float> given = floats(1);
  std::vector<float> turned(given.size());
  std::size_t at = 0;
  for (std::int64_t o = 0; o < outputs; ++o)
    for (std::int64_t i = 0; i < of_group; ++i)
      for (std::int64_t y = 0; y < height; ++y)
        for (std::int64_t x = 0; x < width; ++x) {
          const std::int64_t from =
              is_depthwise ? (y * width + x) * outputs + o : ((o * height + y) * width + x) * of_group + i;
          turned[at++] = given[static_cast<std::size_t>(from)];
        }
  const std::size_t activation = is_depthwise ? 4 : 3, dilation = activation + 1;
  NodeAttributes attributes;
  attributes.text("auto_pad", auto_pad(op_.option<std::int8_t>(0, 0)))
      .integers("strides", {op_.option<std::int32_t>(2, 0), op_.option<std::int32_t>(1, 0)})
      .integers("dilations", {op_.option<std::int32_t>(dilation + 1, 1), op_.option<std::int32_t>(dilation, 1)})
      .integer("group", channels / of_group);
  std::vector<std::string> inputs = {graph_.node("Transpose", {in(0)}, NodeAttributes().integers("perm", kToOnnx)),
                                     graph_.floats({outputs, of_group, height, width}, turned)};
  if (input(2) >= 0) inputs.push_back(in(2));
  const std::string y = graph_.node("Conv", inputs, attributes);
  return finish(graph_.node("Transpose", {y}, NodeAttributes().integers("perm", kFromOnnx)),
                op_.option<std::int8_t>(activation, 0)),
         true;
}

// Weights are [outputs, height, width, inputs]. The file has the shape of the output, from which TensorFlow Lite
// computes how many of the first and last places are left out.
bool TfliteWriter::write_transposed_convolution() {
  const TfliteTensor& weights = tensor(1);
  if (rank(2) != 4 || weights.shape.size() != 4) invalid("takes an image and weights of four dims");
  const std::vector<std::int64_t> shape = integers(0), &image = tensor(2).shape;
  if (shape.size() != 4) invalid("has an output of four dims");
  const std::int64_t outputs = weights.shape[0], channels = weights.shape[3];
  const std::vector<float> given = floats(1);
  std::vector<float> turned(given.size());
  std::size_t at = 0;
  const std::int64_t places = weights.shape[1] * weights.shape[2];
  for (std::int64_t i = 0; i < channels; ++i)
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t p = 0; p < places; ++p)
        turned[at++] = given[static_cast<std::size_t>((o * places + p) * channels + i)];
  std::vector<std::int64_t> strides = {op_.option<std::int32_t>(2, 0), op_.option<std::int32_t>(1, 0)};
  std::vector<std::int64_t> before, after, more;
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t out = shape[1 + d], in = image[1 + d], kernel = weights.shape[1 + d], stride = strides[d];
    if (out < 1 || stride < 1 || in < 1 || kernel < 1 || std::max({out, stride, in, kernel}) > kMostPlaces)
      unsupported("its shape is known only when the model runs; convert the model with a fixed number of steps");
    const bool same = op_.option<std::int8_t>(0, 0) == 0;
    const std::int64_t from = same ? (out + stride - 1) / stride : (out + stride - kernel) / stride;
    if (from != in) invalid("has an output of another size than its input makes");
    before.push_back(std::max<std::int64_t>(0, (from - 1) * stride + kernel - out) / 2);
    const std::int64_t left = (in - 1) * stride + kernel - before.back() - out;
    after.push_back(std::max<std::int64_t>(0, left));
    more.push_back(std::max<std::int64_t>(0, -left));
  }
  before.insert(before.end(), after.begin(), after.end());
  NodeAttributes attributes;
  attributes.integers("pads", before).integers("strides", strides).integers("output_padding", more);
  std::vector<std::string> inputs = {graph_.node("Transpose", {in(2)}, NodeAttributes().integers("perm", kToOnnx)),
                                     graph_.floats({channels, outputs, weights.shape[1], weights.shape[2]}, turned)};
  if (input(3) >= 0) inputs.push_back(in(3));
  const std::string y = graph_.node("ConvTranspose", inputs, attributes);
  return finish(graph_.node("Transpose", {y}, NodeAttributes().integers("perm", kFromOnnx)),
                op_.option<std::int8_t>(3, 0)),
         true;
}

bool TfliteWriter::write_pool(const char* op) {
  if (rank(0) != 4) invalid("takes an image of four dims");
  NodeAttributes attributes;
  attributes.text("auto_pad", auto_pad(op_.option<std::int8_t>(0, 0)))
      .integers("strides", {op_.option<std::int32_t>(2, 0), op_.option<std::int32_t>(1, 0)})
      .integers("kernel_shape", {op_.option<std::int32_t>(4, 0), op_.option<std::int32_t>(3, 0)});
  const std::string x = graph_.node("Transpose", {in(0)}, NodeAttributes().integers("perm", kToOnnx));
  const std::string y = graph_.node(op, {x}, attributes);
  return finish(graph_.node("Transpose", {y}, NodeAttributes().integers("perm", kFromOnnx)),
                op_.option<std::int8_t>(5, 0)),
         true;
}

// Paddings are a row for each dim: before it and behind it.
bool TfliteWriter::write_pad(const char* mode, bool has_value) {
  const std::vector<std::int64_t> rows = integers(1);
  const auto dims = static_cast<std::int64_t>(rank(0));
  if (std::ssize(rows) != 2 * dims) invalid("has not two paddings for each dim");
  std::vector<std::int64_t> pads;
  for (const std::size_t side : {std::size_t{0}, std::size_t{1}})
    for (std::size_t d = 0; d < rank(0); ++d) pads.push_back(rows[2 * d + side]);
  std::vector<std::string> inputs = {in(0), graph_.integers({2 * dims}, pads)};
  if (has_value) inputs.push_back(in(2));
  return finish(graph_.node("Pad", inputs, NodeAttributes().text("mode", mode))), true;
}

bool TfliteWriter::write_window() {
  if (op_.code == TfliteOp::Conv2d) return write_convolution(false);
  if (op_.code == TfliteOp::DepthwiseConv2d) return write_convolution(true);
  if (op_.code == TfliteOp::TransposeConv) return write_transposed_convolution();
  if (op_.code == TfliteOp::AveragePool2d) return write_pool("AveragePool");
  if (op_.code == TfliteOp::MaxPool2d) return write_pool("MaxPool");
  if (op_.code == TfliteOp::Pad) return write_pad("constant", false);
  if (op_.code == TfliteOp::Padv2) return write_pad("constant", true);
  if (op_.code != TfliteOp::MirrorPad) return false;
  if (op_.option<std::int8_t>(0, 0) != 0) unsupported("repeats the edge in its mirror (SYMMETRIC)");
  return write_pad("reflect", false);
}

}  // namespace rnnc::files
