// The weights of a text are those of --weights, or of a file beside it. Errors say how to give them, and which file
// does not belong to the text.
#pragma once

#include <string>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "tools/load_model.hpp"

namespace rnnc::tools {

/// Gives `source`, which was loaded from the file `model`, the tensors of a file beside it, if that has exactly the
/// names of its parameters, as the files that `rnnc import` writes. Errors: those of load_tensors.
Result<void> take_weights_beside(const std::string& model, Source& source);

/// Refuses a file without any of the parameters: it belongs to another model. Most often it is a state_dict, which is a
/// model by itself. Errors: InvalidData.
Result<void> check_any_fits(const Source& source, const TensorMap& weights, const std::string& path);

/// Refuses a model that has parameters and no weights, and whose dims have no numbers, which the weights would tell.
/// Verbs that need weights ask this before they bind the dims: else a missing dim would seem to be the mistake. Errors:
/// InvalidData.
Result<void> check_has_weights(const Source& source);

/// Adds to an error about a missing weight how weights are given, where `source` has none at all.
Error about_weights(Error error, const Source& source);

}  // namespace rnnc::tools
