// The arguments of a row become the inputs of a step, and an output of several floats becomes JSON.
#pragma once

#include <span>

#include <rnnc/result.hpp>

#include "extensions/sqlite/interface.hpp"

namespace rnnc::sqlite {

/// Fills `x` from numbers, each of them one float, and blobs, each of them floats one after the other as this machine
/// stores them. Returns false if an argument is NULL: such a row is no step.
///
/// Errors    ShapeMismatch if the floats are more or fewer than those of `x`; InvalidData for text. The message goes on
///           after "the model 'm' ".
Result<bool> read_row(std::span<sqlite3_value*> values, std::span<float> x);

/// Implements rnn_json(Y): the floats of a blob as a JSON array, with null for NaN.
void give_json(sqlite3_context* context, int count, sqlite3_value** values) noexcept;

}  // namespace rnnc::sqlite
