// A file of Keras 3 that has weights alone becomes the configuration of layers that the caller names in their order.
#pragma once

#include <string>
#include <string_view>

#include "import/hdf5.hpp"

namespace rnnc::files {

/// Returns the JSON of a model of the layers that `prefix` names, with commas between: folders of the file. What the
/// file does not say is as Keras has it by default: activations are tanh and sigmoid, none behind a dense layer, and
/// every layer gives a sequence. Throws Refusal.
std::string configuration_of_folders(const Hdf5File& weights, std::string_view prefix, std::string_view file);

}  // namespace rnnc::files
