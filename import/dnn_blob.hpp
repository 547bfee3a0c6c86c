// The arrays of a "DNNw" file, which RNNoise 0.2 and Opus write of their networks (rnnoise, src/write_weights.c): each
// has a head of 64 bytes with its name, type and size, and its bytes, filled up to a multiple of 64.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "import/file_content.hpp"
#include "import/tensor_view.hpp"

namespace rnnc::files {

/// Every array begins with these bytes.
inline constexpr std::string_view kDnnHead = "DNNw";

/// Returns the arrays as vectors of f32, i32 or i8, by name. Throws Refusal.
std::map<std::string, TensorView> read_dnn_blob(const FileContent& content, std::string_view file);

/// A layer y = W x + b of such a file: `matrix` [outputs, inputs] is the floats of the file, or what its integers stand
/// for. `diagonal` is what a recurrent layer has beside it.
struct DnnLayer {
  TensorView matrix;
  std::vector<float> bias, diagonal;
  bool integers = false;
};

/// Reads a layer, dense or of blocks of 8 x 4. As in RNNoise the floats are taken where the file has both. Throws
/// Refusal.
DnnLayer read_dnn_layer(const std::map<std::string, TensorView>& arrays, const std::string& name, std::int64_t inputs,
                        std::string_view file);

/// Returns how many numbers the bias of a layer has. Throws Refusal.
std::int64_t dnn_outputs(const std::map<std::string, TensorView>& arrays, const std::string& name,
                         std::string_view file);

}  // namespace rnnc::files
