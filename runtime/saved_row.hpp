// The states of one sequence in the form that sessions and whole states are saved in: versioned, with names and sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <rnnc/result.hpp>

#include "runtime/program.hpp"

namespace rnnc::runtime {

/// Appends the states of sequence `b`.
void save_row(const StateContent& content, std::int64_t b, std::vector<std::byte>& bytes);

/// What save_row appends, in bytes.
std::size_t saved_row_bytes(const StateContent& content);

/// Whether `saved` is what save_row gave for states of the same names and sizes. Errors: InvalidData.
Result<void> check_saved_row(const StateContent& content, std::span<const std::byte> saved);

/// Sets the states of sequence `b` to those of a row that has been checked.
void restore_row(const StateContent& content, std::int64_t b, std::span<const std::byte> saved);

}  // namespace rnnc::runtime
