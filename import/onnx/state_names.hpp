// Names of inputs and outputs of an ONNX graph tell which are the old and the new value of one state.
#pragma once

#include <string>

namespace rnnc::files {

/// Tells whether the name of an input speaks of a state, and that of an output of its new value: h and hn, state_in and
/// state_out, cache and new_cache; but not frame_in and frame_out.
bool is_state_by_name(const std::string& input, const std::string& output);

}  // namespace rnnc::files
