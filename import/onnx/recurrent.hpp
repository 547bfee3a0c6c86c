// An RNN, GRU or LSTM node with its attributes and weights becomes the text of one cell for each direction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <rnnc/import.hpp>
#include "import/matrix.hpp"
#include "import/onnx/attributes.hpp"
#include "import/onnx/constants.hpp"

namespace rnnc::files {

struct OnnxDirection {
  bool reverse = false;
  std::string standard;   // the standard cell of the same equations and weights; "" for none
  std::string cell_body;  // behind `cell name`
  std::string equations;  // of cell_body: of x, of the states, and of the weights by their names
  TensorMap weights;      // by the names in the cell
};

struct OnnxRecurrent {
  std::int64_t input_size = 0, hidden_size = 0;
  std::int64_t output_size = 0;  // of h and of the output: hidden_size but where an LSTM projects
  bool batch_first = false;      // layout = 1
  bool masked = false;           // its cells take a second input, the mask of the step
  std::vector<std::string> states;
  std::vector<OnnxDirection> directions;

  /// Returns the size of state number `state`: h is the first.
  std::int64_t size(std::size_t state) const { return state == 0 ? output_size : hidden_size; }
};

/// The input of a recurrent node that is the initial state h; that of c follows.
inline constexpr std::size_t kFirstInitial = 5;

/// The input of a recurrent node of kOwnDomain that is its mask.
inline constexpr std::size_t kMask = 11;

/// The domain of recurrent nodes that are written for other formats, with more than ONNX has:
/// - Input 11, counted from 0, is a mask, one number for each step: [T,B,1], or [B,T,1] with layout 1. A step whose
///   number is not above 0 keeps the states; it gives h again or, with the attribute zero_output, zeros.
/// - An activation may be any of Keras's.
/// - An LSTM may have the attributes cell_clip and output_clip, the bounds of its cell state and of its projection, and
///   forget_input, by which i is 1 - f. Its inputs 8 to 10 are the projection [D,P,H], its bias [D,P], and factors
///   [D,4H] by which its gates are normalised, in the order of the rows of W; B is added behind the factors then.
inline constexpr const char* kOwnDomain = "rnnc";

/// Tells whether a node is an LSTM whose weights quantize_dynamic has made integers.
bool is_quantized_lstm(const OnnxNode& node);

/// Tells whether a node is an RNN, a GRU or an LSTM, quantised or not.
bool is_recurrent(const OnnxNode& node);

/// Reads a recurrent node. Throws Refusal.
OnnxRecurrent read_recurrent(const OnnxNode& node, OnnxConstants& constants, std::int64_t opset, std::string_view file,
                             OnnxLike like);

}  // namespace rnnc::files
