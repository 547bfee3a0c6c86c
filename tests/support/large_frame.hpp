// A step of a network of convolutions as text: so many rows that its code is cut into functions, parts of stages that
// differ in their places only, and hundreds of elements that are put in another order.
#pragma once

#include <string>

namespace rnnc::test {

/// Returns the text of a cell frame with input x : f32[2 * places], two states and an output of 7 * places + 6
/// features.
std::string text_of_large_frame(int places = 24, int layers = 8);

}  // namespace rnnc::test
